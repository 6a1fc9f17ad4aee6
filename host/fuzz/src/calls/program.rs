//! Programs of the [machine](super::machine) out of the bytes of an input.
//!
//! Arguments are mostly of their type: a text, a variant's case that there is, the handle of such
//! a resource, which an earlier call returned. At times they are any number.

use wit_parser::Type;

use super::code::{SCRATCH, arguments};
use super::imports::{Call, Imports, Parameter};
use super::shapes::{Found, bytes32};
use super::values::{Argument, DIMENSIONS, TENSOR, Values};
use crate::bytes::Bytes;

/// Calls of a program at most, but for those that another needs.
const CALLS: usize = 200;
/// How many calls one behind the other are made for another.
const DEEP: u32 = 4;

/// What a program becomes as an input is read.
pub struct Program<'a> {
    /// Its code up to now, and what its arguments are made of.
    values: Values<'a>,
    /// The ring's next word.
    next: u8,
}

impl<'a> Program<'a> {
    /// A program that does nothing.
    pub fn new(imports: &'a Imports, file: usize) -> Self {
        Program { values: Values::new(imports, file as u32), next: 0 }
    }

    /// The calls that an input says.
    pub fn read(mut self, bytes: &mut Bytes<'_>) -> Vec<u8> {
        for _ in 0..CALLS {
            if bytes.0.is_empty() {
                break;
            }
            let (kind, which) = (bytes.byte(), usize::from(bytes.byte()));
            let all = self.values.imports.calls.len();
            // Mostly ours, as there are many more of WASI's.
            let number = match kind {
                0..=0x9f => which % self.values.imports.ours,
                0xa0..=0xef => self.values.imports.ours + which % (all - self.values.imports.ours),
                _ => which % all,
            };
            // What it needs and does not have, mostly.
            if kind & 15 > 0 {
                self.provide(number, bytes, DEEP);
            }
            if kind & 15 == 15 {
                self.repeat(u16::from(bytes.byte()) * u16::from(bytes.byte()));
            }
            self.call(number, bytes);
        }
        self.values.code
    }

    /// A program that computes the digit of an empty picture, and gives the numbers.
    pub fn computes(imports: &'a Imports, file: usize) -> Vec<u8> {
        const NN: &str = "@0.2.0-rc-2024-10-28#";
        let mut program = Program::new(imports, file);
        let text = |program: &mut Self, text: &str| {
            let place = program.values.room(text.len() as u32);
            program.values.write(place, text.as_bytes());
            [place, text.len() as u32]
        };
        let at = |place: u32| Argument::Number((SCRATCH + place).into());
        let number = |number: u32| Argument::Number(number.into());

        let [name, length] = text(&mut program, "digits");
        let graph = format!("wasi:nn/graph{NN}load-by-name");
        let graph = program.make(&graph, &[at(name), number(length)]);
        let context = format!("wasi:nn/graph{NN}[method]graph.init-execution-context");
        let context = program.make(&context, &[Argument::Slot(graph + 1)]);
        let shape = program.values.room(16);
        let sizes: Vec<u8> = DIMENSIONS.iter().flat_map(|size| size.to_le_bytes()).collect();
        program.values.write(shape, &sizes);
        let data = program.values.room(TENSOR);
        // Of 32-bit floats.
        let given = [at(shape), number(4), number(1), at(data), number(TENSOR)];
        let tensor = program.make(&format!("wasi:nn/tensor{NN}[constructor]tensor"), &given);
        let [name, length] = text(&mut program, "image");
        let input = program.values.room(12);
        program.values.write(input, &(SCRATCH + name).to_le_bytes());
        program.values.write(input + 4, &length.to_le_bytes());
        program.values.code.push(1);
        program.values.code.extend((input as u16 + 8).to_le_bytes());
        program.values.code.push(tensor);
        let compute = format!("wasi:nn/inference{NN}[method]graph-execution-context.compute");
        let given = [Argument::Slot(context + 1), at(input), number(1)];
        let outputs = program.make(&compute, &given);
        program.values.code.extend([4, outputs + 1, 8]);
        let output = program.next;
        program.next += 4;
        let data = format!("wasi:nn/tensor{NN}[method]tensor.data");
        let data = program.make(&data, &[Argument::Slot(output)]);
        program.values.code.extend([5, data]);
        program.values.code
    }

    /// A call of a function by its name; where its result is in the ring.
    fn make(&mut self, name: &str, given: &[Argument]) -> u8 {
        self.values.code.push(2);
        self.values.code.extend(self.values.imports.number(name).to_le_bytes());
        given.iter().for_each(|argument| self.argument(*argument));
        let start = self.next;
        self.next = self.next.wrapping_add(4);
        start
    }

    fn repeat(&mut self, times: u16) {
        self.values.code.push(3);
        self.values.code.extend(times.to_le_bytes());
        // The words of the last call are those that are known.
        self.next = self.next.wrapping_add((times as u8).wrapping_mul(4));
    }

    /// Calls the functions that return the handles which a function needs.
    fn provide(&mut self, number: usize, bytes: &mut Bytes<'_>, deep: u32) {
        let imports = self.values.imports;
        let mut needed = Found::default();
        for parameter in &imports.calls[number].parameters {
            match parameter {
                Parameter::Dropped(resource) => needed.handles.push((imports.root(*resource), 0)),
                Parameter::Value(ty) => needed.look_into(imports, ty),
            }
        }
        for (resource, _) in needed.handles {
            if deep == 0 || self.values.handles.iter().any(|(of, _)| *of == resource) {
                continue;
            }
            let returns = |call: &Call| {
                let mut found = Found::default();
                call.result.iter().for_each(|ty| found.look_into(imports, ty));
                found.handles.iter().any(|(of, _)| *of == resource)
            };
            let sources = imports.calls.iter().enumerate().filter(|(_, call)| returns(call));
            let sources: Vec<usize> = sources.map(|(number, _)| number).collect();
            if !sources.is_empty() {
                let source = sources[usize::from(bytes.byte() >> 6) % sources.len()];
                self.provide(source, bytes, deep - 1);
                self.call(source, bytes);
            }
        }
    }

    fn call(&mut self, number: usize, bytes: &mut Bytes<'_>) {
        let imports = self.values.imports;
        let call = &imports.calls[number];
        let mut given = Vec::new();
        for parameter in &call.parameters {
            match parameter {
                Parameter::Dropped(resource) => given.push(self.values.handle(*resource, bytes)),
                Parameter::Value(ty) => self.values.flat(ty, bytes, &mut given),
            }
        }
        if call.signature.indirect_params {
            let types = call.parameters.iter().filter_map(|it| match it {
                Parameter::Value(ty) => Some(*ty),
                Parameter::Dropped(_) => None,
            });
            let types: Vec<Type> = types.collect();
            let fields = imports.sizes.field_offsets(&types);
            let place = self.values.room(bytes32(imports.sizes.record(&types).size));
            for (offset, ty) in fields {
                self.values.store(ty, place + bytes32(offset), bytes);
            }
            given = vec![Argument::Place(place as u16)];
        }
        given.resize(arguments(call), Argument::Number(0));
        self.values.code.push(2);
        self.values.code.extend((number as u16).to_le_bytes());
        given.into_iter().for_each(|argument| self.argument(argument));
        self.returned(call, bytes);
    }

    fn argument(&mut self, argument: Argument) {
        match argument {
            Argument::Number(number) => {
                self.values.code.push(0);
                self.values.code.extend(number.to_le_bytes());
            }
            Argument::Slot(slot) => self.values.code.extend([3, slot]),
            Argument::Place(place) => {
                self.values.code.push(4);
                self.values.code.extend(place.to_le_bytes());
            }
        }
    }

    /// Remembers what handles a call returns, where they are among the first words of its
    /// result, or of the first item of its list.
    fn returned(&mut self, call: &Call, bytes: &mut Bytes<'_>) {
        let start = self.next;
        self.next = self.next.wrapping_add(4);
        let Some(ty) = &call.result else { return };
        let mut found = Found::default();
        found.look(self.values.imports, ty, 0);
        let slot = |offset: u32| start.wrapping_add((offset / 4) as u8);
        let near = found.handles.iter().filter(|(_, offset)| *offset < 16);
        self.values.handles.extend(near.map(|(of, offset)| (*of, slot(*offset))));
        if let Some((item, offset)) = found.list.filter(|(_, offset)| *offset < 16) {
            let mut found = Found::default();
            found.look(self.values.imports, &item, 0);
            let Some((of, inside)) = found.handles.first().copied() else { return };
            if bytes.byte() < 0xc0 {
                self.values.code.extend([4, slot(offset), inside as u8]);
                self.values.handles.push((of, self.next));
                self.next = self.next.wrapping_add(4);
            }
        }
    }
}
