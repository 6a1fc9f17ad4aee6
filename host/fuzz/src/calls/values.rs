//! Values of the types of WIT, as bytes of an input say them.

use wit_parser::{Handle, Type, TypeDefKind, TypeId};

use super::code::{HEAP, SCRATCH};
use super::imports::Imports;
use super::shapes::{bytes32, cases, fields, payload, width};
use crate::bytes::Bytes;

/// Names that mean something to the host.
const WORDS: [&str; 8] =
    ["digits", "airports", "image", "0", "probabilities", "", "../digits", "1"];
/// Bytes of the scratch memory.
const ROOM: u32 = 1 << 16;

/// Dimensions of the model's input, for one row.
pub const DIMENSIONS: [u32; 4] = [1, 1, 8, 8];
/// Bytes of such a tensor.
pub const TENSOR: u32 = 256;

/// An argument of a call.
#[derive(Debug, Clone, Copy)]
pub enum Argument {
    /// A number.
    Number(u64),
    /// A word of the ring.
    Slot(u8),
    /// A place in the scratch memory.
    Place(u16),
}

/// What the values of a program are made of, and its code, which writes them.
pub struct Values<'a> {
    /// What it may call.
    pub imports: &'a Imports,
    /// The code of the program.
    pub code: Vec<u8>,
    /// The handles in the ring.
    pub handles: Vec<(TypeId, u8)>,
    /// The size of the graph that the machine brings along.
    file: u32,
    /// Where the scratch memory is free.
    free: u32,
}

impl<'a> Values<'a> {
    /// None yet.
    pub fn new(imports: &'a Imports, file: u32) -> Self {
        Values { imports, code: Vec::new(), handles: Vec::new(), file, free: 0 }
    }

    /// A handle: mostly of a resource of this type, and mostly the newest.
    pub fn handle(&mut self, resource: TypeId, bytes: &mut Bytes<'_>) -> Argument {
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
    pub fn room(&mut self, size: u32) -> u32 {
        let place = self.free.next_multiple_of(8);
        let place = if place + size > ROOM { 0 } else { place };
        self.free = place + size;
        place
    }

    pub fn write(&mut self, place: u32, data: &[u8]) {
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
            Type::U8 if choice >= 0xe0 => (HEAP.into(), self.file.into()),
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
    pub fn flat(&mut self, ty: &Type, bytes: &mut Bytes<'_>, given: &mut Vec<Argument>) {
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
    pub fn store(&mut self, ty: &Type, place: u32, bytes: &mut Bytes<'_>) {
        let imports = self.imports;
        let size = bytes32(imports.sizes.size(ty));
        let list = |values: &mut Self, item: &Type, bytes: &mut Bytes<'_>| {
            let (at, length) = values.list(item, bytes);
            values.write(place, &(at as u32).to_le_bytes());
            values.write(place + 4, &(length as u32).to_le_bytes());
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
