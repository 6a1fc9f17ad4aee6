//! Runs a target on the stable toolchain.

use std::cell::RefCell;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::mutate::{Mutator, Rng};
use crate::{Suite, Target, corpus};

/// How long one input may take. The first may have to set much up, on a machine that does other
/// things too; what hangs, hangs longer.
const INPUT_LIMIT: Duration = Duration::from_secs(60);
/// How long an input that fails is made shorter.
const SHORTENING: Duration = Duration::from_secs(2);

thread_local! {
    /// What the last panic of this thread said.
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs a target on all of its seeds and then on changed ones, for so long. `false` where
/// it fails; the input is kept then.
///
/// # Errors
/// Where there are no seeds, or the input cannot be kept.
pub fn run(suite: &Suite, target: &Target, time: Duration, seed: u64) -> Result<bool, String> {
    remember_panics();
    let seeds = corpus::seeds(suite, target)?;
    let dictionary = corpus::dictionary(suite, target)?;
    let watch = Watch::start(suite.artifacts(target));
    let start = Instant::now();

    for (path, seed) in &seeds {
        if let Err(panic) = watch.run(target, seed) {
            eprintln!("{}: {}: {panic}", target.name, path.display());
            return Ok(false);
        }
    }

    let seeds: Vec<Vec<u8>> = seeds.into_iter().map(|(_, bytes)| bytes).collect();
    let mutator = Mutator { seeds: &seeds, dictionary: &dictionary, max_len: target.max_len };
    let mut rng = Rng::new(seed, target.name);
    let mut executions = seeds.len();
    while start.elapsed() < time {
        let input = mutator.next(&mut rng);
        executions += 1;
        if let Err(panic) = watch.run(target, &input) {
            let short = shorten(input, |input| watch.run(target, input).is_err());
            let path = keep(&suite.artifacts(target), "panic", &short)?;
            eprintln!(
                "{name}: seed {seed}: {panic}\n  kept: {path}\n  again: cargo xtask fuzz {name} \
                 --input {path}\n  once it is mended, put the file into corpus/{name}",
                name = target.name,
                path = path.display()
            );
            return Ok(false);
        }
    }
    println!(
        "{:<20} {executions:>8} executions in {:.1} s, {} seeds, seed {seed}",
        target.name,
        start.elapsed().as_secs_f64(),
        seeds.len()
    );
    Ok(true)
}

/// Runs a file through targets. `false` where one fails.
///
/// # Errors
/// Where the file cannot be read.
pub fn reproduce(targets: &[Target], file: &Path) -> Result<bool, String> {
    let input = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let [target] = targets else {
        return Err("name one target, as in `cargo xtask fuzz TARGET --input FILE`".to_owned());
    };
    // Not caught: whoever looks at one input wants the place and the stack.
    (target.run)(&input);
    println!("{}: {}: passes", target.name, file.display());
    Ok(true)
}

/// Keeps panics' messages off the screen: thousands may be caught while an input is made
/// shorter, and those that a target catches itself are no failure.
fn remember_panics() {
    std::panic::set_hook(Box::new(|info| {
        let text = info.to_string().replace('\n', " ");
        PANIC.with_borrow_mut(|last| *last = text);
    }));
}

fn caught(target: &Target, input: &[u8]) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| (target.run)(input)))
        .map_err(|_| PANIC.with_borrow(Clone::clone))
}

/// Leaves out what is not needed for an input to fail.
fn shorten(mut input: Vec<u8>, fails: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let start = Instant::now();
    let mut chunk = input.len() / 2;
    while chunk > 0 {
        let mut at = 0;
        while at < input.len() {
            if start.elapsed() > SHORTENING {
                return input;
            }
            let mut shorter = input.clone();
            shorter.drain(at..(at + chunk).min(input.len()));
            match fails(&shorter) {
                true => input = shorter,
                false => at += chunk,
            }
        }
        chunk /= 2;
    }
    input
}

/// Keeps an input, under a name that follows from it.
fn keep(folder: &Path, why: &str, input: &[u8]) -> Result<PathBuf, String> {
    let hash = input.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    });
    let path = folder.join(format!("{why}-{hash:016x}"));
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, input));
    written.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

/// A thread that ends the process when one input takes too long: nothing else can stop it.
struct Watch(Arc<Current>);

/// The input that runs now, and since when.
type Current = Mutex<Option<(Instant, Vec<u8>)>>;

impl Watch {
    fn start(artifacts: PathBuf) -> Self {
        let current: Arc<Current> = Arc::default();
        let watched = Arc::downgrade(&current);
        std::thread::spawn(move || {
            // It ends with the target.
            while let Some(current) = watched.upgrade() {
                let input = current.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((since, input)) = &*input
                    && since.elapsed() > INPUT_LIMIT
                {
                    match keep(&artifacts, "slow", input) {
                        Ok(path) => {
                            eprintln!("{}: takes more than {INPUT_LIMIT:?}", path.display())
                        }
                        Err(reason) => {
                            eprintln!("an input takes more than {INPUT_LIMIT:?}; {reason}")
                        }
                    }
                    std::process::exit(1);
                }
                drop(input);
                drop(current);
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        Watch(current)
    }

    fn run(&self, target: &Target, input: &[u8]) -> Result<(), String> {
        let set = |to| *self.0.lock().unwrap_or_else(PoisonError::into_inner) = to;
        set(Some((Instant::now(), input.to_vec())));
        let result = caught(target, input);
        set(None);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite(name: &str) -> Suite {
        let folder =
            std::env::temp_dir().join(format!("fuzz-driver-{}-{name}", std::process::id()));
        let corpus = folder.join("corpus").join("picky");
        assert!(fs::create_dir_all(&corpus).is_ok());
        assert!(fs::write(corpus.join("seed"), b"harmless").is_ok());
        Suite { folder: folder.to_string_lossy().into_owned().leak(), targets: &[] }
    }

    fn picky(run: fn(&[u8])) -> Target {
        Target { name: "picky", run, seeds: &[], max_len: 100 }
    }

    #[test]
    fn an_input_that_panics_is_kept_and_short() {
        let suite = suite("kept");
        let target = picky(|bytes| assert!(!bytes.contains(&0xff), "there it is"));
        assert_eq!(run(&suite, &target, Duration::from_secs(30), 1), Ok(false));
        let kept: Vec<PathBuf> = fs::read_dir(suite.artifacts(&target))
            .map(|files| files.flatten().map(|file| file.path()).collect())
            .unwrap_or_default();
        assert_eq!(kept.len(), 1);
        assert_eq!(fs::read(&kept[0]).ok(), Some(vec![0xff]));
        assert!(fs::remove_dir_all(suite.folder).is_ok());
    }

    #[test]
    fn a_panic_that_the_target_catches_is_none() {
        let suite = suite("caught");
        let target = picky(|_| drop(catch_unwind(|| panic!("caught"))));
        assert_eq!(run(&suite, &target, Duration::from_millis(50), 1), Ok(true));
        assert!(fs::remove_dir_all(suite.folder).is_ok());
    }

    #[test]
    fn a_target_without_seeds_is_an_error() {
        let suite = suite("empty");
        let target = Target { name: "other", ..picky(|_| {}) };
        assert!(run(&suite, &target, Duration::ZERO, 1).is_err());
        assert!(fs::remove_dir_all(suite.folder).is_ok());
    }
}
