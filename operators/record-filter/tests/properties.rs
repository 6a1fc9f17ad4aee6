//! What holds for records of any content.

mod common;

use common::{becomes, record, stage};
use proptest::prelude::*;
use sandbar_operator::testing::Records;
use serde_json::json;

fn config() -> serde_json::Value {
    json!({ "keep": "n > m || t == 'x'",
            "columns": ["n", "m", { "name": "t", "type": "text" }] })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Numbers are compared as they are, in JSON and in CSV, and what goes on is in order.
    #[test]
    fn those_that_go_on_are_those_for_which_it_holds(
        records in prop::collection::vec((any::<i32>(), -1e9..1e9, "[a-z]{1,3}"), 0..30),
        is_csv: bool,
    ) {
        let value = |(n, m, t): &(i32, f64, String)| match is_csv {
            true => format!("{n},{m},{t}"),
            false => json!({ "t": t, "m": m, "n": n }).to_string(),
        };
        let values: Vec<String> = records.iter().map(value).collect();
        let out = stage(config()).transform(&Records::of_values(&values));
        prop_assert_eq!(out.failures, []);
        let holds = |(n, m, t): &(i32, f64, String)| f64::from(*n) > *m || t == "x";
        let expected: Vec<usize> =
            (0..records.len()).filter(|index| holds(&records[*index])).collect();
        let found: Vec<usize> = out.records.iter().map(|emitted| emitted.origin).collect();
        prop_assert_eq!(found, expected);
        for emitted in out.records {
            prop_assert_eq!(emitted.record, record(&values[emitted.origin]));
        }
    }

    /// A condition and its contrary never agree, and fail for the same records.
    #[test]
    fn a_record_is_kept_by_one_of_two_contraries(value in prop_oneof![
        prop::collection::vec(any::<u8>(), 0..60),
        "[\\{\\[\"nmt:,0-9x\\\\\\]\\}]{0,40}".prop_map(String::into_bytes),
        "[0-9]{0,2},-?[0-9]{0,2},[xy]{0,2}".prop_map(String::into_bytes),
    ]) {
        let mut contrary = config();
        contrary["keep"] = json!("!(n > m || t == 'x')");
        let one = becomes(&mut stage(config()), record(&value));
        let other = becomes(&mut stage(contrary), record(&value));
        match one.as_str() {
            "keep" => prop_assert_eq!(other, "drop"),
            "drop" => prop_assert_eq!(other, "keep"),
            failure => {
                let code = failure.split(':').next();
                prop_assert_eq!(code, other.split(':').next());
            }
        }
    }

    /// Nothing of one record is left for the next.
    #[test]
    fn records_do_not_touch_each_other(first in prop::collection::vec(any::<u8>(), 0..100),
                                       second in "[\\{\\[\"nmt:,0-9x\\\\\\]\\}]{0,40}") {
        let mut one = stage(config());
        let alone = becomes(&mut one, record(&second));
        let _ = becomes(&mut one, record(&first));
        prop_assert_eq!(&becomes(&mut one, record(&second)), &alone);
        prop_assert_eq!(&becomes(&mut stage(config()), record(&second)), &alone);
    }
}
