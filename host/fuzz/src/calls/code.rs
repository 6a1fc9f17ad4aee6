//! The code of the [machine](super::machine): its own functions, and one for each import.

use wasm_encoder::{BlockType, Function, InstructionSink, MemArg, ValType};
use wit_parser::abi::WasmType;

use super::imports::Call;

/// 256 words that functions returned.
const RING: u32 = 0x400;
/// The arguments of a call.
const ARGUMENTS: u32 = 0x800;
/// Where a function writes its result.
const RESULT: u32 = 0x900;
/// Bytes of it that are kept.
const KEPT: u32 = 64;
/// How many arguments each function has, a byte each.
pub const COUNTS: u32 = 0xc00;
/// What `transform` returns.
const ANSWER: u32 = 0x1800;
/// What programs write to.
pub const SCRATCH: u32 = 0x1_0000;
/// What the host is given to write to, and a page that the scratch memory may reach into.
pub const HEAP: u32 = 0x3_0000;
/// The columns of an answer, with the bytes that each takes for a record.
const COLUMNS: [u32; 6] = [4, 4, 8, KEPT, 12, 1];

/// Functions of the machine, behind its imports.
#[allow(missing_docs, reason = "the functions below")]
pub struct Functions {
    pub realloc: u32,
    pub byte: u32,
    pub word: u32,
    pub argument: u32,
    pub run: u32,
    pub configure: u32,
    pub transform: u32,
    pub done: u32,
    /// The first of those that call an import each.
    pub call: u32,
}

/// The globals.
pub const HEAP_END: u32 = 0;
const AT: u32 = 1;
const END: u32 = 2;
const NEXT: u32 = 3;

/// The type in core WebAssembly.
pub fn core(ty: WasmType) -> ValType {
    match ty {
        WasmType::I32 | WasmType::Pointer | WasmType::Length => ValType::I32,
        WasmType::I64 | WasmType::PointerOrI64 => ValType::I64,
        WasmType::F32 => ValType::F32,
        WasmType::F64 => ValType::F64,
    }
}

/// The arguments that a program gives: not the place of the result.
pub fn arguments(call: &Call) -> usize {
    call.signature.params.len() - usize::from(call.signature.retptr)
}

fn at(offset: u32) -> MemArg {
    MemArg { offset: offset.into(), align: 0, memory_index: 0 }
}

fn function(locals: &[(u32, ValType)], write: impl FnOnce(&mut InstructionSink<'_>)) -> Function {
    let mut function = Function::new(locals.iter().copied());
    write(&mut function.instructions());
    function.instructions().end();
    function
}

/// `(old, old size, alignment, size) -> place`: what is allocated is never freed one by one.
pub fn realloc() -> Function {
    let place = 4;
    function(&[(1, ValType::I32)], |it| {
        it.global_get(HEAP_END).local_get(2).i32_add().i32_const(1).i32_sub();
        it.i32_const(0).local_get(2).i32_sub().i32_and().local_tee(place);
        it.local_get(3).i32_add().global_set(HEAP_END);
        it.block(BlockType::Empty).loop_(BlockType::Empty);
        it.global_get(HEAP_END).memory_size(0).i32_const(16).i32_shl().i32_le_u().br_if(1);
        it.i32_const(1).memory_grow(0).i32_const(-1).i32_eq();
        it.if_(BlockType::Empty).unreachable().end();
        it.br(0).end().end();
        it.local_get(place).local_get(0).local_get(1).memory_copy(0, 0);
        it.local_get(place);
    })
}

/// `() -> byte`: the next of the program.
pub fn byte() -> Function {
    function(&[], |it| {
        it.global_get(AT).global_get(END).i32_ge_u();
        it.if_(BlockType::Result(ValType::I32)).i32_const(0).else_();
        it.global_get(AT).i32_load8_u(at(0));
        it.global_get(AT).i32_const(1).i32_add().global_set(AT);
        it.end();
    })
}

/// `(bytes) -> number`.
pub fn word(own: &Functions) -> Function {
    let (shift, number) = (1, 2);
    function(&[(1, ValType::I32), (1, ValType::I64)], |it| {
        it.loop_(BlockType::Empty);
        it.local_get(number).call(own.byte).i64_extend_i32_u();
        it.local_get(shift).i64_extend_i32_u().i64_shl().i64_or().local_set(number);
        it.local_get(shift).i32_const(8).i32_add().local_set(shift);
        it.local_get(0).i32_const(1).i32_sub().local_tee(0).br_if(0).end();
        it.local_get(number);
    })
}

/// A number of so many bytes, as i32.
fn short(it: &mut InstructionSink<'_>, own: &Functions, bytes: i32) {
    it.i32_const(bytes).call(own.word).i32_wrap_i64();
}

/// The place of a word of the ring that the program names.
fn slot(it: &mut InstructionSink<'_>, own: &Functions) {
    it.call(own.byte).i32_const(2).i32_shl();
}

/// `() -> argument`.
pub fn argument(own: &Functions) -> Function {
    let kind = 0;
    function(&[(1, ValType::I32)], |it| {
        it.call(own.byte).i32_const(5).i32_rem_u().local_set(kind);
        let case = |it: &mut InstructionSink<'_>, number| {
            it.local_get(kind).i32_const(number).i32_eq().if_(BlockType::Empty);
        };
        case(it, 0);
        it.i32_const(8).call(own.word).return_().end();
        case(it, 1);
        short(it, own, 4);
        it.i64_extend_i32_s().return_().end();
        case(it, 2);
        it.call(own.byte).i64_extend_i32_u().return_().end();
        case(it, 3);
        slot(it, own);
        it.i32_load(at(RING)).i64_extend_i32_u().return_().end();
        short(it, own, 2);
        it.i32_const(SCRATCH as i32).i32_add().i64_extend_i32_u();
    })
}

/// Pushes 4 words from the place on the stack to the ring.
fn push(it: &mut InstructionSink<'_>, local: u32) {
    it.local_set(local);
    it.global_get(NEXT).i32_const(2).i32_shl().i32_const(RING as i32).i32_add();
    it.local_get(local).i32_const(16).memory_copy(0, 0);
    it.global_get(NEXT).i32_const(4).i32_add().i32_const(255).i32_and().global_set(NEXT);
}

/// `()`: the program from `AT` to `END`.
pub fn run(own: &Functions, count: u32) -> Function {
    let (op, number, length, times, place) = (0, 1, 2, 3, 4);
    function(&[(5, ValType::I32)], |it| {
        let case = |it: &mut InstructionSink<'_>, which| {
            it.local_get(op).i32_const(which).i32_eq().if_(BlockType::Empty);
        };
        it.i32_const(RESULT as i32).i32_const(0).i32_const(KEPT as i32).memory_fill(0);
        it.i32_const(0).global_set(NEXT);
        it.block(BlockType::Empty).loop_(BlockType::Empty);
        it.global_get(AT).global_get(END).i32_ge_u().br_if(1);
        it.call(own.byte).i32_const(6).i32_rem_u().local_set(op);

        case(it, 0);
        short(it, own, 2);
        it.local_set(place).call(own.byte).local_set(length);
        // No more than there is.
        it.global_get(END).global_get(AT).i32_sub().local_tee(number);
        it.local_get(length).local_get(number).local_get(length).i32_lt_u().select();
        it.local_set(length);
        it.local_get(place).i32_const(SCRATCH as i32).i32_add();
        it.global_get(AT).local_get(length).memory_copy(0, 0);
        it.global_get(AT).local_get(length).i32_add().global_set(AT).end();

        case(it, 1);
        short(it, own, 2);
        it.local_set(place);
        slot(it, own);
        it.local_set(number).local_get(place).local_get(number).i32_load(at(RING));
        it.i32_store(at(SCRATCH)).end();

        case(it, 2);
        short(it, own, 2);
        it.i32_const(count as i32).i32_rem_u().local_tee(number);
        it.i32_load8_u(at(COUNTS)).local_set(length);
        it.i32_const(0).local_set(place);
        it.block(BlockType::Empty).loop_(BlockType::Empty);
        it.local_get(place).local_get(length).i32_ge_u().br_if(1);
        it.local_get(place).i32_const(3).i32_shl().call(own.argument).i64_store(at(ARGUMENTS));
        it.local_get(place).i32_const(1).i32_add().local_set(place).br(0).end().end();
        it.loop_(BlockType::Empty);
        it.local_get(number).call_indirect(0, own.run);
        it.i32_const(RESULT as i32);
        push(it, place);
        it.local_get(times).if_(BlockType::Empty);
        it.local_get(times).i32_const(1).i32_sub().local_set(times).br(1).end();
        it.end().end();

        case(it, 3);
        short(it, own, 2);
        it.local_set(times).end();

        case(it, 4);
        slot(it, own);
        it.i32_load(at(RING)).call(own.byte).i32_add();
        push(it, place);
        it.end();

        case(it, 5);
        it.i32_const(RESULT as i32);
        slot(it, own);
        it.i32_load(at(RING)).i32_const(KEPT as i32).memory_copy(0, 0).end();
        it.br(0).end().end();
    })
}

/// Calls an import with the arguments, and keeps what it returns.
pub fn caller(number: usize, call: &Call) -> Function {
    function(&[], |it| {
        let kept = call.signature.results.first().map(|ty| core(*ty));
        if kept.is_some() {
            it.i32_const(0);
        }
        let count = arguments(call);
        for (index, ty) in call.signature.params[..count].iter().enumerate() {
            it.i32_const(0).i64_load(at(ARGUMENTS + 8 * index as u32));
            match core(*ty) {
                ValType::I32 => it.i32_wrap_i64(),
                ValType::F32 => it.i32_wrap_i64().f32_reinterpret_i32(),
                ValType::F64 => it.f64_reinterpret_i64(),
                _ => it,
            };
        }
        if call.signature.retptr {
            it.i32_const(RESULT as i32);
        }
        it.call(number as u32);
        match kept {
            None => it,
            Some(ValType::I32) => it.i32_store(at(RESULT)),
            Some(ValType::F32) => it.f32_store(at(RESULT)),
            Some(ValType::F64) => it.f64_store(at(RESULT)),
            Some(_) => it.i64_store(at(RESULT)),
        };
    })
}

/// Accepts any configuration.
pub fn configure() -> Function {
    function(&[], |it| {
        it.i32_const(ANSWER as i32);
    })
}

/// Takes the columns of a batch, as the canonical ABI passes them.
pub fn transform(own: &Functions) -> Function {
    // topic 0, 1; partition 2; offsets 3, 4; timestamps 5, 6; bytes 7, 8; ends 9, 10; nulls 11, 12
    let (offsets, bytes, ends) = (4, 7, 9);
    let (record, place, column) = (13, 14, 15);
    function(&[(2, ValType::I32), (COLUMNS.len() as u32, ValType::I32)], |it| {
        for (index, size) in COLUMNS.into_iter().enumerate() {
            it.i32_const(0).i32_const(0).i32_const(8).local_get(offsets);
            it.i32_const(size as i32).i32_mul().call(own.realloc).local_set(column + index as u32);
        }
        it.block(BlockType::Empty).loop_(BlockType::Empty);
        it.local_get(record).local_get(offsets).i32_ge_u().br_if(1);
        // The value is between the ends of the key and of itself.
        it.local_get(record).i32_const(12).i32_mul().local_get(ends).i32_add().local_tee(place);
        it.i32_load(at(0)).local_get(bytes).i32_add().global_set(AT);
        it.local_get(place).i32_load(at(4)).local_get(bytes).i32_add().global_set(END);
        it.call(own.run);
        let entry = |it: &mut InstructionSink<'_>, index: u32| {
            it.local_get(column + index).local_get(record);
            it.i32_const(COLUMNS[index as usize] as i32).i32_mul().i32_add();
        };
        entry(it, 0);
        it.local_get(record).i32_store(at(0));
        entry(it, 1);
        it.i32_const(0).i32_store(at(0));
        entry(it, 2);
        it.i64_const(-1).i64_store(at(0));
        entry(it, 3);
        it.i32_const(RESULT as i32).i32_const(KEPT as i32).memory_copy(0, 0);
        let kept = |it: &mut InstructionSink<'_>, more| {
            it.local_get(record).i32_const(more).i32_add().i32_const(KEPT as i32).i32_mul();
        };
        for (end, more) in [(0, 0), (4, 1), (8, 1)] {
            entry(it, 4);
            kept(it, more);
            it.i32_store(at(end));
        }
        entry(it, 5);
        it.i32_const(1).i32_store8(at(0));
        it.local_get(record).i32_const(1).i32_add().local_set(record).br(0).end().end();
        for (index, each) in [1, 1, 1, KEPT, 3, 1].into_iter().enumerate() {
            let index = index as u32;
            it.i32_const(0).local_get(column + index).i32_store(at(ANSWER + 8 * index));
            it.i32_const(0).local_get(offsets).i32_const(each as i32).i32_mul();
            it.i32_store(at(ANSWER + 8 * index + 4));
        }
        it.i32_const(ANSWER as i32);
    })
}

/// Frees all that was allocated for a call.
pub fn done(heap: u32) -> Function {
    function(&[], |it| {
        it.i32_const(heap as i32).global_set(HEAP_END);
    })
}
