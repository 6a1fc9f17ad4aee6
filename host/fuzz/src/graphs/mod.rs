//! What is prepared before it serves: files of graphs, those of the suite that compares the engine
//! with its references, changed inside of their messages; and components, changed inside of their
//! sections.

mod component;
mod wire;
mod worker;

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

use flate2::read::GzDecoder;
use sandbar::confine::Ended;
use sandbar::manifest::Manifest;
use sandbar::model::{Kind, Sha256};
use sandbar::pipeline::Reason;
use sandbar::pipeline::preparation::PreparationError;
use sandbar::pipeline::{Definition, Plan};
use sandbar::sandbox::Sandbox;

use crate::bytes::Bytes;
use crate::calls;
use crate::child::child;
use crate::models::folder;
use component::Tree;
use wire::Message;
use worker::{What, Worker};

pub use worker::{WORKER, serve};

/// What the process that prepares may take of memory, and for how long it may work.
const PREPARATION: &str = "load-memory = '512 MiB'\nload-deadline = '5s'";

/// How many inputs were refused since they took too much memory, and too long.
static BY_MEMORY: AtomicU64 = AtomicU64::new(0);
static BY_TIME: AtomicU64 = AtomicU64::new(0);
/// How many could serve, and how many files were tried.
static READY: AtomicU64 = AtomicU64::new(0);
static TRIED: AtomicU64 = AtomicU64::new(0);

struct File {
    kind: Kind,
    message: Message,
}

/// The cases of ONNX, and those of TensorFlow, which are packed.
const ONNX: &[u8] = include_bytes!("../../../inference/tests/differential/cases.bin");
const TENSORFLOW: &[u8] = include_bytes!("../../../inference/tests/differential/tensorflow.bin.gz");
/// Whole graphs.
const GRAPHS: [(Kind, &[u8]); 4] = [
    (Kind::Onnx, include_bytes!("../../../../tests/golden/samples/mixed.onnx")),
    (Kind::Onnx, include_bytes!("../../../../tests/golden/samples/types.onnx")),
    (Kind::Onnx, include_bytes!("../../../../models/digits/model.onnx")),
    (Kind::Tensorflow, include_bytes!("../../../../tests/golden/samples/frozen.pb")),
];

/// The files that are changed.
static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let mut files = cases(Kind::Onnx, ONNX);
    let mut unpacked = Vec::new();
    GzDecoder::new(TENSORFLOW).read_to_end(&mut unpacked).expect("a file of gzip");
    files.extend(cases(Kind::Tensorflow, &unpacked));
    files.extend(GRAPHS.map(|(kind, file)| {
        let message = wire::read(file).expect("a message");
        File { kind, message }
    }));
    files
});

/// The models of a file of cases: each case has a head, an empty line, and the bytes that lines
/// of the head have the length of, in their order.
fn cases(kind: Kind, mut bytes: &[u8]) -> Vec<File> {
    let mut files = Vec::new();
    while let Some(end) = bytes.windows(2).position(|two| two == b"\n\n") {
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut place = end + 2;
        for line in head.lines() {
            let last = line.rsplit(' ').next().and_then(|last| last.parse::<usize>().ok());
            let sized = ["model ", "input ", "output "].iter().any(|it| line.starts_with(it));
            let Some(length) = last.filter(|_| sized) else { continue };
            if line.starts_with("model ") {
                let message = wire::read(&bytes[place..place + length]).expect("a message");
                files.push(File { kind, message });
            }
            place += length;
        }
        bytes = &bytes[place..];
    }
    files
}

/// The file that an input says, and its kind.
fn file(bytes: &mut Bytes<'_>) -> (Kind, Vec<u8>) {
    let mut choose = || {
        let number = usize::from(u16::from_le_bytes([bytes.byte(), bytes.byte()]));
        &FILES[number % FILES.len()]
    };
    let (of, other) = (choose(), choose());
    (of.kind, wire::change(of.message.clone(), &other.message, bytes))
}

/// Any file is a graph that computes, or an error; or it takes more than it may. It is loaded in a
/// process with a limit of memory, many in the same.
///
/// # Panics
/// Where that process ends otherwise.
pub fn graph(bytes: &[u8]) {
    let mut bytes = Bytes(bytes);
    let verified = bytes.byte() & 1 == 0;
    let (kind, file) = file(&mut bytes);
    load(What::Graph(kind, verified), &file);
}

/// Any file is a component that is compiled and linked, or an error, as of [`graph`].
///
/// # Panics
/// Where the process that compiles it ends otherwise than by its limits.
pub fn component(bytes: &[u8]) {
    static COMPONENT: LazyLock<Tree> = LazyLock::new(|| {
        let component = calls::small_component().expect("a component");
        Tree::read(&component).expect("sections")
    });
    load(What::Component, &COMPONENT.clone().change(&mut Bytes(bytes)));
}

fn load(what: What, file: &[u8]) {
    static LIVE: Mutex<Option<Worker>> = Mutex::new(None);
    let mut live = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
    let worker = live.take().filter(Worker::is_fresh);
    let mut worker = worker.unwrap_or_else(|| Worker::start().expect("a process"));
    match worker.ask(what, file) {
        Ok(ready) => {
            count(ready);
            *live = Some(worker);
        }
        Err(ended) => limited(&ended),
    }
}

/// As [`graph`], of the way that a start and a swap take: a model of a pipeline, which
/// `sandbar prepare` loads, and then this process, if that succeeded.
///
/// # Panics
/// Where this process or that one fails in another way than by its limits.
pub fn prepare(bytes: &[u8]) {
    static PLACE: LazyLock<(PathBuf, Sandbox)> = LazyLock::new(|| {
        let folder = folder("prepare");
        fs::create_dir_all(folder.join("model")).expect("a folder");
        fs::write(folder.join("calls.wasm"), calls::component().expect("a component"))
            .expect("a temporary file");
        let sandbox = Sandbox::new(Some(folder.join("cache"))).expect("an engine");
        (folder, sandbox.with_child(child().expect("this program")))
    });
    let (folder, sandbox) = &*PLACE;
    let (kind, file) = file(&mut Bytes(bytes));
    let model = format!(
        "name = 'graph'\nversion = 1\nkind = '{kind}'\nfile = 'graph'\nsha256 = '{}'\n\
         size = {}\nlicence = 'none'\ndescription = 'a graph'\n",
        Sha256::of(&file),
        file.len(),
    );
    fs::write(folder.join("model/graph"), file).expect("a temporary file");
    fs::write(folder.join("model/model.toml"), model).expect("a temporary file");
    let manifest = format!(
        "name = 'prepare'\n[source]\ntopics = ['in']\n[sink]\ntopic = 'out'\n\
         [dead-letter]\ntopic = 'dead'\n[models]\ngraph = 'model'\n[limits]\n{PREPARATION}\n\
         [[stages]]\nname = 'calls'\ncomponent = 'calls.wasm'\nmodels = ['graph']\n"
    );
    let manifest = Manifest::parse(&manifest, &folder.join("prepare.toml")).expect("a manifest");
    match Plan::new(&Definition::from(manifest), sandbox).map_err(|error| error.reason) {
        Ok(_) => count(true),
        Err(Reason::Preparation(error)) => match error {
            PreparationError::Refused(_) => count(false),
            PreparationError::Memory { .. } => limited(&Ended::Memory),
            PreparationError::Deadline { .. } => limited(&Ended::Cpu),
            error => panic!("{error}"),
        },
        Err(reason) => panic!("it was prepared, and cannot be loaded: {reason}"),
    }
}

fn count(ready: bool) {
    TRIED.fetch_add(1, Ordering::Relaxed);
    READY.fetch_add(u64::from(ready), Ordering::Relaxed);
}

fn limited(ended: &Ended) {
    TRIED.fetch_add(1, Ordering::Relaxed);
    match ended {
        Ended::Memory => BY_MEMORY.fetch_add(1, Ordering::Relaxed),
        Ended::Cpu | Ended::Deadline(_) => BY_TIME.fetch_add(1, Ordering::Relaxed),
        ended => panic!("{ended}"),
    };
}

/// What became of the files, if any were tried.
pub fn summary() -> Option<String> {
    let [tried, ready, memory, time] =
        [&TRIED, &READY, &BY_MEMORY, &BY_TIME].map(|it| it.load(Ordering::Relaxed));
    (tried > 0).then(|| {
        format!(
            "of {tried} files {ready} could serve, {memory} took too much memory, \
             {time} too long"
        )
    })
}
