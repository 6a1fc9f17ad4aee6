//! The transformer that the component exports.

use record_columns::Condition;
use sandbar_operator::{Emitter, Error, Failure, Record, Setup, Transformer};

use crate::config::{Config, OnMissing};

/// Passes on the records for which an expression holds.
#[derive(Debug)]
pub struct RecordFilter {
    condition: Condition,
    on_missing: OnMissing,
}

impl Transformer for RecordFilter {
    type Config = Config;

    fn configure(config: Config, setup: &Setup) -> Result<RecordFilter, Error> {
        let (keep, on_missing) = (config.keep.clone(), config.on_missing);
        if keep.trim().is_empty() {
            return Err("`keep` is empty: write the condition of the records that go on, such as \
                        keep = \"amount > 0\""
                .into());
        }
        let condition = Condition::new("keep", &keep, &config.into(), setup.schemas())?;
        Ok(RecordFilter { condition, on_missing })
    }

    fn transform(&mut self, record: &Record<'_>, out: &mut Emitter<'_>) -> Result<(), Failure> {
        let is_kept = match (self.condition.holds(record.value(), record), self.on_missing) {
            (Ok(holds), _) => holds,
            (Err(fault), OnMissing::Keep) if fault.is_undecided() => true,
            (Err(fault), OnMissing::Drop) if fault.is_undecided() => false,
            (Err(fault), _) => return Err(fault.into()),
        };
        if is_kept {
            out.forward(record);
        }
        Ok(())
    }
}
