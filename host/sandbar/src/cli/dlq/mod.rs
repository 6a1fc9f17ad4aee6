//! `sandbar dlq`

mod replay;
mod select;
mod text;

use std::collections::BTreeMap;

use anyhow::Context;
use clap::{Args, Subcommand};

use crate::cli::common::Common;
use crate::cli::pipeline::PipelineArgs;
use crate::output::{self, say};
use sandbar_kafka::dead_letters;
use select::Filter;
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
    place: PipelineArgs,
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
    place: PipelineArgs,
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
            Verb::List(list) => list.execute(common),
            Verb::Show(show) => show.execute(common),
            Verb::Replay(replay) => replay.execute(common),
        }
    }
}

impl List {
    fn execute(self, common: &Common) -> anyhow::Result<()> {
        let (manifest, connection) = self.place.open(common)?;
        let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
        self.filter.each(&connection, &manifest.dead_letter.topic, |letter| {
            *counts.entry((letter.said("stage"), letter.said("code"))).or_default() += 1;
            match self.json {
                true => output::value(&json(&letter)),
                false => output::line(line(&letter)),
            }
            !output::is_closed()
        })?;
        for ((stage, code), count) in counts.iter().filter(|_| !self.json) {
            say!("{count} {stage} {code}");
        }
        Ok(())
    }
}

impl Show {
    fn execute(self, common: &Common) -> anyhow::Result<()> {
        let (manifest, connection) = self.place.open(common)?;
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
        if self.raw {
            output::raw(letter.value.as_deref().unwrap_or_default());
            return Ok(());
        }
        output::line(line(&letter));
        for (name, value) in &letter.headers {
            say!("{name}: {}", shown(value.as_deref()));
        }
        say!("key: {}", shown(letter.key.as_deref()));
        say!("value: {}", shown(letter.value.as_deref()));
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
