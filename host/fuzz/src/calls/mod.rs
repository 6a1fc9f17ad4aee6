//! What guests call: all that they may import, in any order, with any arguments.

mod code;
mod imports;
mod machine;
mod program;
mod shapes;
mod values;

use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};

use sandbar::manifest::Manifest;
use sandbar::pipeline::Plan;
use sandbar::pipeline::harness::Harness;
use sandbar::record::{Code, Input};
use sandbar::sandbox::Sandbox;

use crate::bytes::Bytes;
use crate::child::child;
use crate::models::folder;
use imports::Imports;
use program::Program;

/// The graph that the guest can bring along.
const DIGITS: &[u8] = include_bytes!("../../../../models/digits/model.onnx");
/// What an instance may take.
const MEMORY: u64 = 8 << 20;
/// How much the process may grow by: two instances, what a transfer takes meanwhile, and what the
/// allocator keeps.
const GROWTH: u64 = 4 * MEMORY;
/// Bytes of what the other guest says: ten numbers.
const PROBABILITIES: usize = 40;
/// After so many inputs the other guest is looked after.
const PAUSE: u32 = 32;

/// The component of the guest, which can bring the digits along.
///
/// # Errors
/// As of [`Imports::new`].
pub fn component() -> anyhow::Result<Vec<u8>> {
    machine::component(&Imports::new()?, DIGITS)
}

/// The same with our interfaces alone, and without the digits.
///
/// # Errors
/// As of [`Imports::new`].
pub fn small_component() -> anyhow::Result<Vec<u8>> {
    let mut imports = Imports::new()?;
    imports.calls.truncate(imports.ours);
    machine::component(&imports, &[])
}

/// How often a batch is run anew in which a record is late that does nothing: beside other work
/// that may be once. The program between two such records may loop, so there are few.
const TRIES: usize = 10;

struct Tested {
    imports: Imports,
    /// The guest with what can be granted, and without.
    guests: [Harness; 2],
    /// Another one of the same sandbox.
    other: Harness,
    /// What it is asked, and says every time.
    question: Vec<u8>,
    said: Option<Vec<u8>>,
    inputs: u32,
    resident: Option<u64>,
}

impl Tested {
    fn new() -> anyhow::Result<Self> {
        let imports = Imports::new()?;
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models").canonicalize()?;
        let folder = folder("calls");
        std::fs::write(folder.join("calls.wasm"), machine::component(&imports, DIGITS)?)?;
        let sandbox = Sandbox::new(Some(folder.join("cache")))?.with_child(child()?);
        let guest = |granted: &str| -> anyhow::Result<Harness> {
            let manifest = format!(
                "name = 'calls'\n\
                 [source]\ntopics = ['in']\n[sink]\ntopic = 'out'\n\
                 [dead-letter]\ntopic = 'dead'\n\
                 [models]\ndigits = '{models}/digits'\nairports = '{models}/airports'\n\
                 [[stages]]\nname = 'calls'\ncomponent = 'calls.wasm'\n{granted}\n\
                 [stages.limits]\nmemory = '{MEMORY} B'\ndeadline = '250ms'\n\
                 inference-deadline = '1s'\nlog = '1 KiB'\n",
                models = models.display(),
            );
            let manifest = Manifest::parse(&manifest, &folder.join("calls.toml"))?;
            Ok(Harness::new(&Plan::new(&manifest.into(), &sandbox)?)?)
        };
        let granted = "models = ['digits', 'airports']\nload-graphs = '1 MiB'\n\
                       grants = ['clock', 'random']";
        let guests = [guest(granted)?, guest("")?];
        let other = guest("models = ['digits']")?;
        let question = Program::computes(&imports, DIGITS.len());
        let (said, inputs, resident) = (None, 0, None);
        Ok(Tested { imports, guests, other, question, said, inputs, resident })
    }

    /// Has the guest run a program between two records that do nothing, and are answered.
    fn run(&mut self, granted: bool, program: &[u8]) {
        let are_answered = (0..TRIES).any(|_| self.neighbours_are_answered(granted, program));
        assert!(are_answered, "a record that does nothing is late each time");
    }

    /// Runs it, and says whether both neighbours were done in time; they may fail no other way.
    fn neighbours_are_answered(&mut self, granted: bool, program: &[u8]) -> bool {
        let guest = &mut self.guests[usize::from(!granted)];
        let values = [Vec::new(), program.to_vec(), Vec::new()];
        let records = values.into_iter().map(|value| Input::value(value).key("key"));
        let written = guest.pipe(records).expect("the guest is still there");
        let offsets = written.outputs.iter().map(|it| it.origin.offset);
        let offsets = offsets.chain(written.dead_letters.iter().map(|it| it.record.origin.offset));
        let mut offsets: Vec<i64> = offsets.collect();
        offsets.sort_unstable();
        let first = offsets[0];
        assert_eq!(offsets, [first, first + 1, first + 2], "not every record is accounted for");
        let mut are_answered = true;
        for letter in &written.dead_letters {
            if letter.record.origin.offset == first + 1 {
                let known = [Code::Trap, Code::Deadline, Code::Memory];
                assert!(known.contains(&letter.code), "{letter:?}");
            } else {
                assert_eq!(letter.code, Code::Deadline, "another failed: {letter:?}");
                are_answered = false;
            }
        }
        for output in written.outputs.iter().filter(|it| it.origin.offset != first + 1) {
            assert!(output.value.iter().flatten().all(|byte| *byte == 0), "{output:?}");
        }
        let (_, usage) = &guest.usage()[0];
        assert!(usage.memory <= MEMORY, "{} bytes are charged", usage.memory);
        are_answered
    }

    /// The other guest is as it was, and the process no larger.
    fn look(&mut self) {
        let question = Input::value(self.question.clone()).at(1).partition(1);
        let written = self.other.pipe([question]).expect("the other guest is still there");
        assert!(written.dead_letters.is_empty(), "{written:?}");
        let value = written.outputs[0].value.as_deref().expect("a value");
        let numbers = value[..PROBABILITIES].to_vec();
        match &self.said {
            None => self.said = Some(numbers),
            Some(said) => assert_eq!(&numbers, said),
        }
        let Some(most) = most_resident() else { return };
        let before = *self.resident.get_or_insert(most);
        assert!(most < before + GROWTH, "{before} bytes became {most}");
    }
}

/// The most that this process ever had in memory, in bytes, where the system tells.
fn most_resident() -> Option<u64> {
    #[allow(clippy::disallowed_methods, reason = "the system's own, and small")]
    let about = std::fs::read_to_string("/proc/self/status").ok()?;
    let most = about.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(most.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
}

/// Whatever a guest calls, the host goes on: each record of its batch is accounted for, its limit
/// of memory holds, and another guest notices nothing.
///
/// # Panics
/// Where that is not so.
pub fn calls(bytes: &[u8]) {
    static TESTED: LazyLock<Mutex<Tested>> =
        LazyLock::new(|| Mutex::new(Tested::new().expect("a guest")));
    let mut tested = TESTED.lock().unwrap_or_else(PoisonError::into_inner);
    let mut bytes = Bytes(bytes);
    let kind = bytes.byte();
    let program = match kind & 1 {
        0 => Program::new(&tested.imports, DIGITS.len()).read(&mut bytes),
        // As it is.
        _ => bytes.0.to_vec(),
    };
    tested.run(kind & 2 == 0, &program);
    if tested.inputs.is_multiple_of(PAUSE) {
        tested.look();
    }
    tested.inputs = tested.inputs.wrapping_add(1);
}
