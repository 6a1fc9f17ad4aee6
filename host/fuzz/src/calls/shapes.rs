//! What the types of WIT look like: what handles are in them, their cases, how large they are.

use wit_parser::abi::{FlatTypes, WasmType};
use wit_parser::{ArchitectureSize, Handle, Int, SizeAlign, Type, TypeDefKind, TypeId};

use super::imports::Imports;

/// The handles in a value, and a list, with their offsets.
#[derive(Default)]
pub struct Found {
    /// The resources, and where.
    pub handles: Vec<(TypeId, u32)>,
    /// The last list: of what, and where.
    pub list: Option<(Type, u32)>,
}

impl Found {
    /// As [`Found::look`], and also at the items of a list.
    pub fn look_into(&mut self, imports: &Imports, ty: &Type) {
        self.look(imports, ty, 0);
        if let Some((item, _)) = self.list.take() {
            self.look_into(imports, &item);
        }
    }

    /// Looks at a value of a type that is at an offset.
    pub fn look(&mut self, imports: &Imports, ty: &Type, offset: u32) {
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

/// Bytes, in a memory of 32 bits.
pub fn bytes32(size: ArchitectureSize) -> u32 {
    size.size_wasm32() as u32
}

/// The types of a record or tuple.
pub fn fields(kind: &TypeDefKind) -> Vec<Type> {
    match kind {
        TypeDefKind::Record(record) => record.fields.iter().map(|field| field.ty).collect(),
        TypeDefKind::Tuple(tuple) => tuple.types.clone(),
        _ => Vec::new(),
    }
}

/// What the cases of a type hold, if it has cases.
pub fn cases(kind: &TypeDefKind) -> Option<Vec<Option<Type>>> {
    Some(match kind {
        TypeDefKind::Variant(variant) => variant.cases.iter().map(|case| case.ty).collect(),
        TypeDefKind::Enum(cases) => vec![None; cases.cases.len()],
        TypeDefKind::Option(ty) => vec![None, Some(*ty)],
        TypeDefKind::Result(result) => vec![result.ok, result.err],
        _ => return None,
    })
}

/// Where what a case holds is.
pub fn payload(sizes: &SizeAlign, kind: &TypeDefKind, cases: &[Option<Type>]) -> u32 {
    let tag = match kind {
        TypeDefKind::Variant(variant) => variant.tag(),
        _ => Int::U8,
    };
    bytes32(sizes.payload_offset(tag, cases.iter().map(Option::as_ref)))
}

/// How many arguments a value is passed as.
pub fn width(imports: &Imports, ty: &Type) -> usize {
    let mut types = [WasmType::I32; 32];
    let mut flat = FlatTypes::new(&mut types);
    imports.resolve.push_flat(ty, &mut flat);
    flat.to_vec().len()
}
