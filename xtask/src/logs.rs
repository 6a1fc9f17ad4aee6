//! Keeps docs/reference/logs.md true: its tables have every field and every message that
//! the host logs, and nothing else. The code is read as text.

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::process::Command;

    use anyhow::{Result, ensure};

    use crate::{cargo, process};

    const PAGE: &str = "docs/reference/logs.md";
    /// Of the form of lines: a field of that name would hide what is there.
    const TAKEN: [&str; 4] = ["timestamp", "level", "target", "message"];
    /// What a message may begin with in capitals.
    const NAMES: [&str; 2] = ["Kafka", "Apache"];
    /// Other units and other forms of durations.
    const OTHER_UNITS: [&str; 6] =
        [".as_secs()", ".as_secs_f32()", ".as_millis()", ".as_micros()", ".elapsed()", ">> 20"];

    /// A `tracing` macro.
    struct Event {
        /// `FILE:LINE`
        place: String,
        level: String,
        /// Name and expression, which has its `%` or `?`.
        fields: Vec<(String, String)>,
        message: String,
    }

    /// The length of what begins here, and whether it is code rather than a comment or literal.
    fn token(rest: &str) -> (usize, bool) {
        let past = |from: usize, end: &str| {
            rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len())
        };
        let hashes = rest.bytes().skip(1).take_while(|it| *it == b'#').count();
        let length = match rest.as_bytes() {
            [b'/', b'/', ..] => rest.find('\n').unwrap_or(rest.len()),
            [b'/', b'*', ..] => past(2, "*/"),
            [b'r', after @ ..] if after.get(hashes) == Some(&b'"') => {
                past(2 + hashes, &format!("\"{}", "#".repeat(hashes)))
            }
            all @ ([b'"', ..] | [b'\'', b'\\', ..]) => {
                let mut at = 1;
                while let Some(letter) = all.get(at).filter(|it| **it != all[0]) {
                    at += if *letter == b'\\' { 2 } else { 1 };
                }
                at + 1
            }
            // A lifetime has no second quote.
            [b'\'', _, b'\'', ..] => 3,
            _ => return (rest.chars().next().map_or(0, char::len_utf8), true),
        };
        (length.min(rest.len()), false)
    }

    /// What is between the parentheses of a call, split at its commas, without comments.
    fn arguments(text: &str) -> Vec<String> {
        let (mut all, mut depth, mut at) = (String::new(), 0, 0);
        while at < text.len() {
            let (length, code) = token(&text[at..]);
            let piece = &text[at..at + length];
            at += length;
            depth += i32::from(code && "([{".contains(piece));
            depth -= i32::from(code && ")]}".contains(piece));
            all += match piece {
                _ if depth < 0 => break,
                "," if depth == 0 => "\0",
                _ if !code && piece.starts_with('/') => "",
                _ => piece,
            };
        }
        all.split('\0').map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()).collect()
    }

    fn event(place: String, level: &str, arguments: &[String]) -> Event {
        // What follows the message is for its placeholders.
        let message = arguments.iter().position(|it| it.starts_with('"'));
        let fields = arguments.iter().take(message.unwrap_or(arguments.len()));
        let fields = fields.filter(|it| !it.starts_with("target:")).map(|field| {
            let (name, value) = field.split_once(" = ").unwrap_or((field, field));
            (name.trim_start_matches(['%', '?']).to_owned(), value.to_owned())
        });
        let message = message.map_or("", |at| arguments[at].trim_matches('"'));
        Event { place, level: level.into(), fields: fields.collect(), message: message.into() }
    }

    /// The events of a file, and any other use of `tracing`. A test module ends it.
    fn events(file: &str, text: &str) -> Vec<Event> {
        let (mut found, mut at) = (Vec::new(), 0);
        while at < text.len() && !text[at..].starts_with("\nmod tests {") {
            let (length, code) = token(&text[at..]);
            if let Some(called) = text[at..].strip_prefix("tracing::").filter(|_| code) {
                let end = called.find(|it: char| !it.is_alphanumeric() && it != '_');
                let (name, rest) = called.split_at(end.unwrap_or(called.len()));
                let place = format!("{file}:{}", text[..at].matches('\n').count() + 1);
                let given = rest.strip_prefix("!(").map(arguments).unwrap_or_default();
                // A path to a type of the library is no event.
                if !rest.starts_with("::") {
                    found.push(event(place, name, &given));
                }
            }
            at += length;
        }
        found
    }

    fn host() -> Result<Vec<Event>> {
        let listed = process::output_of(
            Command::new("git")
                .args(["ls-files", "--cached", "--others", "--exclude-standard", "host/*/src/*.rs"])
                .current_dir(cargo::root()),
        )?;
        let mut all = Vec::new();
        for file in listed.lines().filter(|file| !file.ends_with("/tests.rs")) {
            // One that is removed and not committed yet has none.
            let text = std::fs::read_to_string(cargo::root().join(file)).unwrap_or_default();
            all.extend(events(file, &text));
        }
        Ok(all)
    }

    fn in_backticks(text: &str) -> BTreeSet<String> {
        text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    /// The rows of the table below a heading: the name in the first cell, and the second cell.
    fn table(page: &str, heading: &str) -> BTreeMap<String, String> {
        let part = page.split_once(&format!("\n{heading}\n")).map_or("", |(_, part)| part);
        let lines = part.lines().take_while(|line| !line.starts_with('#'));
        lines
            .filter_map(|line| {
                let (name, rest) = line.strip_prefix("| `")?.split_once("` |")?;
                let cell = rest.split('|').next().unwrap_or_default();
                Some((name.to_owned(), cell.trim().to_owned()))
            })
            .collect()
    }

    type Rule = (bool, &'static str);

    /// What is wrong with a field by itself, where the first of a pair holds.
    fn field_rules(name: &str, value: &str) -> [Rule; 4] {
        let seconds = value.contains(".as_secs_f64()");
        [
            (value.starts_with('?'), "in Debug form: give a plain value, or one by Display"),
            (TAKEN.contains(&name), "a name of the line's form"),
            (seconds != name.ends_with("_seconds"), "durations are <what>_seconds, as_secs_f64()"),
            (OTHER_UNITS.iter().any(|it| value.contains(it)), "units are seconds (f64) and bytes"),
        ]
    }

    /// And with a message.
    fn message_rules(message: &str) -> [Rule; 4] {
        let name = NAMES.iter().any(|name| message.starts_with(name));
        let capital = message.starts_with(|it: char| it.is_uppercase());
        [
            (message.is_empty(), "there is no message"),
            (capital && !name, "a message begins with a small letter"),
            (message.ends_with('.'), "a message ends without a full stop"),
            (message.contains('{'), "what differs from case to case belongs in fields"),
        ]
    }

    fn broken(rules: &[Rule], place: &str, what: &str) -> Vec<String> {
        let broken = rules.iter().filter(|(broken, _)| *broken);
        broken.map(|(_, rule)| format!("{place}: `{what}`: {rule}")).collect()
    }

    fn no(problems: &[String]) -> Result<()> {
        ensure!(problems.is_empty(), "\n{}", problems.join("\n"));
        Ok(())
    }

    #[test]
    fn the_page_has_every_field_and_no_other() -> Result<()> {
        let page = std::fs::read_to_string(cargo::root().join(PAGE))?;
        let types = table(&page, "## Fields");
        let (mut used, mut problems) = (BTreeSet::new(), Vec::new());
        for Event { place, level, fields, .. } in host()? {
            if !["trace", "debug", "info", "warn", "error"].contains(&level.as_str()) {
                problems.push(format!("{place}: log by tracing::LEVEL!(...), not `{level}`"));
            }
            for (name, value) in fields {
                problems.extend(broken(&field_rules(&name, &value), &place, &name));
                if !types.contains_key(&name) {
                    problems.push(format!("{place}: `{name}` is not among {PAGE}'s fields"));
                }
                used.insert(name);
            }
        }
        for (name, ty) in &types {
            if !used.contains(name) {
                problems.push(format!("{PAGE}: the field `{name}` is not used"));
            }
            let plain = match name.rsplit('_').next() {
                Some(unit @ ("seconds" | "bytes")) => vec![unit],
                _ => vec!["number", "boolean", "string"],
            };
            if !plain.contains(&ty.as_str()) {
                problems.push(format!("{PAGE}: `{name}` is {ty}, not {}", plain.join(" or ")));
            }
        }
        no(&problems)
    }

    #[test]
    fn the_page_has_every_event_and_no_other() -> Result<()> {
        let page = std::fs::read_to_string(cargo::root().join(PAGE))?;
        let mut logged = BTreeMap::<(String, String), BTreeSet<String>>::new();
        let mut problems = Vec::new();
        for Event { place, level, fields, message } in host()? {
            // What operators print has no words of the host.
            if message == "{}" {
                continue;
            }
            problems.extend(broken(&message_rules(&message), &place, &message));
            if !["trace", "debug"].contains(&level.as_str()) {
                let names = fields.into_iter().map(|(name, _)| name);
                logged.entry((level, message)).or_default().extend(names);
            }
        }
        let mut rows = BTreeMap::new();
        for level in ["info", "warn", "error"] {
            let of = table(&page, &format!("### {level}")).into_iter();
            rows.extend(of.map(|(it, cell)| ((level.to_owned(), it), in_backticks(&cell))));
        }
        let other = logged.iter().filter(|(event, fields)| rows.get(*event) != Some(fields));
        problems.extend(other.map(|(event, fields)| format!("{PAGE}: {event:?} has {fields:?}")));
        let gone = rows.keys().filter(|event| !logged.contains_key(*event));
        problems.extend(gone.map(|event| format!("{PAGE}: nothing logs {event:?}")));
        no(&problems)
    }

    #[test]
    fn events_are_read_from_code() {
        let text = r#"
            // tracing::info!("in a comment");
            tracing::warn!(target: "x", %a, b = ?it.b(1, 'c', ","), /* d, */ e, "said, {}", e);
            let text = "tracing::info!()"; tracing::span!();
        "#;
        let found = events("f", &format!("{text}\nmod tests {{ tracing::info!(z) }}"));
        let fields: Vec<_> = found[0].fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!((fields, found[0].message.as_str()), (vec!["a", "b", "e"], "said, {}"));
        assert_eq!((found[0].place.as_str(), found[1].level.as_str()), ("f:3", "span"));
        let (name, value) = &found[0].fields[1];
        assert_eq!(broken(&field_rules(name, value), "f:3", name).len(), 1);
        assert_eq!(broken(&field_rules("took", "it.as_secs_f64()"), "f:3", "took").len(), 1);
        assert_eq!(broken(&message_rules("Said {it}."), "f:3", "").len(), 3);
    }
}
