//! How a process ends, or does not.

use std::hint::black_box;
use std::io::{self, Read, Write};
use std::process::{abort, exit};
use std::time::Duration;

use nix::libc;
use sandbar::confine::{Child, Patience};
use sandbar::record::Shutdown;

/// Ends in the way that is asked for.
pub(super) fn end(how: &str) {
    match how {
        "says hello" => {
            let mut request = Vec::new();
            io::stdin().read_to_end(&mut request).unwrap();
            println!("hello {}", request.len());
        }
        "takes memory" => {
            let mut all = Vec::new();
            loop {
                all.push(black_box(vec![1_u8; 1 << 20]));
            }
        }
        "spins" => spin(),
        "spins and does not listen" => {
            // SAFETY: a signal is ignored, nothing runs.
            unsafe { libc::signal(libc::SIGXCPU, libc::SIG_IGN) };
            spin();
        }
        "sleeps" => sleep(),
        "closes its output and sleeps" => {
            // SAFETY: nothing else uses them in this process.
            unsafe { libc::close(1) };
            sleep();
        }
        "floods its output" => flood(io::stdout()),
        "floods its errors" => flood(io::stderr()),
        "floods its errors and ends" => {
            for _ in 0..10_000 {
                eprintln!("{}", "x".repeat(1000));
            }
            eprintln!("the last word");
            exit(3);
        }
        "aborts" => abort(),
        "crashes" => {
            // SAFETY: there is none: this is to crash.
            unsafe { std::ptr::without_provenance_mut::<u8>(8).write_volatile(1) };
        }
        "is killed" => {
            // SAFETY: nothing goes on.
            unsafe { libc::raise(libc::SIGKILL) };
        }
        "overflows its stack" => println!("{}", deep(1)),
        #[cfg(target_arch = "x86_64")]
        "calls as 32 bits" => {
            // SAFETY: 20 is `getpid`, which has no arguments.
            unsafe { std::arch::asm!("int 0x80", inout("eax") 20 => _) };
            println!("it has a number");
        }
        "says nonsense" => println!("nonsense"),
        "promises more than it says" => {
            io::stdout().write_all(&u64::MAX.to_le_bytes()).unwrap();
        }
        "says nothing" => {}
        other => panic!("{other}"),
    }
}

/// Asks another process of this program, and says what became of it and the memory that it took.
pub(super) fn ask(arguments: Vec<String>) {
    let child = Child::own(arguments.into_iter().map(Into::into)).unwrap();
    let stop = Shutdown::default();
    let patience = Patience { deadline: Duration::from_secs(60), answer: 4 << 20, stop: &stop };
    let failed = child.ask(Vec::new(), &patience).unwrap_err();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("{failed}\n{}", peak.trim().trim_end_matches(" kB"));
}

fn spin() {
    for number in 0_u64.. {
        black_box(number);
    }
}

fn sleep() {
    std::thread::sleep(Duration::from_secs(600));
}

fn flood(mut output: impl Write) {
    while output.write_all(&[b'x'; 1 << 16]).is_ok() {}
}

fn deep(level: u64) -> u64 {
    let held = black_box([level; 64]);
    if level == u64::MAX { level } else { deep(level + 1) + held[63] }
}
