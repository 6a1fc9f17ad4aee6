//! `sandbar dlq`

mod replay;
mod select;
mod text;

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::Context;
use clap::{Args, Subcommand};

use crate::cli::common::Common;
use sandbar_kafka::dead_letters;
use select::{Filter, TopicArgs};
use text::{json, line, shown};

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
}
