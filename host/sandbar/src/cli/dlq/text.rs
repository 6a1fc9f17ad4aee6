//! Dead letters as text.

use std::time::{Duration, UNIX_EPOCH};

use humantime_serde::re::humantime;
use serde_json::json;

use sandbar_kafka::dead_letters::DeadLetter;

/// Characters of a value that `show` shows.
const SHOWN: usize = 2000;

fn time(letter: &DeadLetter) -> Option<String> {
    let since = Duration::from_millis(u64::try_from(letter.timestamp?).ok()?);
    let time = UNIX_EPOCH.checked_add(since)?;
    // A time after the year 9999 has no such form.
    (since.as_secs() < 253_402_300_800).then(|| humantime::format_rfc3339_seconds(time).to_string())
}

pub(super) fn line(letter: &DeadLetter) -> String {
    let DeadLetter { partition, offset, .. } = letter;
    let time = time(letter).unwrap_or_else(|| "-".to_owned());
    let [stage, code, topic, from, at, message] =
        ["stage", "code", "topic", "partition", "offset", "message"].map(|name| letter.said(name));
    format!("{partition}/{offset}  {time}  {stage}  {code}  {topic}/{from}/{at}  {message:?}")
}

pub(super) fn json(letter: &DeadLetter) -> serde_json::Value {
    let number = |name| letter.said(name).parse::<i64>().ok();
    json!({
        "partition": letter.partition,
        "offset": letter.offset,
        "time": time(letter),
        "pipeline": letter.said("pipeline"),
        "stage": letter.said("stage"),
        "code": letter.said("code"),
        "message": letter.said("message"),
        "from": {
            "topic": letter.said("topic"),
            "partition": number("partition"),
            "offset": number("offset"),
        },
        "replayed": letter.said("replayed").parse::<u64>().unwrap_or(0),
        "notice": letter.is_notice(),
        "key": letter.key.as_deref().map(String::from_utf8_lossy),
        "value": letter.value.as_deref().map(|value| shown(Some(value))),
    })
}

/// Bytes for a person: escaped if they are text, else their number.
pub(super) fn shown(bytes: Option<&[u8]>) -> String {
    let Some(bytes) = bytes else { return "null".to_owned() };
    match std::str::from_utf8(bytes) {
        Ok(text) => match text.char_indices().nth(SHOWN) {
            None => text.escape_debug().to_string(),
            Some((end, _)) => format!("{}… ({} bytes)", text[..end].escape_debug(), bytes.len()),
        },
        Err(_) => format!("{} bytes of binary data; `show --raw` writes them", bytes.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_so_that_a_terminal_survives() {
        assert_eq!(shown(None), "null");
        assert_eq!(shown(Some(b"\x1b[2J\n")), "\\u{1b}[2J\\n");
        assert!(shown(Some(&[0xff, 0xfe])).starts_with("2 bytes of binary data"));
        assert!(shown(Some("ä".repeat(3000).as_bytes())).ends_with("… (6000 bytes)"));
    }
}
