//! What the language is: the answers of Google's CEL, what is added to it, what is refused with
//! its place, and that nothing is unbounded.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::borrow::Cow;

use expressions::{Expression, FaultCode, Scope, Timestamp, Type, Value, Variables};

/// The values of `golden.py`.
struct Values;

fn time(text: &str) -> Value<'static> {
    Timestamp::parse(text).unwrap().into()
}

impl Variables for Values {
    fn value(&self, variable: usize) -> Option<Value<'_>> {
        Some(match variable {
            0 => 12.5.into(),
            1 => 40.0.into(),
            2 => 7.into(),
            3 => "SFO".into(),
            4 => true.into(),
            5 => time("2026-11-30T13:05:09.250Z"),
            6 => time("1899-02-28T23:59:59Z"),
            7 => vec!["a".into(), "b".into(), "ccc".into()].into(),
            8 => vec![0.25.into(), 0.5.into()].into(),
            10 => f64::NAN.into(),
            11 => i64::MAX.into(),
            12 => "Zürich".into(),
            13 => 0.0.into(),
            // `gone` is always missing, `lies` is no number.
            15 => "text".into(),
            16 => Value::Text(Cow::Owned("x".repeat(900_000))),
            _ => return None,
        })
    }

    fn field(&self, variable: usize, field: usize) -> Option<Value<'_>> {
        (variable == 17).then(|| [0.25, 0.75][field].into())
    }

    fn entry(&self, variable: usize, key: &str) -> Option<Value<'_>> {
        match (variable, key) {
            (9, "trace") => Some("x1".into()),
            (9, "kind-of") => Some("y".into()),
            (17, "NO") => Some(0.25.into()),
            (17, "YES") => Some(0.75.into()),
            _ => None,
        }
    }
}

fn scope() -> Scope {
    let mut scope = Scope::default();
    let texts = Type::List(Box::new(Type::Text));
    for (name, is) in [
        ("amount", Type::Number),
        ("limit", Type::Number),
        ("count", Type::Int),
        ("destination", Type::Text),
        ("late", Type::Bool),
        ("departure", Type::Timestamp),
        ("early", Type::Timestamp),
        ("names", texts),
        ("scores", Type::List(Box::new(Type::Number))),
        ("headers", Type::map(Type::Text)),
        ("nan", Type::Number),
        ("big", Type::Int),
        ("umlaut", Type::Text),
        ("zero", Type::Number),
        ("gone", Type::Number),
        ("lies", Type::Number),
        ("long", Type::Text),
        ("probabilities", Type::fields(Type::Number, ["NO", "YES"])),
        ("capital-gain", Type::Number),
        ("address.city", Type::Text),
    ] {
        scope.declare(name, is);
    }
    scope
}

fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Int(value) => format!("int {value}"),
        Value::Number(value) => match value.is_nan() {
            true => "number nan".to_owned(),
            false => format!("number {value:?}"),
        },
        Value::Text(text) => {
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            format!("text {hex}")
        }
        Value::Bool(value) => format!("bool {value}"),
        Value::Timestamp(time) => format!("timestamp {time}"),
        Value::List(items) => {
            let items = items.iter().map(|item| shown(item).replace(' ', ":"));
            format!("list {}", items.collect::<Vec<_>>().join(" "))
        }
    }
}

fn answer(source: &str) -> String {
    match Expression::compile(source, &scope()) {
        Err(_) => "refused".to_owned(),
        Ok(expression) => match expression.evaluate(&Values) {
            Ok(value) => shown(&value),
            Err(_) => "fault".to_owned(),
        },
    }
}

fn problem(source: &str) -> String {
    Expression::compile(source, &scope()).unwrap_err().to_string()
}

fn fault(source: &str) -> (FaultCode, String) {
    let expression = Expression::compile(source, &scope()).unwrap();
    let fault = expression.evaluate(&Values).unwrap_err();
    (fault.code(), expression.explain(&fault))
}

#[test]
fn the_answers_are_those_of_cel() {
    let mut wrong = Vec::new();
    let table = include_str!("cel.tsv");
    assert!(table.lines().count() > 200);
    for line in table.lines() {
        let [source, expected, shown] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let byte = |at| u8::from_str_radix(&source[at..at + 2], 16).unwrap();
        let source = (0..source.len()).step_by(2).map(byte).collect();
        let actual = answer(&String::from_utf8(source).unwrap());
        if actual != expected {
            wrong.push(format!("{shown}: CEL {expected}, here {actual}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What CEL refuses, and people write.
#[test]
fn whole_numbers_are_numbers_where_one_is_needed() {
    assert_eq!(answer("amount * 2"), "number 25.0");
    assert_eq!(answer("1 / amount"), "number 0.08");
    assert_eq!(answer("count / 2.0"), "number 3.5");
    assert_eq!(answer("late ? 1 : 0.5"), "number 1.0");
    assert_eq!(answer("math.greatest(count, amount)"), "number 12.5");
    assert_eq!(answer("math.sqrt(9)"), "number 3.0");
    assert_eq!(answer("amount in [1, 12.5]"), "bool true");
    assert_eq!(answer("`capital-gain` == null"), "bool true");
}

#[test]
fn parts_of_a_time_are_in_utc() {
    let parts = ["year", "month", "day", "dayOfWeek", "dayOfYear", "hour", "minute", "second"];
    let answers = parts.map(|part| answer(&format!("{part}(departure)")));
    assert_eq!(
        answers,
        ["int 2026", "int 11", "int 30", "int 1", "int 334", "int 13", "int 5", "int 9"]
    );
    assert_eq!(answer("departure.hour() == hour(departure)"), "bool true");
}

#[test]
fn a_time_has_the_same_parts_as_in_its_text() {
    // A prime number of seconds, so that every field moves; the years 1 to 9999.
    let mut seconds = -62_135_596_800_i64;
    while let Some(time) = Timestamp::from_seconds(seconds) {
        let text = time.to_string();
        assert_eq!(Timestamp::parse(&text), Some(time), "{text}");
        seconds += 15_485_863 * 3;
    }
}

#[test]
fn what_is_missing() {
    assert_eq!(
        fault("gone + 1.0"),
        (FaultCode::Missing, "line 1, column 1: 'gone' is missing".into())
    );
    assert_eq!(fault("headers.other").0, FaultCode::Missing);
    assert_eq!(answer("gone == null"), "bool true");
    assert_eq!(answer("gone != null"), "bool false");
    assert_eq!(answer("null == amount"), "bool false");
    assert_eq!(answer("gone + amount == null"), "bool true");
    assert_eq!(answer("has(gone)"), "bool false");
    assert_eq!(answer("has(gone) ? gone : -1"), "number -1.0");
    assert_eq!(answer("has(headers['trace'])"), "bool true");
    assert_eq!(answer("late ? amount : null"), "number 12.5");
    assert_eq!(fault("late ? null : amount").0, FaultCode::Missing);
    // One side decides, whatever the other is.
    assert_eq!(answer("gone > 1.0 || late"), "bool true");
    assert_eq!(answer("gone > 1.0 && !late"), "bool false");
    assert_eq!(fault("gone > 1.0 || !late").0, FaultCode::Missing);
    // What cannot be computed is not taken for missing.
    assert_eq!(fault("gone > 1.0 || count / 0 == 1").0, FaultCode::Arithmetic);
    let holds = |source| Expression::condition(source, &scope()).unwrap().holds(&Values);
    assert_eq!(holds("gone > 1.0"), Ok(false));
    assert_eq!(holds("!(gone > 1.0)"), Ok(false));
    assert_eq!(holds("late"), Ok(true));
    assert!(holds("count / 0 == 1").is_err());
}

#[test]
fn maps_and_names_with_signs() {
    assert_eq!(answer("probabilities.YES"), "number 0.75");
    assert_eq!(answer("probabilities['YES'] > 0.5"), "bool true");
    assert_eq!(answer("probabilities[late ? 'NO' : 'YES']"), "number 0.25");
    assert_eq!(answer("'YES' in probabilities"), "bool true");
    assert_eq!(answer("address.city == null"), "bool true");
    assert_eq!(
        problem("probabilities.YESS > 1.0"),
        "line 1, column 14: unknown name 'YESS'; did you mean 'YES'?"
    );
    assert!(problem("headers").contains("name one of its values"));
    assert!(problem("late ? headers : headers").contains("a map is no value"));
    assert!(problem("headers == headers").contains("'==' does not take"));
}

#[test]
fn a_problem_has_its_place_and_says_what_to_do() {
    for (source, expected) in [
        ("", "line 1, column 1: the expression is empty; write one"),
        ("amount >\n  limt", "line 2, column 3: unknown variable 'limt'; did you mean 'limit'?"),
        ("amount = 1", "line 1, column 8: unexpected '='; to compare write '=='"),
        (
            "amount > 'x'",
            "line 1, column 8: '>' does not take number and text; convert by double(...) or string(...)",
        ),
        ("(amount", "line 1, column 8: expected ')', got the end"),
        ("amount limit", "line 1, column 8: expected an operator, or the end, got 'limit'"),
        ("'abc", "line 1, column 1: the text has no end; add a ' behind it"),
        (
            "destination.contain('a')",
            "line 1, column 13: unknown function 'contain'; did you mean 'contains'?",
        ),
        (
            "contains(destination, 'a')",
            "line 1, column 1: 'contains' is written as (text).contains(text)",
        ),
        (
            "hour(amount)",
            "line 1, column 1: 'hour' does not take (number); it is (timestamp).hour()",
        ),
        (
            "departure.getHours('CET')",
            "line 1, column 11: 'getHours' does not take (timestamp, text); it is (timestamp).getHours()",
        ),
        (
            "names.exists(n, n == 'a')",
            "line 1, column 7: 'exists' loops over a list, which is not offered; use 'in', size(...) or [...]",
        ),
        (
            "destination.matches(umlaut)",
            "line 1, column 21: the regular expression is a text between quotes, not computed",
        ),
        ("1u", "line 1, column 2: unsigned numbers are not offered; leave out the 'u'"),
        ("b'a' == b'a'", "line 1, column 1: bytes are not offered; write text, without the 'b'"),
        ("{'a': 1}.a", "line 1, column 1: maps cannot be written; compare with '==' or use a list"),
        (
            "amount > null",
            "line 1, column 10: null can only be compared by '==' or '!=', or be a side of '? :'",
        ),
        (
            "'ü' == umlaut && ä",
            "line 1, column 18: unexpected 'ä'; a name with other characters than letters, digits and '_' stands between '`'",
        ),
        ("if (late) 1", "line 1, column 1: 'if' is a reserved word; for a variable write `if`"),
    ] {
        assert_eq!(problem(source), expected, "{source}");
    }
    let not_a_condition = Expression::condition("amount", &scope()).unwrap_err().to_string();
    assert!(not_a_condition.contains("true or false, this is number"), "{not_a_condition}");
    assert!(problem("destination.matches('(a')").contains("not a regular expression"));
    assert!(problem("destination.matches('(a{1000}){1000}')").contains("not a regular expression"));
}

#[test]
fn nothing_is_unbounded() {
    let deep = [
        format!("{}1{}", "(".repeat(4000), ")".repeat(4000)),
        format!("{}1{}", "[".repeat(4000), "]".repeat(4000)),
        format!("{}late", "!".repeat(8000)),
        format!("{}1", "-".repeat(8000)),
        vec!["1"; 4000].join("+"),
        format!("names{}", "[0]".repeat(2500)),
        format!("headers{}", ".a".repeat(4000)),
        format!("{}1", "late?1:".repeat(1000)),
        format!("{}1{}", "f(".repeat(2000), ")".repeat(2000)),
    ];
    for source in deep {
        assert!(problem(&source).contains("nested deeper than 64"), "{}", &source[..20]);
    }
    assert!(problem(&"1".repeat(9000)).contains("longer than"));
    // A long chain of conditions is no depth.
    assert_eq!(answer(&vec!["count == 1"; 500].join(" || ")), "bool false");
    assert_eq!(answer(&vec!["1"; 60].join(" + ")), "int 60");
    for source in [
        "long + long + long == ''",
        "long.replace('x', 'yyyyyyyyyyyyyyyyyyyy') == ''",
        "long.split('') == names",
        "long.matches('(x+x+)+y')",
        "long.contains('y') || long.contains('z')",
    ] {
        assert_eq!(fault(source).0, FaultCode::TooLarge, "{source}");
    }
    assert_eq!(answer("long.contains('y')"), "bool false");
}

#[test]
fn faults_have_their_place() {
    assert_eq!(
        fault("late &&\n count % 0 == 1"),
        (FaultCode::Arithmetic, "line 2, column 8: a whole number is divided by zero".into())
    );
    assert_eq!(
        fault("double(destination)"),
        (FaultCode::Conversion, "line 1, column 1: the text is no number".into())
    );
    assert_eq!(fault("double('1e999')").0, FaultCode::Conversion);
    assert_eq!(
        fault("lies > 1.0"),
        (FaultCode::Type, "line 1, column 1: 'lies' is declared as number, and is not".into())
    );
}

#[test]
fn only_what_is_named_is_used() {
    let expression = Expression::compile("limit > 1.0 && amount > limit", &scope()).unwrap();
    assert_eq!(expression.uses(), [0, 1]);
    assert!(Expression::compile("1 < 2", &scope()).unwrap().uses().is_empty());
}
