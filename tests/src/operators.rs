//! Operators called directly, without a pipeline.

use std::sync::Arc;
use std::time::Duration;

use sandbar::inference::NnLimits;
use sandbar::record::Batch;
use sandbar::sandbox::{Column, Component, Extracted, Extractor, Grants, Limits, Operator};
use sandbar::telemetry::CallTimes;

use crate::paths::component;
use crate::runner::sandbox;

/// Limits that mischief reaches soon.
pub fn limits() -> Limits {
    Limits {
        memory: 32 << 20,
        deadline: Duration::from_millis(300),
        configure_deadline: Duration::from_secs(2),
        log: 10_000,
        retire_after: None,
        nn: NnLimits { deadline: Duration::from_secs(1), load: 0, apart: false },
    }
}

/// The operator of a crate, with a configuration and nothing else.
pub fn operator(name: &str, config: &str) -> Operator {
    let grants = Grants { config: config.into(), ..Grants::default() };
    Operator {
        stage: "test".into(),
        component: Component::load(&sandbox(), &component(name)).unwrap(),
        grants: Arc::new(grants),
        limits: limits(),
        times: CallTimes::default(),
    }
}

/// The guest `mischief-extractor`.
pub fn mischief(config: &str) -> Extractor {
    Extractor::new(operator("mischief-extractor", config)).unwrap()
}

/// Records of partition 0 with these values, from offset 0.
pub fn batch(values: &[&str]) -> Batch {
    batch_at(0, None, values)
}

/// Records with these values from an offset, all of one time.
pub fn batch_at(offset: i64, timestamp: Option<i64>, values: &[&str]) -> Batch {
    let mut batch = Batch::new("t".into(), 0, values.len());
    for (offset, value) in (offset..).zip(values) {
        let headers = std::iter::empty::<(&str, _)>();
        batch.push(offset, timestamp, None, Some(value.as_bytes()), headers);
    }
    batch
}

/// The feature `text` of every row of a mischief-extractor.
pub fn texts(extracted: &Extracted) -> Vec<String> {
    let [Column::Numbers(_), Column::Text(text)] = extracted.table.columns.as_slice() else {
        panic!("{:?}", extracted.table)
    };
    let starts = std::iter::once(0).chain(text.ends.iter().copied());
    let text_at = |(start, end): (u32, &u32)| {
        String::from_utf8(text.bytes[start as usize..*end as usize].to_vec()).unwrap()
    };
    starts.zip(&text.ends).map(text_at).collect()
}
