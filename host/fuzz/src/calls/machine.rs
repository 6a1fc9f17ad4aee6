//! The guest: a transformer that interprets the value of a record as calls of its imports.
//!
//! It is made here rather than compiled from Rust, since bindings of a language would keep it
//! from most of what is wrong: handles of another type, pointers to nowhere, cases that a variant
//! does not have. A program is a sequence of these, each with its operands; numbers are
//! little-endian, and beyond the end of a program there are zeros:
//!
//! | byte, mod 6 | operands | does |
//! |---|---|---|
//! | 0 | at: u16, length: u8, bytes | writes bytes into the scratch memory |
//! | 1 | at: u16, slot: u8 | writes a word of the ring there |
//! | 2 | function: u16, arguments | calls a function; its result is pushed to the ring, 4 words |
//! | 3 | times: u16 | the next call is made so many times more |
//! | 4 | slot: u8, offset: u8 | pushes 4 words from where a word of the ring points, and beyond |
//! | 5 | slot: u8 | makes what a word of the ring points at the result |
//!
//! An argument is one of, by its first byte mod 5: 8 bytes, 4 bytes, a byte, a word of the ring
//! (u8), the address of a place in the scratch memory (u16). A record gives a record with the
//! result of its last call.

use anyhow::Result;
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, Elements, EntityType, ExportKind,
    ExportSection, FunctionSection, GlobalSection, GlobalType, ImportSection, MemorySection,
    MemoryType, Module, RefType, TableSection, TableType, TypeSection, ValType,
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::abi::WasmType;

use super::code::{self, COUNTS, Functions, HEAP, arguments, core};
use super::imports::{Call, Imports};

/// The component; `file` is a graph that it can bring along.
///
/// # Errors
/// If the encoder finds something wrong with it.
pub fn component(imports: &Imports, file: &[u8]) -> Result<Vec<u8>> {
    let mut module = module(&imports.calls, file);
    embed_component_metadata(&mut module, &imports.resolve, imports.world, StringEncoding::UTF8)?;
    ComponentEncoder::default().module(&module)?.validate(true).encode()
}

fn module(calls: &[Call], file: &[u8]) -> Vec<u8> {
    use ValType::{I32, I64};
    let mut types = TypeSection::new();
    let mut imports = ImportSection::new();
    for (number, call) in calls.iter().enumerate() {
        let of = |types: &[WasmType]| types.iter().map(|ty| core(*ty)).collect::<Vec<_>>();
        types.ty().function(of(&call.signature.params), of(&call.signature.results));
        imports.import(&call.import.0, &call.import.1, EntityType::Function(number as u32));
    }
    let count = calls.len() as u32;
    // Types of its own functions, in their order.
    for (parameters, results) in [
        (vec![I32; 4], vec![I32]),
        (vec![], vec![I32]),
        (vec![I32], vec![I64]),
        (vec![], vec![I64]),
        (vec![], vec![]),
        (vec![I32; 6], vec![I32]),
        (vec![I32; 13], vec![I32]),
        (vec![I32], vec![]),
    ] {
        types.ty().function(parameters, results);
    }
    let own = Functions {
        realloc: count,
        byte: count + 1,
        word: count + 2,
        argument: count + 3,
        run: count + 4,
        configure: count + 5,
        transform: count + 6,
        done: count + 7,
        call: count + 8,
    };
    let mut functions = FunctionSection::new();
    for ty in own.realloc..own.call {
        functions.function(ty);
    }
    for _ in calls {
        functions.function(own.run);
    }

    let mut tables = TableSection::new();
    let limits = TableType {
        element_type: RefType::FUNCREF,
        minimum: count.into(),
        maximum: None,
        table64: false,
        shared: false,
    };
    tables.table(limits);
    let mut elements = ElementSection::new();
    let callers: Vec<u32> = (own.call..own.call + count).collect();
    elements.active(None, &ConstExpr::i32_const(0), Elements::Functions(callers.into()));

    // The graph is in front of what is allocated.
    let heap = (HEAP + file.len() as u32).next_multiple_of(16);
    let mut memories = MemorySection::new();
    let minimum = u64::from(heap / 0x1_0000 + 1);
    memories.memory(MemoryType {
        minimum,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut globals = GlobalSection::new();
    for start in [heap, 0, 0, 0] {
        let ty = GlobalType { val_type: I32, mutable: true, shared: false };
        globals.global(ty, &ConstExpr::i32_const(start as i32));
    }
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    let interface = "sandbar:operator/transformation@0.1.0";
    for (name, function) in [
        ("cabi_realloc".to_owned(), own.realloc),
        (format!("{interface}#configure"), own.configure),
        (format!("{interface}#transform"), own.transform),
        (format!("cabi_post_{interface}#transform"), own.done),
    ] {
        exports.export(&name, ExportKind::Func, function);
    }

    let mut bodies = CodeSection::new();
    for function in [
        code::realloc(),
        code::byte(),
        code::word(&own),
        code::argument(&own),
        code::run(&own, count),
        code::configure(),
        code::transform(&own),
        code::done(heap),
    ] {
        bodies.function(&function);
    }
    for (number, call) in calls.iter().enumerate() {
        bodies.function(&code::caller(number, call));
    }

    let mut data = DataSection::new();
    let counts = calls.iter().map(|call| arguments(call) as u8);
    data.active(0, &ConstExpr::i32_const(COUNTS as i32), counts);
    data.active(0, &ConstExpr::i32_const(HEAP as i32), file.iter().copied());

    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&tables);
    module.section(&memories).section(&globals).section(&exports).section(&elements);
    module.section(&bodies).section(&data);
    module.finish()
}
