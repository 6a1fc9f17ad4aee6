//! Any text as an expression: it is refused with a place, or gives the same for the same values.

use expressions::{Expression, Scope, TEXT, Timestamp, Type, Value, Variables};

/// The first byte chooses the values, the others are the expression.
///
/// # Panics
/// Where a problem has no place, a result is too large or has another type than was said, or the
/// same values give another result.
pub fn any(bytes: &[u8]) {
    let Some((choice, source)) = bytes.split_first() else { return };
    let source = String::from_utf8_lossy(source);
    let mut scope = Scope::default();
    for (name, is) in [
        ("a", Type::Int),
        ("b", Type::Number),
        ("c", Type::Text),
        ("d", Type::Bool),
        ("e", Type::Timestamp),
        ("f", Type::List(Box::new(Type::Text))),
        ("g", Type::map(Type::Text)),
        ("h", Type::fields(Type::Number, ["NO", "YES"])),
    ] {
        scope.declare(name, is);
    }
    let expression = match Expression::compile(&source, &scope) {
        Ok(expression) => expression,
        Err(problem) => {
            let line = source.split('\n').nth(problem.line - 1);
            let length = line.map(|line| line.chars().count()).unwrap_or_default();
            assert!((1..=length + 1).contains(&problem.column), "{problem} of {length}");
            assert!(!problem.message.is_empty());
            return;
        }
    };
    let values = Values(*choice);
    let result = expression.evaluate(&values);
    // Not a number is not the same as itself.
    assert_eq!(format!("{:?}", expression.evaluate(&values)), format!("{result:?}"));
    match result {
        Ok(value) => assert!(fits(&value, expression.result()), "{value:?}"),
        Err(fault) => assert!(expression.explain(&fault).len() < source.len() + 200),
    }
}

fn fits(value: &Value<'_>, is: &Type) -> bool {
    match (value, is) {
        (Value::Int(_), Type::Int)
        | (Value::Number(_), Type::Number)
        | (Value::Bool(_), Type::Bool)
        | (Value::Timestamp(_), Type::Timestamp) => true,
        (Value::Text(text), Type::Text) => text.len() <= TEXT,
        (Value::List(items), Type::List(of)) => items.iter().all(|item| fits(item, of)),
        _ => false,
    }
}

/// Each bit says whether a value is missing; the upper ones also which it is.
struct Values(u8);

impl Variables for Values {
    fn value(&self, variable: usize) -> Option<Value<'_>> {
        if self.0 & (1 << variable) != 0 {
            return None;
        }
        let odd = self.0 & 0x80 != 0;
        Some(match (variable, odd) {
            (0, true) => i64::MIN.into(),
            (0, false) => 7.into(),
            (1, true) => f64::NAN.into(),
            (1, false) => 1e300.into(),
            (2, true) => "Zürich\u{0}👋".into(),
            (2, false) => "12.5".into(),
            (3, _) => odd.into(),
            (4, _) => Timestamp::from_nanos(if odd { i64::MIN } else { 0 })?.into(),
            _ => vec!["x".into(), "".into()].into(),
        })
    }

    fn field(&self, _: usize, field: usize) -> Option<Value<'_>> {
        Some((field as f64).into())
    }

    fn entry(&self, variable: usize, key: &str) -> Option<Value<'_>> {
        match (variable, key) {
            (6, "x") => Some("y".into()),
            (7, "NO") => Some(0.0.into()),
            (7, "YES") => Some(1.0.into()),
            _ => None,
        }
    }
}
