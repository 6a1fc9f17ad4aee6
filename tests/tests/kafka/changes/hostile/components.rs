//! Components that take too much to compile, or too much once they are instances.

use wasm_encoder::{
    BlockType, CodeSection, Component, ComponentExportKind, ComponentInstanceSection,
    ComponentTypeSection, ComponentValType, ConstExpr, Function, FunctionSection, GlobalSection,
    GlobalType, InstanceSection, MemorySection, MemoryType, Module, ModuleArg, ModuleSection,
    NestedComponentSection, PrimitiveValType, RefType, Section, TableSection, TableType,
    TypeSection, ValType,
};

use super::Live;

#[test]
fn components_that_harm_are_refused() {
    let live = Live::start();
    // The host keeps a global, a table, a memory for each instance.
    let too_many = "more than 100 instances";
    live.refuses_component("globals", &instances(&globals(50_000), 8_000), too_many);
    live.refuses_component("tables", &instances(&tables(50), 100), too_many);
    live.refuses_component("memories", &instances(&memories(90), 2), too_many);
    // A few bytes for each level, and twice the work.
    live.refuses_component("nested", &nested(40), too_many);
    live.refuses_component("types", &doubled_types(40), "type size exceeds the limit");
    // A function of which the compiler does not see the end.
    let slow =
        "stage 'score' cannot be prepared within 5s: make it smaller, or raise load-deadline";
    live.refuses_component("jumps", &component(&jumps(1500)), slow);
    live.refuses_component("cut-off", &component(&jumps(10))[..200], "is out of bounds");
    live.end();
}

fn component(module: &Module) -> Vec<u8> {
    instances(module, 0)
}

/// A component with so many instances of a module.
fn instances(module: &Module, count: usize) -> Vec<u8> {
    let mut section = InstanceSection::new();
    for _ in 0..count {
        section.instantiate(0, std::iter::empty::<(&str, ModuleArg)>());
    }
    let mut component = Component::new();
    component.section(&ModuleSection(module)).section(&section);
    component.finish()
}

fn globals(count: usize) -> Module {
    let mut section = GlobalSection::new();
    let ty = GlobalType { val_type: ValType::I32, mutable: false, shared: false };
    for _ in 0..count {
        section.global(ty, &ConstExpr::i32_const(0));
    }
    module(&section)
}

fn table(elements: u64) -> TableType {
    TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: elements,
        maximum: None,
        shared: false,
    }
}

fn tables(count: usize) -> Module {
    let mut section = TableSection::new();
    for _ in 0..count {
        section.table(table(1));
    }
    module(&section)
}

fn memories(count: usize) -> Module {
    let mut section = MemorySection::new();
    let minimum = 1;
    for _ in 0..count {
        section.memory(MemoryType {
            minimum,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
    }
    module(&section)
}

fn module(section: &impl Section) -> Module {
    let mut module = Module::new();
    module.section(section);
    module
}

/// A component that has twice the one below it, which has twice the one below that, and so on.
fn nested(levels: usize) -> Vec<u8> {
    let mut below = Component::new();
    let mut one = InstanceSection::new();
    one.instantiate(0, std::iter::empty::<(&str, ModuleArg)>());
    below.section(&ModuleSection(&memories(1))).section(&one);
    for _ in 0..levels {
        let mut two = ComponentInstanceSection::new();
        for _ in 0..2 {
            two.instantiate(0, std::iter::empty::<(&str, ComponentExportKind, u32)>());
        }
        let mut level = Component::new();
        level.section(&NestedComponentSection(&below)).section(&two);
        below = level;
    }
    below.finish()
}

/// A pair of a pair of a pair, and so on: its values have twice the parts with each level.
fn doubled_types(levels: u32) -> Vec<u8> {
    let mut types = ComponentTypeSection::new();
    types.defined_type().primitive(PrimitiveValType::U8);
    for level in 0..levels {
        types.defined_type().tuple([ComponentValType::Type(level); 2]);
    }
    let mut component = Component::new();
    component.section(&types);
    component.finish()
}

/// A function of blocks in blocks, from each of which it may jump out of any other.
fn jumps(blocks: u32) -> Module {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32], [ValType::I32]);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut function = Function::new([(blocks, ValType::I32)]);
    {
        let mut body = function.instructions();
        for _ in 0..blocks {
            body.block(BlockType::Empty);
        }
        for block in 0..blocks {
            body.local_get(0).local_get(block + 1).i32_add().local_set((block + 7) % blocks);
            body.local_get(block).br_table(0..blocks - block, 0).end();
        }
        body.local_get(0).end();
    }
    let mut code = CodeSection::new();
    code.function(&function);
    let mut module = module(&types);
    module.section(&functions).section(&code);
    module
}
