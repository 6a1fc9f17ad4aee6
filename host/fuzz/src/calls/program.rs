//! Programs of the [machine](super::machine) out of the bytes of an input.
//!
//! Arguments are mostly of their type: a text, a variant's case that there is, the handle of such
//! a resource, which an earlier call returned. At times they are any number.

use wit_parser::{Handle, SizeAlign, Type, TypeDefKind, TypeId};

use super::imports::{Call, Imports, Parameter};
use super::machine::{SCRATCH, arguments, file_address};
use crate::bytes::Bytes;

/// Names that mean something to the host.
const WORDS: [&str; 8] =
    ["digits", "airports", "image", "0", "probabilities", "", "../digits", "1"];
/// Dimensions of the model's input, for one row.
const DIMENSIONS: [u32; 4] = [1, 1, 8, 8];
/// Bytes of such a tensor.
const TENSOR: u32 = 256;
/// Calls of a program at most, but for those that another needs.
const CALLS: usize = 200;
/// How many calls one behind the other are made for another.
const DEEP: u32 = 4;
/// Bytes of the scratch memory.
const ROOM: u32 = 1 << 16;

/// An argument of a call.
#[derive(Debug, Clone, Copy)]
enum Argument {
    Number(u64),
    Slot(u8),
    /// A place in the scratch memory.
    Place(u16),
}

/// What a program becomes as an input is read.
pub struct Program<'a> {
    imports: &'a Imports,
    /// The size of the graph that the machine brings along.
    file: u32,
    code: Vec<u8>,
    /// Where the scratch memory is free.
    free: u32,
    /// The ring's next word.
    next: u8,
    /// The handles in the ring.
    handles: Vec<(TypeId, u8)>,
}

impl<'a> Program<'a> {
    /// A program that does nothing.
    pub fn new(imports: &'a Imports, file: usize) -> Self {
        let file = file as u32;
        Program { imports, file, code: Vec::new(), free: 0, next: 0, handles: Vec::new() }
    }

    /// The calls that an input says.
    pub fn read(mut self, bytes: &mut Bytes<'_>) -> Vec<u8> {
        for _ in 0..CALLS {
            if bytes.0.is_empty() {
                break;
            }
            let (kind, which) = (bytes.byte(), usize::from(bytes.byte()));
            let all = self.imports.calls.len();
            // Mostly ours, as there are many more of WASI's.
            let number = match kind {
                0..=0x9f => which % self.imports.ours,
                0xa0..=0xef => self.imports.ours + which % (all - self.imports.ours),
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
        self.code
    }

    /// A program that computes the digit of an empty picture, and gives the numbers.
    pub fn computes(imports: &'a Imports, file: usize) -> Vec<u8> {
        const NN: &str = "@0.2.0-rc-2024-10-28#";
        let mut program = Program::new(imports, file);
        let text = |program: &mut Self, text: &str| {
            let place = program.room(text.len() as u32);
            program.write(place, text.as_bytes());
            [place, text.len() as u32]
        };
        let at = |place: u32| Argument::Number((SCRATCH + place).into());
        let number = |number: u32| Argument::Number(number.into());

        let [name, length] = text(&mut program, "digits");
        let graph = format!("wasi:nn/graph{NN}load-by-name");
        let graph = program.make(&graph, &[at(name), number(length)]);
        let context = format!("wasi:nn/graph{NN}[method]graph.init-execution-context");
        let context = program.make(&context, &[Argument::Slot(graph + 1)]);
        let shape = program.room(16);
        let sizes: Vec<u8> = DIMENSIONS.iter().flat_map(|size| size.to_le_bytes()).collect();
        program.write(shape, &sizes);
        let data = program.room(TENSOR);
        // Of 32-bit floats.
        let given = [at(shape), number(4), number(1), at(data), number(TENSOR)];
        let tensor = program.make(&format!("wasi:nn/tensor{NN}[constructor]tensor"), &given);
        let [name, length] = text(&mut program, "image");
        let input = program.room(12);
        program.write(input, &(SCRATCH + name).to_le_bytes());
        program.write(input + 4, &length.to_le_bytes());
        program.code.push(1);
        program.code.extend((input as u16 + 8).to_le_bytes());
        program.code.push(tensor);
        let compute = format!("wasi:nn/inference{NN}[method]graph-execution-context.compute");
        let given = [Argument::Slot(context + 1), at(input), number(1)];
        let outputs = program.make(&compute, &given);
        program.code.extend([4, outputs + 1, 8]);
        let output = program.next;
        program.next += 4;
        let data = format!("wasi:nn/tensor{NN}[method]tensor.data");
        let data = program.make(&data, &[Argument::Slot(output)]);
        program.code.extend([5, data]);
        program.code
    }

    /// A call of a function by its name; where its result is in the ring.
    fn make(&mut self, name: &str, given: &[Argument]) -> u8 {
        self.code.push(2);
        self.code.extend(self.imports.number(name).to_le_bytes());
        given.iter().for_each(|argument| self.argument(*argument));
        let start = self.next;
        self.next = self.next.wrapping_add(4);
        start
    }

    fn repeat(&mut self, times: u16) {
        self.code.push(3);
        self.code.extend(times.to_le_bytes());
        // The words of the last call are those that are known.
        self.next = self.next.wrapping_add((times as u8).wrapping_mul(4));
    }

    /// Calls the functions that return the handles which a function needs.
    fn provide(&mut self, number: usize, bytes: &mut Bytes<'_>, deep: u32) {
        let imports = self.imports;
        let mut needed = Found::default();
        for parameter in &imports.calls[number].parameters {
            match parameter {
                Parameter::Dropped(resource) => needed.handles.push((imports.root(*resource), 0)),
                Parameter::Value(ty) => needed.look_into(imports, ty),
            }
        }
        for (resource, _) in needed.handles {
            if deep == 0 || self.handles.iter().any(|(of, _)| *of == resource) {
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
        let imports = self.imports;
        let call = &imports.calls[number];
        let mut given = Vec::new();
        for parameter in &call.parameters {
            match parameter {
                Parameter::Dropped(resource) => given.push(self.handle(*resource, bytes)),
                Parameter::Value(ty) => self.flat(ty, bytes, &mut given),
            }
        }
        if call.signature.indirect_params {
            let types = call.parameters.iter().filter_map(|it| match it {
                Parameter::Value(ty) => Some(*ty),
                Parameter::Dropped(_) => None,
            });
            let types: Vec<Type> = types.collect();
            let fields = imports.sizes.field_offsets(&types);
            let place = self.room(bytes32(imports.sizes.record(&types).size));
            for (offset, ty) in fields {
                self.store(ty, place + bytes32(offset), bytes);
            }
            given = vec![Argument::Place(place as u16)];
        }
        given.resize(arguments(call), Argument::Number(0));
        self.code.push(2);
        self.code.extend((number as u16).to_le_bytes());
        given.into_iter().for_each(|argument| self.argument(argument));
        self.returned(call, bytes);
    }

    fn argument(&mut self, argument: Argument) {
        match argument {
            Argument::Number(number) => {
                self.code.push(0);
                self.code.extend(number.to_le_bytes());
            }
            Argument::Slot(slot) => self.code.extend([3, slot]),
            Argument::Place(place) => {
                self.code.push(4);
                self.code.extend(place.to_le_bytes());
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
        found.look(self.imports, ty, 0);
        let slot = |offset: u32| start.wrapping_add((offset / 4) as u8);
        let near = found.handles.iter().filter(|(_, offset)| *offset < 16);
        self.handles.extend(near.map(|(of, offset)| (*of, slot(*offset))));
        if let Some((item, offset)) = found.list.filter(|(_, offset)| *offset < 16) {
            let mut found = Found::default();
            found.look(self.imports, &item, 0);
            let Some((of, inside)) = found.handles.first().copied() else { return };
            if bytes.byte() < 0xc0 {
                self.code.extend([4, slot(offset), inside as u8]);
                self.handles.push((of, self.next));
                self.next = self.next.wrapping_add(4);
            }
        }
    }

    /// A handle: mostly of a resource of this type, and mostly the newest.
    fn handle(&mut self, resource: TypeId, bytes: &mut Bytes<'_>) -> Argument {
        let resource = self.imports.root(resource);
        let mut known = self.handles.iter().rev().filter(|(of, _)| *of == resource);
        let choice = bytes.byte();
        let of_type = match choice {
            0..=0xdf => known.nth(usize::from(choice >> 5)),
            _ => None,
        };
        let found = match choice {
            0..=0xdf => of_type.or_else(|| self.handles.iter().rfind(|(of, _)| *of == resource)),
            0xe0..=0xef => self.handles.iter().rev().nth(usize::from(choice & 15)),
            _ => return Argument::Number(bytes.number().into()),
        };
        found.map_or(Argument::Number(0), |(_, slot)| Argument::Slot(*slot))
    }

    /// Room in the scratch memory, from the front again when it is full.
    fn room(&mut self, size: u32) -> u32 {
        let place = self.free.next_multiple_of(8);
        let place = if place + size > ROOM { 0 } else { place };
        self.free = place + size;
        place
    }

    fn write(&mut self, place: u32, data: &[u8]) {
        for (index, part) in data.chunks(255).enumerate() {
            self.code.push(0);
            self.code.extend((place as u16).wrapping_add(255 * index as u16).to_le_bytes());
            self.code.push(part.len() as u8);
            self.code.extend(part);
        }
    }

    /// The place and the length of a list or text.
    fn list(&mut self, item: &Type, bytes: &mut Bytes<'_>) -> (u64, u64) {
        let address = |place: u32| u64::from(SCRATCH + place);
        let choice = bytes.byte();
        if choice >= 0xf8 {
            // Anywhere, and as long as one likes.
            return (bytes.number().into(), bytes.number().into());
        }
        match item {
            Type::Char => {
                let text = match choice {
                    0..=0xbf => WORDS[usize::from(choice) % WORDS.len()].as_bytes(),
                    _ => bytes.slice(),
                };
                let place = self.room(text.len() as u32);
                self.write(place, text);
                (address(place), text.len() as u64)
            }
            Type::U8 if choice >= 0xe0 => (file_address().into(), self.file.into()),
            Type::U8 if choice >= 0xa0 => (address(self.room(TENSOR)), TENSOR.into()),
            Type::U8 => {
                let data = bytes.slice();
                let place = self.room(data.len() as u32);
                self.write(place, data);
                (address(place), data.len() as u64)
            }
            Type::U32 if choice >= 0xa0 => {
                let place = self.room(16);
                let sizes = DIMENSIONS.iter().flat_map(|size| size.to_le_bytes());
                self.write(place, &sizes.collect::<Vec<u8>>());
                (address(place), 4)
            }
            item => {
                let size = bytes32(self.imports.sizes.size(item));
                let count = u32::from(choice % 4);
                let place = self.room(size * count);
                for index in 0..count {
                    self.store(item, place + index * size, bytes);
                }
                (address(place), count.into())
            }
        }
    }

    /// The arguments that a value is passed as.
    fn flat(&mut self, ty: &Type, bytes: &mut Bytes<'_>, given: &mut Vec<Argument>) {
        let imports = self.imports;
        let number = |bytes: &mut Bytes<'_>| Argument::Number(bytes.number().into());
        let of = |(place, length): (u64, u64)| [place, length].map(Argument::Number);
        let Type::Id(id) = ty else {
            match ty {
                Type::String => given.extend(of(self.list(&Type::Char, bytes))),
                Type::U64 | Type::S64 => given.push(Argument::Number(wide(bytes))),
                _ => given.push(number(bytes)),
            }
            return;
        };
        let kind = &imports.resolve.types[*id].kind;
        if let Some(cases) = cases(kind) {
            let case = case(cases.len(), bytes);
            given.push(Argument::Number(case));
            let start = given.len();
            if let Some(Some(ty)) = cases.get(case as usize) {
                self.flat(ty, bytes, given);
            }
            // The others may take more.
            let mut widest = 0;
            for ty in cases.iter().flatten() {
                widest = widest.max(width(imports, ty));
            }
            given.resize(start + widest, Argument::Number(0));
            return;
        }
        match kind {
            TypeDefKind::Type(ty) => self.flat(ty, bytes, given),
            TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => {
                given.push(self.handle(*id, bytes));
            }
            TypeDefKind::Record(record) => {
                record.fields.iter().for_each(|field| self.flat(&field.ty, bytes, given));
            }
            TypeDefKind::Tuple(tuple) => {
                tuple.types.iter().for_each(|ty| self.flat(ty, bytes, given));
            }
            TypeDefKind::List(item) => given.extend(of(self.list(item, bytes))),
            TypeDefKind::Flags(flags) => {
                given.extend((0..flags.repr().count()).map(|_| number(bytes)));
            }
            _ => given.push(number(bytes)),
        }
    }

    /// Writes a value into the scratch memory.
    fn store(&mut self, ty: &Type, place: u32, bytes: &mut Bytes<'_>) {
        let imports = self.imports;
        let size = bytes32(imports.sizes.size(ty));
        let list = |program: &mut Self, item: &Type, bytes: &mut Bytes<'_>| {
            let (at, length) = program.list(item, bytes);
            program.write(place, &(at as u32).to_le_bytes());
            program.write(place + 4, &(length as u32).to_le_bytes());
        };
        let Type::Id(id) = ty else {
            match ty {
                Type::String => list(self, &Type::Char, bytes),
                _ => self.write(place, &wide(bytes).to_le_bytes()[..size as usize]),
            }
            return;
        };
        let kind = &imports.resolve.types[*id].kind;
        if let Some(cases) = cases(kind) {
            let case = case(cases.len(), bytes);
            // No type here has more than 256 cases.
            self.write(place, &[case as u8]);
            if let Some(Some(ty)) = cases.get(case as usize) {
                self.store(ty, place + payload(&imports.sizes, kind, &cases), bytes);
            }
            return;
        }
        match kind {
            TypeDefKind::Type(ty) => self.store(ty, place, bytes),
            TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => {
                match self.handle(*id, bytes) {
                    Argument::Slot(slot) => {
                        self.code.push(1);
                        self.code.extend((place as u16).to_le_bytes());
                        self.code.push(slot);
                    }
                    Argument::Number(number) => self.write(place, &number.to_le_bytes()[..4]),
                    Argument::Place(_) => {}
                }
            }
            TypeDefKind::Record(_) | TypeDefKind::Tuple(_) => {
                for (offset, ty) in imports.sizes.field_offsets(&fields(kind)) {
                    self.store(ty, place + bytes32(offset), bytes);
                }
            }
            TypeDefKind::List(item) => list(self, item, bytes),
            _ => self.write(place, &wide(bytes).to_le_bytes()[..(size as usize).min(8)]),
        }
    }
}

/// The handles in a value, and a list, with their offsets.
#[derive(Default)]
struct Found {
    handles: Vec<(TypeId, u32)>,
    list: Option<(Type, u32)>,
}

impl Found {
    /// As [`Found::look`], and also at the items of a list.
    fn look_into(&mut self, imports: &Imports, ty: &Type) {
        self.look(imports, ty, 0);
        if let Some((item, _)) = self.list.take() {
            self.look_into(imports, &item);
        }
    }

    fn look(&mut self, imports: &Imports, ty: &Type, offset: u32) {
        let Type::Id(id) = ty else { return };
        let kind = &imports.resolve.types[*id].kind;
        match kind {
            TypeDefKind::Type(ty) => self.look(imports, ty, offset),
            TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => {
                self.handles.push((imports.root(*id), offset));
            }
            TypeDefKind::Record(_) | TypeDefKind::Tuple(_) => {
                for (inside, ty) in imports.sizes.field_offsets(&fields(kind)) {
                    self.look(imports, ty, offset + bytes32(inside));
                }
            }
            TypeDefKind::List(item) => self.list = Some((*item, offset)),
            _ => {
                let cases = cases(kind).unwrap_or_default();
                let payload = payload(&imports.sizes, kind, &cases);
                // The last is the error: what succeeds is at hand first.
                for ty in cases.iter().rev().flatten() {
                    self.look(imports, ty, offset + payload);
                }
            }
        }
    }
}

fn bytes32(size: wit_parser::ArchitectureSize) -> u32 {
    size.size_wasm32() as u32
}

fn wide(bytes: &mut Bytes<'_>) -> u64 {
    let low = bytes.number();
    if low == u32::MAX { u64::MAX } else { low.into() }
}

/// A case that there is, mostly.
fn case(count: usize, bytes: &mut Bytes<'_>) -> u64 {
    match bytes.byte() {
        byte @ 0..=0xf7 => u64::from(byte) % count.max(1) as u64,
        _ => bytes.number().into(),
    }
}

/// The types of a record or tuple.
fn fields(kind: &TypeDefKind) -> Vec<Type> {
    match kind {
        TypeDefKind::Record(record) => record.fields.iter().map(|field| field.ty).collect(),
        TypeDefKind::Tuple(tuple) => tuple.types.clone(),
        _ => Vec::new(),
    }
}

/// What the cases of a type hold, if it has cases.
fn cases(kind: &TypeDefKind) -> Option<Vec<Option<Type>>> {
    Some(match kind {
        TypeDefKind::Variant(variant) => variant.cases.iter().map(|case| case.ty).collect(),
        TypeDefKind::Enum(cases) => vec![None; cases.cases.len()],
        TypeDefKind::Option(ty) => vec![None, Some(*ty)],
        TypeDefKind::Result(result) => vec![result.ok, result.err],
        _ => return None,
    })
}

fn payload(sizes: &SizeAlign, kind: &TypeDefKind, cases: &[Option<Type>]) -> u32 {
    let tag = match kind {
        TypeDefKind::Variant(variant) => variant.tag(),
        _ => wit_parser::Int::U8,
    };
    bytes32(sizes.payload_offset(tag, cases.iter().map(Option::as_ref)))
}

/// How many arguments a value is passed as.
fn width(imports: &Imports, ty: &Type) -> usize {
    let mut types = [wit_parser::abi::WasmType::I32; 32];
    let mut flat = wit_parser::abi::FlatTypes::new(&mut types);
    imports.resolve.push_flat(ty, &mut flat);
    flat.to_vec().len()
}
