//! What is wrong, in words.

use crate::evaluate::Node;
use crate::functions::{Overload, Style, TABLE};
use crate::scope::Type;

/// Two types that do not go together.
pub(super) fn unlike(sign: &str, a: &Type, b: &Type) -> String {
    let remedy = match (a, b) {
        (Type::Text, Type::Int | Type::Number) | (Type::Int | Type::Number, Type::Text) => {
            "; convert by double(...) or string(...)"
        }
        (Type::Timestamp, _) | (_, Type::Timestamp) => "; convert by timestamp(...) or int(...)",
        _ => "",
    };
    format!("'{sign}' does not take {a} and {b}{remedy}")
}

/// "unknown variable 'limt'; did you mean 'limit'?"
pub(super) fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let near = known.iter().map(|known| (strsim::jaro_winkler(name, known), known));
    match near.max_by(|(a, _), (b, _)| a.total_cmp(b)).filter(|(near, _)| *near > 0.8) {
        Some((_, near)) => format!("unknown {what} '{name}'; did you mean '{near}'?"),
        None if known.is_empty() => format!("unknown {what} '{name}'; there are none"),
        None => {
            let more = if known.len() > 20 { ", ..." } else { "" };
            let known = known.into_iter().take(20).collect::<Vec<_>>().join(", ");
            format!("unknown {what} '{name}'; known are {known}{more}")
        }
    }
}

/// Names that `check` itself knows.
const SPECIAL: [&str; 5] = ["size", "matches", "has", "math.greatest", "math.least"];

/// A call that no function takes.
pub(super) fn no_overload(
    name: &str,
    style: Style,
    named: &[&Overload],
    values: &[(Node, Type)],
) -> String {
    let list = |types: &mut dyn Iterator<Item = String>| types.collect::<Vec<_>>().join(", ");
    let given = list(&mut values.iter().map(|(_, is)| is.to_string()));
    if let (Style::Sign, [(_, a), (_, b)]) = (style, values) {
        return unlike(name, a, b);
    }
    if let Style::Sign = style {
        return format!("'{name}' does not take {given}");
    }
    let forms = |overloads: &mut dyn Iterator<Item = &Overload>| {
        let form = |overload: &Overload| {
            let mut types = overload.takes.iter().map(|takes| takes.full().to_string());
            match overload.style {
                Style::Global => format!("{name}({})", list(&mut types)),
                _ => {
                    let target = types.next().unwrap_or_default();
                    format!("({target}).{name}({})", list(&mut types))
                }
            }
        };
        overloads.map(form).collect::<Vec<_>>().join(" or ")
    };
    if !named.is_empty() {
        let forms = forms(&mut named.iter().copied());
        return format!("'{name}' does not take ({given}); it is {forms}");
    }
    match name {
        "size" => return format!("'size' takes a text or a list, got ({given})"),
        "matches" => return format!("'matches' takes two texts, got ({given})"),
        "has" => return "'has' takes one variable or value of a map".to_owned(),
        _ => {}
    }
    let otherwise = forms(&mut TABLE.iter().filter(|overload| overload.name == name));
    if !otherwise.is_empty() {
        return format!("'{name}' is written as {otherwise}");
    }
    let mut known: Vec<&str> =
        TABLE.iter().filter(|it| it.style != Style::Sign).map(|it| it.name).collect();
    known.extend(SPECIAL);
    known.dedup();
    let near = known.iter().map(|known| (strsim::jaro_winkler(name, known), known));
    match near.max_by(|(a, _), (b, _)| a.total_cmp(b)).filter(|(near, _)| *near > 0.85) {
        Some((_, near)) => format!("unknown function '{name}'; did you mean '{near}'?"),
        None => format!(
            "unknown function '{name}'; docs/reference/expressions.md lists those that there are"
        ),
    }
}
