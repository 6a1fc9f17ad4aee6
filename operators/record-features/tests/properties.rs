//! What holds for records of any content.

mod common;

use common::{read, stage};
use proptest::prelude::*;
use sandbar_operator::testing::Cell;
use serde_json::{Value, json};

/// The same columns of JSON and of CSV.
fn both() -> Value {
    json!({ "columns": ["n", { "name": "t", "type": "text" }, { "name": "u", "type": "text" }] })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// What a serializer of JSON wrote is read as it was.
    #[test]
    fn json_is_what_was_written(n in any::<f64>().prop_filter("finite", |n| n.is_finite()),
                                t in ".+", u in ".*", other in ".*") {
        let object = json!({ "x": [other], "t": t, "n": n, "u": u }).to_string();
        let row = read(&mut stage(both()), object.as_bytes()).expect("a row");
        let u = if u.is_empty() { Cell::Missing } else { Cell::text(u) };
        prop_assert_eq!(row, [Cell::Number(n), Cell::text(t), u]);
    }

    /// What a writer of CSV wrote is read as it was.
    #[test]
    fn csv_is_what_was_written(n in any::<f64>().prop_filter("finite", |n| n.is_finite()),
                               t in "(?s).+", u in "(?s).*") {
        let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
        writer.write_record([n.to_string(), t.clone(), u.clone()]).expect("memory");
        let line = writer.into_inner().expect("memory");
        let mut config = both();
        config["format"] = json!("csv");
        let row = read(&mut stage(config), &line).expect("a row");
        let u = if u.is_empty() { Cell::Missing } else { Cell::text(u) };
        prop_assert_eq!(row, [Cell::Number(n), Cell::text(t), u]);
    }

    /// Any bytes are a row or a failure, and nothing of one record is left in the next.
    #[test]
    fn records_do_not_touch_each_other(first in prop::collection::vec(any::<u8>(), 0..200),
                                       second in "[\\{\\[\"ntu:,0-9\\\\\\]\\}]{0,60}") {
        let mut one = stage(both());
        let alone = read(&mut one, second.as_bytes());
        let _ = read(&mut one, &first);
        prop_assert_eq!(&read(&mut one, second.as_bytes()), &alone);
        prop_assert_eq!(&read(&mut stage(both()), second.as_bytes()), &alone);
    }
}
