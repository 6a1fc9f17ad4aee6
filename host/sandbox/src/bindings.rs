//! Bindings that wasmtime generates from `wit/`.
//!
//! One artificial world exports all three interfaces, so that the types of the
//! contract exist once; an instance is then bound by the interface of its own
//! world (`GuestIndices`, `Guest`), never by this one. Parameters are borrowed,
//! so that a batch is copied once, into the guest.
#![allow(missing_docs, reason = "generated; wit/ documents what it means")]

wasmtime::component::bindgen!({
    inline: "
        package sandbar:host;
        world every-world {
            import sandbar:operator/artifacts@0.1.0;
            import sandbar:schemas/schemas@0.1.0;
            import wasi:nn/tensor@0.2.0-rc-2024-10-28;
            import wasi:nn/graph@0.2.0-rc-2024-10-28;
            import wasi:nn/inference@0.2.0-rc-2024-10-28;
            import wasi:nn/errors@0.2.0-rc-2024-10-28;
            export sandbar:operator/extraction@0.1.0;
            export sandbar:operator/scoring@0.1.0;
            export sandbar:operator/transformation@0.1.0;
        }
    ",
    path: "../../wit",
    world: "sandbar:host/every-world",
    ownership: Borrowing { duplicate_if_necessary: true },
    imports: { default: trappable },
    additional_derives: [PartialEq],
    with: {
        "wasi:nn/tensor.tensor": sandbar_inference::Tensor,
        "wasi:nn/graph.graph": crate::nn_resources::Handle,
        "wasi:nn/inference.graph-execution-context": crate::nn_resources::Context,
        "wasi:nn/errors.error": sandbar_inference::Error,
    },
});

pub use self::exports::sandbar::operator::{extraction, scoring, transformation};
pub use self::sandbar::operator::{artifacts, types};
pub use self::sandbar::schemas::schemas;
pub use self::wasi::nn;

use sandbar_model::ElementType;
use sandbar_record::Code;

impl From<types::FailureCode> for Code {
    fn from(code: types::FailureCode) -> Self {
        match code {
            types::FailureCode::Malformed => Code::Malformed,
            types::FailureCode::Missing => Code::Missing,
            types::FailureCode::Invalid => Code::Invalid,
            types::FailureCode::Unsupported => Code::Unsupported,
            types::FailureCode::TooLarge => Code::TooLarge,
            types::FailureCode::Unavailable => Code::Unavailable,
            types::FailureCode::Internal => Code::Internal,
        }
    }
}

impl From<types::ElementType> for ElementType {
    fn from(ty: types::ElementType) -> Self {
        match ty {
            types::ElementType::Fp16 => ElementType::Fp16,
            types::ElementType::Fp32 => ElementType::Fp32,
            types::ElementType::Fp64 => ElementType::Fp64,
            types::ElementType::Bf16 => ElementType::Bf16,
            types::ElementType::U8 => ElementType::U8,
            types::ElementType::I32 => ElementType::I32,
            types::ElementType::I64 => ElementType::I64,
        }
    }
}

impl From<ElementType> for types::ElementType {
    fn from(ty: ElementType) -> Self {
        match ty {
            ElementType::Fp16 => types::ElementType::Fp16,
            ElementType::Fp32 => types::ElementType::Fp32,
            ElementType::Fp64 => types::ElementType::Fp64,
            ElementType::Bf16 => types::ElementType::Bf16,
            ElementType::U8 => types::ElementType::U8,
            ElementType::I32 => types::ElementType::I32,
            ElementType::I64 => types::ElementType::I64,
        }
    }
}
