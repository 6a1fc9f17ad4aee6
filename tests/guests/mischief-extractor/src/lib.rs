//! Does to the host whatever a bad extractor could.
//!
//! Features: `length`, the bytes of the value, and `text`, the value itself. What
//! stands in the value chooses the mischief ([`mischief::commit`]); the configuration
//! `{"lie": "..."}` chooses the lie that is told about every batch that contains the
//! value `lie` ([`lies::Lie`]).

pub mod lies;
pub mod mischief;

mod bindings {
    #![allow(missing_docs, reason = "generated; wit/ documents what it means")]
    #![allow(clippy::undocumented_unsafe_blocks, unused_qualifications, reason = "generated")]
    wit_bindgen::generate!({
        path: "../../../wit",
        world: "sandbar:operator/extractor",
        generate_all,
    });

    #[cfg(target_arch = "wasm32")]
    export!(Component with_types_in self);

    #[cfg(target_arch = "wasm32")]
    use super::Component;
}

use std::cell::Cell;

use bindings::exports::sandbar::operator::extraction::{Extracted, Guest};
use bindings::sandbar::operator::types::{
    Batch, Column, Failure, FailureCode, Field, FieldType, Setup, Table, Text,
};
use lies::Lie;

thread_local! {
    static LIE: Cell<Option<Lie>> = const { Cell::new(None) };
}

/// The component.
pub struct Component;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    lie: Option<Lie>,
}

impl Guest for Component {
    fn configure(setup: Setup) -> Result<Vec<Field>, String> {
        let config: Config = serde_json::from_str(&setup.config).map_err(|it| it.to_string())?;
        match config.lie {
            Some(Lie::ConfigureError) => return Err("this operator refuses everything".into()),
            Some(Lie::ConfigureTrap) => mischief::trap(),
            Some(Lie::ConfigureLoop) => mischief::spin(),
            lie => LIE.set(lie),
        }
        let field = |name: &str, ty| Field { name: name.into(), ty };
        Ok(vec![field("length", FieldType::Number), field("text", FieldType::Text)])
    }

    fn extract(batch: Batch) -> Extracted {
        let mut numbers = Vec::new();
        let mut text = Text { bytes: Vec::new(), ends: Vec::new() };
        let mut failures = Vec::new();
        let mut lying = false;
        for (index, value) in values(&batch).enumerate() {
            lying |= value == b"lie";
            match mischief::commit(value) {
                Ok(answer) => {
                    numbers.push(value.len() as f64);
                    text.bytes.extend_from_slice(answer.as_deref().unwrap_or(value));
                    text.ends.push(text.bytes.len() as u32);
                }
                Err((code, message)) => {
                    failures.push(Failure { code, ..failure(index, message) });
                }
            }
        }
        let columns = vec![Column::Numbers(numbers), Column::Text(text)];
        let rows = (batch.offsets.len() - failures.len()) as u32;
        let mut extracted = Extracted { table: Table { rows, columns }, failures };
        if let Some(lie) = LIE.get().filter(|_| lying) {
            lie.tell(batch.offsets.len(), &mut extracted);
        }
        extracted
    }
}

fn failure(index: usize, message: String) -> Failure {
    Failure { index: index as u32, code: FailureCode::Malformed, message }
}

/// The records' values; a null one is empty.
fn values(batch: &Batch) -> impl Iterator<Item = &[u8]> {
    batch.ends.chunks_exact(3).map(|ends| &batch.bytes[ends[0] as usize..ends[1] as usize])
}
