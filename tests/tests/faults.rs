//! What is promised, while things break: every record that goes in is known, and so is
//! every one that comes out. SANDBAR_FAULTS=long makes it last (`cargo xtask faults`).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sandbar_tests::checker::{Checker, Times};
use sandbar_tests::{Broker, component, sandbar};

const PARTITIONS: u64 = 4;
/// Records that are sent together.
const CHUNK: u64 = 200;
/// Records that must have come out since the last kill before the next.
const BETWEEN_KILLS: u64 = 400;
/// Kafka's own answers take so long at the very most.
const PATIENCE: Duration = Duration::from_secs(90);

fn is_long() -> bool {
    std::env::var("SANDBAR_FAULTS").is_ok_and(|value| value == "long")
}

/// A pipeline under test and its topics.
struct Site {
    folder: tempfile::TempDir,
    manifest: PathBuf,
    source: String,
    sink: String,
    dead: String,
}

impl Site {
    fn new(broker: &Broker, times: Times) -> Self {
        let topic = |name| broker.topic(name, PARTITIONS as i32);
        let [source, sink, dead] = ["source", "sink", "dead"].map(topic);
        let delivery = match times {
            Times::AtLeastOnce => "at-least-once",
            Times::ExactlyOnce => "exactly-once",
        };
        let transactions = match times {
            Times::AtLeastOnce => "",
            Times::ExactlyOnce => "\"transaction.timeout.ms\" = 3000",
        };
        let manifest = format!(
            "name = \"{source}\"\ndelivery = \"{delivery}\"\n\
             [source]\ntopics = [\"{source}\"]\n\
             properties = {{ \"session.timeout.ms\" = 1500, \"heartbeat.interval.ms\" = 300 }}\n\
             [sink]\ntopic = \"{sink}\"\nproperties = {{ {transactions} }}\n\
             [dead-letter]\ntopic = \"{dead}\"\n\
             [[stages]]\nname = \"extract\"\ncomponent = \"{}\"\n\
             [[stages]]\nname = \"score\"\ncomponent = \"{}\"\n\
             [runner]\nworkers = 2\nbatch-records = 50\n",
            component("mischief-extractor").display(),
            component("mischief-scorer").display(),
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.toml");
        std::fs::write(&path, manifest).unwrap();
        Site { folder, manifest: path, source, sink, dead }
    }

    /// A runner in a process of its own, which writes its log to a file.
    fn runner(&self, broker: &Broker, name: &str) -> Runner {
        let log = self.folder.path().join(format!("{name}.log"));
        let file = std::fs::File::create(&log).unwrap();
        let mut command = sandbar();
        command.arg("run").arg(&self.manifest).args(["--brokers", &broker.address()]);
        command.args(["--admin", "off"]).stdout(Stdio::null()).stderr(Stdio::from(file));
        Runner { child: command.spawn().unwrap(), log }
    }
}

struct Runner {
    child: Child,
    log: PathBuf,
}

impl Runner {
    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Ends it as a platform does, and wants it to end well.
    fn stop(mut self) {
        self.signal(Signal::SIGTERM);
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {}", self.log());
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}:\n{}", self.log.display(), tail(&self.log));
        }
    }
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

/// Two runners of which one is killed at a random moment, again and again.
fn kills(times: Times, count: u32) {
    let Some(broker) = Broker::apache() else { return };
    let site = Site::new(&broker, times);
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let mut random = seed;
    let (done, came) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut checker = Checker::new(PARTITIONS);

    let (checker, runners) = std::thread::scope(|scope| {
        // A practice broker cannot be shared; an address can.
        let (feeding, counting) = (broker.address(), broker.address());
        let feeder = scope.spawn(|| {
            let broker = Broker::Apache(feeding);
            while !done.load(Ordering::Relaxed) {
                broker.send(&site.source, &checker.next(CHUNK));
            }
            checker
        });
        scope.spawn(|| {
            Broker::Apache(counting).count(&[&site.sink, &site.dead], &came, &done);
        });
        // Whatever happens, the others end.
        let _end = End(&done);

        let mut runners = [site.runner(&broker, "a0"), site.runner(&broker, "b0")];
        for number in 1..=count {
            let before = came.load(Ordering::Relaxed);
            let end = Instant::now() + PATIENCE;
            while came.load(Ordering::Relaxed) < before + BETWEEN_KILLS {
                assert!(Instant::now() < end, "kill {number}: nothing comes out any more");
                for runner in &mut runners {
                    assert!(runner.child.try_wait().unwrap().is_none(), "{}", runner.log());
                }
                std::thread::park_timeout(Duration::from_millis(5));
            }
            // A random moment, not a time to wait for something.
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            std::thread::sleep(Duration::from_millis((random >> 33) % 300));
            let victim = (random >> 40) as usize % 2;
            runners[victim].signal(Signal::SIGKILL);
            runners[victim].child.wait().unwrap();
            runners[victim] = site.runner(&broker, &format!("{}{number}", ["a", "b"][victim]));
        }
        done.store(true, Ordering::Relaxed);
        (feeder.join().unwrap(), runners)
    });

    let (outputs, letters) = checker.due();
    broker.receive_keys(&site.sink, outputs as usize);
    broker.receive_keys(&site.dead, letters as usize);
    runners.into_iter().for_each(Runner::stop);
    let counts = checker.check(&broker, [&site.sink, &site.dead], times);
    println!("{times:?}, {count} kills (seed {seed}): {counts:?}");
}

/// Says that all is done, also when a test fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A runner that is held up in the middle of its work, for so long that the group gives
/// its partitions to another, and that then goes on where it was: a zombie.
fn zombie(times: Times) {
    let Some(broker) = Broker::apache() else { return };
    let site = Site::new(&broker, times);
    let mut checker = Checker::new(PARTITIONS);
    let first = site.runner(&broker, "first");
    broker.send(&site.source, &checker.next(2000));
    broker.receive(&site.sink, 1);
    first.signal(Signal::SIGSTOP);
    let second = site.runner(&broker, "second");
    broker.send(&site.source, &checker.next(2000));
    let (outputs, _) = checker.due();
    // All that the first has not done the second does.
    broker.receive_keys(&site.sink, outputs as usize);
    first.signal(Signal::SIGCONT);
    broker.send(&site.source, &checker.next(2000));
    let (outputs, letters) = checker.due();
    broker.receive_keys(&site.sink, outputs as usize);
    broker.receive_keys(&site.dead, letters as usize);
    first.stop();
    second.stop();
    let counts = checker.check(&broker, [&site.sink, &site.dead], times);
    println!("{times:?}, a zombie: {counts:?}");
}

#[test]
fn a_zombie_loses_nothing() {
    zombie(Times::AtLeastOnce);
}

#[test]
fn a_zombie_writes_nothing_twice() {
    zombie(Times::ExactlyOnce);
}

#[test]
fn killed_runners_lose_nothing() {
    kills(Times::AtLeastOnce, if is_long() { 100 } else { 5 });
}

#[test]
fn killed_runners_deliver_exactly_once() {
    kills(Times::ExactlyOnce, if is_long() { 100 } else { 5 });
}
