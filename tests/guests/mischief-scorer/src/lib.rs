//! Returns to the host whatever a bad scorer could.
//!
//! Told the truth, it says of each row whether the feature `length` is over 10: the
//! classes are `short` and `long`. The configuration `{"lie": "..."}` chooses the
//! [`Lie`] that is told about every table.

mod bindings {
    #![allow(missing_docs, reason = "generated; wit/ documents what it means")]
    #![allow(
        dead_code,
        clippy::undocumented_unsafe_blocks,
        unused_qualifications,
        reason = "generated"
    )]
    wit_bindgen::generate!({
        path: "../../../wit",
        world: "sandbar:operator/scorer",
        generate_all,
    });

    #[cfg(target_arch = "wasm32")]
    export!(Component with_types_in self);

    #[cfg(target_arch = "wasm32")]
    use super::Component;
}

use std::cell::Cell;

use bindings::exports::sandbar::operator::scoring::{Guest, Output, Scored};
use bindings::sandbar::operator::types::{Column, Field, Setup, Table};
use serde::Deserialize;

/// A lie, named in kebab-case in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lie {
    /// The first label is 7, of two classes.
    LabelOutOfRange,
    /// One probability fewer than there should be.
    TooFewValues,
    /// One label more than rows.
    TooManyLabels,
    /// All probabilities are NaN. Allowed.
    Nan,
    /// Both classes have the same name.
    DuplicateClasses,
    /// There are no classes.
    NoClasses,
    /// `score` traps.
    Trap,
    /// `configure` does not end.
    ConfigureLoop,
}

thread_local! {
    /// The lie, and where the feature `length` stands.
    static STATE: Cell<(Option<Lie>, usize)> = const { Cell::new((None, 0)) };
}

/// The component.
pub struct Component;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    lie: Option<Lie>,
}

impl Guest for Component {
    fn configure(setup: Setup, features: Vec<Field>) -> Result<Output, String> {
        let config: Config = serde_json::from_str(&setup.config).map_err(|it| it.to_string())?;
        if let Some(Lie::ConfigureLoop) = config.lie {
            loop {
                std::hint::spin_loop();
            }
        }
        let length = features
            .iter()
            .position(|field| field.name == "length")
            .ok_or("this scorer needs the feature 'length'")?;
        STATE.set((config.lie, length));
        let classes: &[&str] = match config.lie {
            Some(Lie::DuplicateClasses) => &["short", "short"],
            Some(Lie::NoClasses) => &[],
            _ => &["short", "long"],
        };
        Ok(Output::Classes(classes.iter().map(|class| class.to_string()).collect()))
    }

    fn score(table: Table) -> Scored {
        let (lie, length) = STATE.get();
        let Some(Column::Numbers(lengths)) = table.columns.get(length) else {
            panic!("'length' is not a column of numbers");
        };
        let labels = lengths.iter().map(|length| u32::from(*length > 10.0)).collect();
        let values = lengths.iter().flat_map(|length| {
            let long = if *length > 10.0 { 0.75 } else { 0.25 };
            [1.0 - long, long]
        });
        let mut scored = Scored { labels, values: values.collect(), failures: Vec::new() };
        match lie {
            Some(Lie::LabelOutOfRange) => scored.labels[0] = 7,
            Some(Lie::TooFewValues) => drop(scored.values.pop()),
            Some(Lie::TooManyLabels) => scored.labels.push(0),
            Some(Lie::Nan) => scored.values.fill(f64::NAN),
            Some(Lie::Trap) => panic!("the configuration asked for a trap"),
            Some(Lie::DuplicateClasses | Lie::NoClasses | Lie::ConfigureLoop) | None => {}
        }
        scored
    }
}
