//! What a process can do that prepares what is untrusted, were it taken over: tried in one, from
//! outside. [`confined`](../../src/bin/confined/main.rs) confines itself as `sandbar prepare` does.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stderr, reason = "what a test says is for those who run it")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sandbar::confine::{Child, Ended, Failed, Patience};
use sandbar::pipeline::{Definition, Deployment};
use sandbar::record::Shutdown;
use sandbar::sandbox::Sandbox;
use sandbar_tests::broker::PATIENCE;
use sandbar_tests::runner::{read, sandbox};

/// Bytes of memory that a child may take.
const MEMORY: u64 = 256 << 20;

fn child(arguments: &[&str]) -> Child {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_confined"));
    Child { program, arguments: arguments.iter().map(Into::into).collect() }
}

/// Asks one that does this with a second of processor time; it has `deadline` in all.
fn ask_within(what: &str, deadline: Duration, stop: &Shutdown) -> Result<Vec<u8>, Failed> {
    let patience = Patience { deadline, answer: 1 << 20, stop };
    // More than a pipe holds: who does not read it is no trouble.
    child(&[what, &MEMORY.to_string(), "1"]).ask(vec![b'?'; 1 << 20], &patience)
}

fn ask(what: &str) -> Result<Vec<u8>, Failed> {
    ask_within(what, PATIENCE, &Shutdown::default())
}

/// What became of the attempts of one that may read `allowed/`.
fn attempts() -> BTreeMap<String, i32> {
    let folder = tempfile::tempdir().unwrap();
    let [allowed, outside] = ["allowed", "outside"].map(|name| folder.path().join(name));
    for place in [&allowed, &outside] {
        fs::create_dir(place).unwrap();
        fs::write(place.join("file"), "secret").unwrap();
    }
    symlink(outside.join("file"), allowed.join("link")).unwrap();
    // A library that opens a file without the flag that closes it for others.
    let inherited = File::open(outside.join("file")).unwrap();
    // SAFETY: a flag of a descriptor that is open.
    assert_eq!(unsafe { libc::fcntl(inherited.as_raw_fd(), libc::F_SETFD, 0) }, 0);
    let [first, second] = [&allowed, &outside].map(|place| place.to_str().unwrap());
    let stop = Shutdown::default();
    let patience = Patience { deadline: PATIENCE, answer: 1 << 20, stop: &stop };
    let child = child(&["attempts", &MEMORY.to_string(), "60", first, second]);
    let answer = child.ask(Vec::new(), &patience).unwrap_or_else(|failed| {
        panic!("{failed}: {}", failed.said);
    });
    for place in [&allowed, &outside] {
        assert_eq!(fs::read_to_string(place.join("file")).unwrap(), "secret");
        assert!(!place.join("new").exists());
    }
    serde_json::from_slice(&answer).unwrap()
}

/// All that is tried there fails, but for what is needed.
#[test]
fn nothing_is_within_reach() {
    let mut seen = attempts();
    if seen.remove("whole") != Some(1) {
        eprintln!("skipped: this system lacks seccomp or Landlock");
        return;
    }
    assert!(seen.remove("inherited before").unwrap() > 0);
    let fine = [
        "a signal to itself",
        "a thread",
        "capabilities",
        "environment",
        "inherited",
        "list",
        "look at own limits",
        "read",
    ];
    let absent = ["a memory file", "a newer call", "clone3", "x32"];
    // By Landlock, which refuses what is opened.
    let files = [
        "create",
        "create outside",
        "endless zeros",
        "environment of the parent",
        "link",
        "link by name",
        "list outside",
        "make a folder",
        "memory of the parent",
        "memory of the system",
        "own memory as a file",
        "passwords",
        "read by a link",
        "read outside",
        "remove",
        "rename",
        "terminal",
        "truncate",
        "write",
        "write outside",
    ];
    for (what, error) in seen {
        let due = match what.as_str() {
            what if fine.contains(&what) => 0,
            what if absent.contains(&what) => libc::ENOSYS,
            what if files.contains(&what) => libc::EACCES,
            "too much memory" => libc::ENOMEM,
            _ => libc::EPERM,
        };
        assert_eq!(error, due, "{what}: {}", Errno::from_raw(error));
    }
}

#[test]
fn an_answer_is_whatever_it_writes() {
    assert_eq!(ask("says hello").unwrap(), format!("hello {}\n", 1 << 20).into_bytes());
    assert_eq!(ask("says nothing").unwrap(), b"");
}

/// Who waits is told apart what it ran into.
#[test]
fn its_end_has_a_cause() {
    let ended = |what| ask(what).unwrap_err();
    let failed = ended("takes memory");
    assert!(matches!(failed.how, Ended::Memory), "{failed}: {}", failed.said);
    assert!(matches!(ended("spins").how, Ended::Cpu));
    // The limit's signal can be ignored; one second later comes one that cannot.
    assert!(matches!(ended("spins and does not listen").how, Ended::Killed));
    assert!(matches!(ended("is killed").how, Ended::Killed));
    for (what, due) in
        [("aborts", "SIGABRT"), ("crashes", "SIGSEGV"), ("overflows its stack", "SIGABRT")]
    {
        let failed = ended(what);
        assert!(matches!(failed.how, Ended::Otherwise { .. }), "{failed}");
        assert!(failed.to_string().contains(due), "{failed}");
    }
    let failed = ended("floods its errors and ends");
    assert!(matches!(&failed.how, Ended::Otherwise { status, .. } if status.code() == Some(3)));
    assert!(failed.said.len() <= 4 << 10 && failed.said.ends_with("the last word"));
}

/// The calls of another architecture are not those that were looked at.
#[test]
#[cfg(target_arch = "x86_64")]
fn calls_of_another_architecture_end_it() {
    let said = ask("calls as 32 bits").unwrap_err().to_string();
    // Where the kernel has none, the processor objects.
    assert!(said.contains("SIGSYS") || said.contains("SIGSEGV"), "{said}");
}

#[test]
fn it_has_no_more_time_than_it_may() {
    let deadline = Duration::from_millis(300);
    for what in ["sleeps", "closes its output and sleeps"] {
        let failed = ask_within(what, deadline, &Shutdown::default()).unwrap_err();
        assert!(matches!(failed.how, Ended::Deadline(after) if after == deadline), "{failed}");
    }
    let failed = ask_within("floods its errors", deadline, &Shutdown::default()).unwrap_err();
    assert!(matches!(failed.how, Ended::Deadline(_) | Ended::Cpu), "{failed}");
    assert!(failed.said.len() <= 4 << 10);
}

#[test]
fn who_does_not_want_it_any_more_does_not_wait() {
    for what in ["sleeps", "closes its output and sleeps"] {
        let stop = Shutdown::default();
        let asked = {
            let stop = stop.clone();
            std::thread::spawn(move || ask_within(what, PATIENCE, &stop))
        };
        stop.request();
        let failed = asked.join().unwrap().unwrap_err();
        assert!(matches!(failed.how, Ended::Stopped), "{what}: {failed}");
    }
}

/// An answer without end costs who asked no more than it was ready to take.
#[test]
fn a_flood_is_not_kept() {
    let mut asks = Command::new(env!("CARGO_BIN_EXE_confined"));
    asks.args(["ask", "floods its output", &MEMORY.to_string(), "60"]);
    let output = asks.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let (how, peak) = said.trim().split_once('\n').unwrap();
    assert_eq!(how, "its answer is larger than 4194304 bytes");
    let peak: u64 = peak.parse().unwrap();
    assert!(peak < 32 << 10, "{peak} KiB");
}

/// Nor does it outlive who asked.
#[test]
fn it_ends_with_who_asked() {
    // So that it is found among all processes.
    let mark = format!("{}{}", MEMORY, std::process::id());
    let mut asks = Command::new(env!("CARGO_BIN_EXE_confined"));
    let mut asks =
        asks.args(["ask", "sleeps", &mark, "600"]).stdout(Stdio::null()).spawn().unwrap();
    let is_it = |entry: &fs::DirEntry| {
        let line = fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
        line.contains(&format!("\0{mark}\0")) && !line.contains("\0ask\0")
    };
    let running = || fs::read_dir("/proc").unwrap().flatten().find(is_it).is_some();
    let end = Instant::now() + PATIENCE;
    let until = |there: bool| {
        while running() != there {
            assert!(Instant::now() < end, "{there}");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    until(true);
    kill(Pid::from_raw(asks.id().cast_signed()), Signal::SIGKILL).unwrap();
    asks.wait().unwrap();
    until(false);
}

/// A runner that is answered nonsense does not start, and says so.
#[test]
fn nonsense_prepares_nothing() {
    let manifest = "name = \"p\"\nsource = { topics = [\"a\"] }\nsink = { topic = \"b\" }\n\
                    dead-letter = { topic = \"c\" }\n\
                    [[stages]]\nname = \"extract\"\ncomponent = \"{component:mischief-extractor}\"\n\
                    [[stages]]\nname = \"score\"\ncomponent = \"{component:mischief-scorer}\"\n";
    for (what, due) in [
        ("says nonsense", "its answer cannot be read"),
        ("promises more than it says", "its answer cannot be read"),
        ("says nothing", "its answer cannot be read"),
        ("floods its output", "its answer is larger than"),
        ("aborts", "SIGABRT"),
        ("is killed", "it was killed by the system"),
        ("takes memory", "takes more than 1.0 GiB of memory to prepare"),
    ] {
        let sandbox: Sandbox = sandbox().with_child(child(&[what, &MEMORY.to_string(), "60"]));
        let definition = Definition::new(read(manifest).unwrap(), None);
        let load = Deployment::load(definition, &sandbox, Default::default(), &Shutdown::default());
        let error = load.err().unwrap().to_string();
        assert!(error.contains(due), "{what}: {error}");
    }
}
