//! Text from elsewhere, so that a terminal shows it and does nothing else with it.
//!
//! Names, descriptions, headers, messages of guests and answers of servers may hold whatever
//! their authors like: sequences that clear a screen or set its title, characters that turn the
//! direction of writing or that nobody sees, and line ends that make one line look like two. All
//! of these are shown as escapes, `\u{1b}`; letters of all scripts are shown as they are.

use std::borrow::Cow;

/// `text` as a part of one line: line ends are escaped too.
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false, show)
}

/// `text` as lines: line feeds and tabs stay.
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| matches!(c, '\n' | '\t'), show)
}

/// JSON that says the same: what is not visible stands in strings alone, where JSON has escapes
/// of its own.
pub fn json(text: &str) -> Cow<'_, str> {
    let escape = |out: &mut String, c: char| {
        for unit in c.encode_utf16(&mut [0; 2]) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    };
    escaped(text, |c| matches!(c, '\n' | '\t' | '\r'), escape)
}

fn escaped(
    text: &str,
    stays: impl Fn(char) -> bool,
    escape: impl Fn(&mut String, char),
) -> Cow<'_, str> {
    let changes = |c: char| !is_visible(c) && !stays(c);
    let Some(first) = text.find(changes) else { return Cow::Borrowed(text) };
    let (fine, rest) = text.split_at(first);
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(fine);
    for c in rest.chars() {
        if changes(c) { escape(&mut out, c) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// The escape of a character: `\n`, `\u{1b}`.
fn show(out: &mut String, c: char) {
    // Some of these are letters, which `escape_debug` leaves as they are.
    if is_ignorable(c) { out.extend(c.escape_unicode()) } else { out.extend(c.escape_debug()) }
}

/// Whether a character is seen, and does nothing else.
fn is_visible(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    // What `char::escape_debug` escapes: control and format characters, separators other than
    // the space, and what is not assigned. It escapes accents of their own as well, but not
    // after another character.
    let escapes = || {
        let mut pair = String::from("x");
        pair.push(c);
        pair.escape_debug().nth(2).is_some()
    };
    !is_ignorable(c) && !escapes()
}

/// Letters and marks that take no room: Unicode's `Default_Ignorable_Code_Point`, except for
/// those that are format characters.
fn is_ignorable(c: char) -> bool {
    matches!(
        c,
        '\u{34f}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{ffa0}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}
