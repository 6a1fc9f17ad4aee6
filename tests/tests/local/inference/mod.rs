//! Graphs that the host computes: directly, and by `wasi:nn` from inside of a component that
//! uses nothing but the published interface.

mod brought;
mod constants;
mod exclusive;
mod graph;
mod hoarding;
mod needs;
mod pillow;
mod wasi_nn;

use std::sync::Arc;
use std::time::Duration;

use sandbar::inference::{Artifact, Content};
use sandbar::inference::{Graph, GraphSource, NnLimits};
use sandbar::model::{Kind, Model};
use sandbar::record::Code;
use sandbar::sandbox::{
    Column, Component, Field, FieldType, Grants, Limits, Operator, Sandbox, Scorer, Table, Text,
};
use sandbar::telemetry::CallTimes;
use sandbar_tests::graphs::{self, Ty};
use sandbar_tests::runner::sandbox;
use sandbar_tests::{component, project};

/// A scorer that obeys commands, with these models and limits.
fn scorer(sandbox: &Sandbox, models: Vec<(String, Artifact)>, nn: NnLimits) -> Scorer {
    scorer_within(sandbox, models, nn, Duration::from_millis(500))
}

/// The same, with a deadline for the guest's own time.
fn scorer_within(
    sandbox: &Sandbox,
    models: Vec<(String, Artifact)>,
    nn: NnLimits,
    deadline: Duration,
) -> Scorer {
    let operator = Operator {
        stage: "test".into(),
        component: Component::load(sandbox, &component("plain-nn-scorer")).unwrap(),
        grants: Arc::new(Grants { config: "{}".into(), models, ..Grants::default() }),
        limits: Limits {
            memory: 256 << 20,
            deadline,
            configure_deadline: Duration::from_secs(5),
            log: 10_000,
            retire_after: None,
            nn,
        },
        times: CallTimes::default(),
    };
    Scorer::new(operator, vec![Field { name: "command".into(), ty: FieldType::Text }]).unwrap()
}

const PATIENT: NnLimits =
    NnLimits { deadline: Duration::from_secs(60), load: 1 << 20, apart: true };

fn digits() -> (String, Artifact) {
    let model = Model::open(&project().join("models/digits")).unwrap();
    ("digits".into(), Artifact::load(model).unwrap())
}

fn graph(name: &str, bytes: Vec<u8>) -> (String, Artifact) {
    let graph = Graph::load(name.into(), GraphSource::Bytes(Kind::Onnx, bytes.into())).unwrap();
    (
        name.into(),
        Artifact {
            id: name.into(),
            description: "{}".into(),
            content: Content::Graph(graph),
            samples: None,
        },
    )
}

fn table(commands: &[&str]) -> Table {
    let mut text = Text { bytes: Vec::new(), ends: Vec::new() };
    for command in commands {
        text.bytes.extend_from_slice(command.as_bytes());
        text.ends.push(text.bytes.len() as u32);
    }
    Table { rows: commands.len() as u32, columns: vec![Column::Text(text)] }
}

/// The three numbers of a row, or its failure's message.
fn obey(scorer: &mut Scorer, command: &str) -> Result<[f64; 3], String> {
    let mut scored = scorer.score(&table(&[command])).unwrap();
    match scored.failures.pop() {
        Some(failure) => Err(failure.message),
        None => Ok(scored.values.try_into().unwrap()),
    }
}
