//! Which dead letters: the options of all verbs.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use humantime_serde::re::humantime;

use sandbar_kafka::config::Connection;
use sandbar_kafka::dead_letters;
use sandbar_kafka::dead_letters::DeadLetter;

/// The filters.
#[derive(Debug, Args)]
pub(super) struct Filter {
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
    pub(super) fn each(
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
