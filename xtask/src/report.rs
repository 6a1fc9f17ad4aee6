//! What a run of tests has shown: the parts, how long each took, and what failed.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::process;

/// The results, for the summary.
#[derive(Default)]
pub struct Report {
    times: Vec<(&'static str, Duration)>,
    failed: Vec<String>,
    skipped: Vec<String>,
}

impl Report {
    /// Takes a step, and notes how long it takes.
    pub fn time<T>(&mut self, what: &'static str, step: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let outcome = step();
        self.add(what, start.elapsed());
        outcome
    }

    /// Adds what another has of other parts.
    pub fn append(&mut self, other: Report) {
        for (what, time) in other.times {
            self.add(what, time);
        }
        self.failed.extend(other.failed);
        self.skipped.extend(other.skipped);
    }

    fn add(&mut self, what: &'static str, time: Duration) {
        match self.times.iter_mut().find(|(name, _)| *name == what) {
            Some((_, sum)) => *sum += time,
            None => self.times.push((what, time)),
        }
    }

    /// Runs a part. Remembers a failure and lets the run go on, so that one run shows all
    /// that fails.
    ///
    /// # Errors
    /// When the user interrupts it.
    pub fn test(&mut self, what: &'static str, part: impl FnOnce() -> Result<()>) -> Result<()> {
        process::heading(what);
        match self.time(what, part) {
            Err(error) if process::interrupted() => Err(error),
            Err(error) => {
                eprintln!("{error:#}");
                self.failed.push(what.to_owned());
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Whether any part has failed.
    pub fn any_failed(&self) -> bool {
        !self.failed.is_empty()
    }

    /// Whether a part has failed.
    pub fn has_failed(&self, what: &str) -> bool {
        self.failed.iter().any(|failed| failed == what)
    }

    /// Notes what is left out, and why.
    pub fn skipped(&mut self, what: String) {
        self.skipped.push(what);
    }

    /// Prints the summary, and at its end what programs have said of their failures.
    ///
    /// # Errors
    /// When a part has failed.
    pub fn finish(self) -> Result<()> {
        process::heading("summary");
        for (what, time) in &self.times {
            eprintln!("{:>5} s  {what}", time.as_secs());
        }
        for what in &self.skipped {
            eprintln!("skipped: {what}");
        }
        if !self.failed.is_empty() {
            process::heading("what failed");
            process::take_failures().iter().for_each(|line| eprintln!("{line}"));
            bail!("failed: {}", self.failed.join(", "));
        }
        eprintln!("all tests that ran have passed");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_one_name_are_one_line() {
        let mut report = Report::default();
        report.add("kafka", Duration::from_millis(1500));
        let mut other = Report::default();
        other.add("local", Duration::from_secs(3));
        other.add("kafka", Duration::from_millis(1500));
        other.failed.push("local".to_owned());
        report.append(other);
        let (three, local) = (Duration::from_secs(3), ("local", Duration::from_secs(3)));
        assert_eq!(report.times, [("kafka", three), local]);
        assert!(report.has_failed("local"));
    }

    #[test]
    fn a_failed_step_fails_the_run_at_its_end() -> Result<()> {
        let mut report = Report::default();
        report.test("one", || Err(anyhow::anyhow!("no")))?;
        report.test("two", || Ok(()))?;
        let error = report.finish().map_err(|error| error.to_string());
        assert_eq!(error, Err("failed: one".to_owned()));
        Ok(())
    }
}
