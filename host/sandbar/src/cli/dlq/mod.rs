//! `sandbar dlq`

mod replay;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use clap::{Args, Subcommand};
use humantime_serde::re::humantime;
use serde_json::json;

use super::Common;
use sandbar_kafka::config::Connection;
use sandbar_kafka::dead_letters;
use sandbar_kafka::dead_letters::DeadLetter;
use sandbar_manifest::Manifest;

/// Characters of a value that `show` shows.
const SHOWN: usize = 2000;

/// Dead letters of a pipeline: list them, show one in full, or replay their records.
#[derive(Debug, Args)]
pub(super) struct Dlq {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    List(List),
    Show(Show),
    Replay(replay::Replay),
}

/// The pipeline and its brokers.
#[derive(Debug, Args)]
struct TopicArgs {
    /// The pipeline's manifest, which names the dead-letter topic.
    #[arg(value_name = "PIPELINE")]
    manifest: PathBuf,
    /// The brokers, "host:port" separated by commas, instead of the manifest's.
    #[arg(long, value_name = "HOST:PORT,...", env = "SANDBAR_BROKERS")]
    brokers: Option<String>,
}

impl TopicArgs {
    fn open(&self) -> anyhow::Result<(Manifest, Connection)> {
        let manifest = Manifest::load(&self.manifest)?;
        manifest.secrets()?;
        let connection = Connection {
            brokers: manifest.brokers(self.brokers.as_deref())?.to_owned(),
            ..Connection::of(&manifest)
        };
        Ok((manifest, connection))
    }
}

/// The filters.
#[derive(Debug, Args)]
struct Filter {
    /// Only records that failed in this stage.
    #[arg(long)]
    stage: Option<String>,
    /// Only dead letters with this code: "malformed", "trap", ...
    #[arg(long)]
    code: Option<String>,
    /// Only records that were read from this topic.
    #[arg(long)]
    topic: Option<String>,
    /// Only dead letters whose message contains this text.
    #[arg(long, value_name = "TEXT")]
    contains: Option<String>,
    /// Only records that were written within this time, such as "2h".
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    since: Option<Duration>,
    /// At most this many.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

impl Filter {
    fn takes(&self, letter: &DeadLetter) -> bool {
        let is = |wanted: &Option<String>, name| {
            wanted.as_ref().is_none_or(|wanted| *wanted == letter.said(name))
        };
        let recent = |time: Duration| {
            let written = letter.timestamp.and_then(|time| u64::try_from(time).ok());
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            written.is_some_and(|at| now.saturating_sub(Duration::from_millis(at)) <= time)
        };
        is(&self.stage, "stage")
            && is(&self.code, "code")
            && is(&self.topic, "topic")
            && self.contains.as_ref().is_none_or(|text| letter.said("message").contains(text))
            && self.since.is_none_or(recent)
    }

    /// Calls `each` with the matching dead letters, until it returns that it is done.
    fn each(
        &self,
        connection: &Connection,
        topic: &str,
        mut each: impl FnMut(DeadLetter) -> bool,
    ) -> anyhow::Result<()> {
        let mut left = self.limit.unwrap_or(usize::MAX);
        dead_letters::read(connection, topic, None, |letter| {
            if left > 0 && self.takes(&letter) {
                left -= 1;
                return each(letter) && left > 0;
            }
            left > 0
        })?;
        Ok(())
    }
}

/// List dead letters, and count them by stage and code.
///
/// A line has the letter's partition and offset, when its record was written, the stage
/// and code, where the record was read, and the message.
#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    place: TopicArgs,
    #[command(flatten)]
    filter: Filter,
    /// Each as a JSON object on a line.
    #[arg(long)]
    json: bool,
}

/// Show one dead letter: its headers, and the beginning of its value.
#[derive(Debug, Args)]
struct Show {
    #[command(flatten)]
    place: TopicArgs,
    /// Which one, as `sandbar dlq list` names it.
    #[arg(value_name = "PARTITION/OFFSET", value_parser = position)]
    position: (i32, i64),
    /// Write the value to standard output as it is, and nothing else.
    #[arg(long)]
    raw: bool,
}

fn position(text: &str) -> Result<(i32, i64), String> {
    let parts = text.split_once('/');
    let parsed = parts.and_then(|(partition, offset)| {
        Some((partition.parse().ok()?, offset.parse().ok().filter(|offset| *offset >= 0)?))
    });
    parsed.ok_or_else(|| format!("'{text}' is not PARTITION/OFFSET, such as 0/17"))
}

impl Dlq {
    pub(super) fn execute(self, common: &Common) -> anyhow::Result<()> {
        match self.verb {
            Verb::List(list) => list.execute(),
            Verb::Show(show) => show.execute(),
            Verb::Replay(replay) => replay.execute(common),
        }
    }
}

impl List {
    fn execute(self) -> anyhow::Result<()> {
        let (manifest, connection) = self.place.open()?;
        let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
        let mut output = std::io::stdout().lock();
        let mut broken = None;
        self.filter.each(&connection, &manifest.dead_letter.topic, |letter| {
            *counts.entry((letter.said("stage"), letter.said("code"))).or_default() += 1;
            let line = if self.json { json(&letter).to_string() } else { line(&letter) };
            broken = writeln!(output, "{line}").err();
            broken.is_none()
        })?;
        if broken.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe) {
            return Ok(());
        }
        for ((stage, code), count) in counts.iter().filter(|_| !self.json) {
            writeln!(output, "{count} {stage} {code}")?;
        }
        Ok(())
    }
}

impl Show {
    fn execute(self) -> anyhow::Result<()> {
        let (manifest, connection) = self.place.open()?;
        let topic = &manifest.dead_letter.topic;
        let (partition, offset) = self.position;
        let mut found = None;
        dead_letters::read(&connection, topic, Some(self.position), |letter| {
            found = Some(letter).filter(|letter| letter.offset == offset);
            false
        })?;
        let letter = found.with_context(|| {
            format!(
                "topic '{topic}' has no dead letter {partition}/{offset}; `sandbar dlq list` lists them"
            )
        })?;
        let mut output = std::io::stdout().lock();
        if self.raw {
            return Ok(output.write_all(letter.value.as_deref().unwrap_or_default())?);
        }
        writeln!(output, "{}", line(&letter))?;
        for (name, value) in &letter.headers {
            writeln!(output, "{name}: {}", shown(value.as_deref()))?;
        }
        writeln!(output, "key: {}", shown(letter.key.as_deref()))?;
        writeln!(output, "value: {}", shown(letter.value.as_deref()))?;
        Ok(())
    }
}

fn time(letter: &DeadLetter) -> Option<String> {
    let since = Duration::from_millis(u64::try_from(letter.timestamp?).ok()?);
    let time = UNIX_EPOCH.checked_add(since)?;
    // A time after the year 9999 has no such form.
    (since.as_secs() < 253_402_300_800).then(|| humantime::format_rfc3339_seconds(time).to_string())
}

fn line(letter: &DeadLetter) -> String {
    let DeadLetter { partition, offset, .. } = letter;
    let time = time(letter).unwrap_or_else(|| "-".to_owned());
    let [stage, code, topic, from, at, message] =
        ["stage", "code", "topic", "partition", "offset", "message"].map(|name| letter.said(name));
    format!("{partition}/{offset}  {time}  {stage}  {code}  {topic}/{from}/{at}  {message:?}")
}

fn json(letter: &DeadLetter) -> serde_json::Value {
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
fn shown(bytes: Option<&[u8]>) -> String {
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
    fn a_position_is_two_numbers() {
        assert_eq!(position("0/17"), Ok((0, 17)));
        for text in ["", "0", "0/", "/1", "0/-1", "a/b", "0/1/2"] {
            assert!(position(text).is_err(), "{text}");
        }
    }

    #[test]
    fn values_are_shown_so_that_a_terminal_survives() {
        assert_eq!(shown(None), "null");
        assert_eq!(shown(Some(b"\x1b[2J\n")), "\\u{1b}[2J\\n");
        assert!(shown(Some(&[0xff, 0xfe])).starts_with("2 bytes of binary data"));
        assert!(shown(Some("ä".repeat(3000).as_bytes())).ends_with("… (6000 bytes)"));
    }
}
