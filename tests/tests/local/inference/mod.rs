//! `wasi:nn` from inside: a component that uses nothing but the published interface,
//! against graphs that are in order, too slow, or not graphs at all.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::sync::Arc;
use std::time::Duration;

use sandbar::failure::Code;
use sandbar::inference::{Graph, NnLimits, Source};
use sandbar::models::{Artifact, Content, Kind, Model};
use sandbar::observe::CallTimes;
use sandbar::sandbox::{
    Column, Component, Field, FieldType, Grants, Limits, Operator, Sandbox, Scorer, Table, Text,
};
use sandbar_tests::graphs::{self, Ty};
use sandbar_tests::runner::sandbox;
use sandbar_tests::{component, project};

/// A scorer that obeys commands, with these models and limits.
fn scorer(sandbox: &Sandbox, models: Vec<(String, Artifact)>, nn: NnLimits) -> Scorer {
    let operator = Operator {
        stage: "test".into(),
        component: Component::load(sandbox, &component("plain-nn-scorer")).unwrap(),
        grants: Arc::new(Grants { config: "{}".into(), models, ..Grants::default() }),
        limits: Limits {
            memory: 256 << 20,
            deadline: Duration::from_millis(500),
            configure_deadline: Duration::from_secs(5),
            log: 10_000,
            retire_after: None,
            nn,
        },
        times: CallTimes::default(),
    };
    Scorer::new(operator, vec![Field { name: "command".into(), ty: FieldType::Text }]).unwrap()
}

const PATIENT: NnLimits = NnLimits { deadline: Duration::from_secs(60), load: 1 << 20 };

fn digits() -> (String, Artifact) {
    let model = Model::open(&project().join("models/digits")).unwrap();
    ("digits".into(), Artifact::load(model).unwrap())
}

fn graph(name: &str, bytes: Vec<u8>) -> (String, Artifact) {
    let graph = Graph::load(name.into(), Source::Bytes(Kind::Onnx, bytes.into())).unwrap();
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

#[test]
fn a_component_without_our_sdk_computes() {
    let mut scorer = scorer(&sandbox(), vec![digits()], PATIENT);
    let by_name = obey(&mut scorer, "named digits image 1x1x8x8 fp32 -1").unwrap();
    assert_eq!(by_name[0], 10.0);
    assert!((by_name[1] - 1.0).abs() < 1e-5 && by_name[2] > 0.1, "{by_name:?}");
    let by_index = obey(&mut scorer, "named digits 0 1x1x8x8 fp32 -1").unwrap();
    assert_eq!(by_index, by_name);
    let own = obey(&mut scorer, "bytes onnx cpu image 1x1x8x8 fp32 -1").unwrap();
    assert_eq!(own, by_name);
    // Ten at a time: as many numbers, each as before but for rounding.
    let ten = obey(&mut scorer, "named digits image 10x1x8x8 fp32 -1").unwrap();
    assert_eq!(ten[0], 100.0);
    assert!((ten[1] - 10.0).abs() < 1e-4 && (ten[2] - by_name[2]).abs() < 1e-6, "{ten:?}");
}

#[test]
fn what_is_wrong_is_an_error_with_its_code_and_its_model() {
    let mut scorer = scorer(&sandbox(), vec![digits()], PATIENT);
    let due = "fp32 of [1, 2, 8, 8], where fp32 of [N, 1, 8, 8] is due";
    for (command, error) in [
        ("named nothing image 1x1x8x8 fp32 0", "NotFound: model 'nothing' is not granted to this stage; name it in the stage's `models`".to_owned()),
        ("named digits image 1x2x8x8 fp32 0", format!("InvalidArgument: model 'digits@1': input 'image': {due}")),
        ("named digits image 1x1x8x8 fp64 0", "InvalidArgument: model 'digits@1': input 'image': fp64 of [1, 1, 8, 8], where fp32 of [N, 1, 8, 8] is due".to_owned()),
        ("named digits image 0x1x8x8 fp32 0", "InvalidArgument: model 'digits@1': input 'image': fp32 of [0, 1, 8, 8], where fp32 of [N, 1, 8, 8] is due".to_owned()),
        ("named digits picture 1x1x8x8 fp32 0", "InvalidArgument: model 'digits@1': no input is called 'picture': there are image".to_owned()),
        ("named digits 1 1x1x8x8 fp32 0", "InvalidArgument: model 'digits@1': no input is called '1': there are image".to_owned()),
        ("missing digits", "InvalidArgument: model 'digits@1': input 'image' is not given: there are image".to_owned()),
        ("twice digits image 1x1x8x8 fp32 0", "InvalidArgument: model 'digits@1': input 'image': given twice".to_owned()),
        ("short digits image 1x1x8x8 fp32 0", "InvalidArgument: model 'digits@1': input 'image': 255 bytes of data, which are not a tensor of [1, 1, 8, 8]".to_owned()),
        ("bytes ggml cpu image 1x1x8x8 fp32 0", "InvalidEncoding: graphs of encoding GraphEncoding::Ggml are not read; onnx and tensorflow are".to_owned()),
        ("bytes onnx gpu image 1x1x8x8 fp32 0", "UnsupportedOperation: there is no ExecutionTarget::Gpu here; ask for the target cpu".to_owned()),
    ] {
        assert_eq!(obey(&mut scorer, command), Err(error), "{command}");
    }
    let wrong = obey(&mut scorer, "bytes tensorflow cpu image 1x1x8x8 fp32 0").unwrap_err();
    assert!(
        wrong.starts_with(
            "InvalidEncoding: the operator's own graph: not a readable graph of kind tensorflow"
        ),
        "{wrong}"
    );
    // The instance is none the worse for any of it.
    assert!(obey(&mut scorer, "named digits image 1x1x8x8 fp32 1").is_ok());
}

#[test]
fn a_graph_of_its_own_is_refused_unless_granted() {
    let command = "bytes onnx cpu image 1x1x8x8 fp32 0";
    let refused = |load| {
        let mut scorer = scorer(&sandbox(), vec![], NnLimits { load, ..PATIENT });
        obey(&mut scorer, command).unwrap_err()
    };
    assert!(refused(0).starts_with("Security: this stage may not bring graphs; set load-graphs"));
    let size = std::fs::metadata(project().join("models/digits/model.onnx")).unwrap().len();
    assert_eq!(
        refused(1000),
        format!("TooLarge: {size} bytes; the stage's load-graphs allows 1000")
    );
}

#[test]
fn each_element_type_that_tract_has_goes_through() {
    let types = [
        ("fp16", Ty::F16),
        ("fp32", Ty::F32),
        ("fp64", Ty::F64),
        ("u8", Ty::U8),
        ("i32", Ty::I32),
        ("i64", Ty::I64),
    ];
    for (name, ty) in types {
        let mut scorer = scorer(&sandbox(), vec![graph("g", graphs::to_f32(ty))], PATIENT);
        let number = if name == "fp16" { 0.0 } else { 3.0 };
        let found = obey(&mut scorer, &format!("named g x 2x3 {name} 3"));
        assert_eq!(found, Ok([6.0, 6.0 * number, number]), "{name}");
    }
    let mut scorer = scorer(&sandbox(), vec![graph("g", graphs::to_f32(Ty::F32))], PATIENT);
    let refused = obey(&mut scorer, "named g x 2x3 bf16 0").unwrap_err();
    assert!(refused.contains("bf16 are not supported") || refused.contains("is due"), "{refused}");
    // An output of a type that wasi:nn lacks is named.
    let mut scorer = self::scorer(&sandbox(), vec![graph("g", graphs::to_bool())], PATIENT);
    let refused = obey(&mut scorer, "named g x 2x3 fp32 0").unwrap_err();
    assert!(
        refused.starts_with("UnsupportedOperation: model 'g': elements of type Bool"),
        "{refused}"
    );
}

/// The time of a guest's own work does not run while it waits.
#[test]
fn a_deadline_is_for_the_guests_own_time() {
    // About 30 ms each on a fast machine: together far more than the stage's 500 ms.
    let slow = graph("slow", graphs::products(4, 768));
    let mut scorer = scorer(&sandbox(), vec![slow], PATIENT);
    let done = obey(&mut scorer, "again 150 slow x 768x768 fp32 0");
    assert_eq!(done, Ok([768.0 * 768.0, 0.0, 0.0]));
}

#[test]
fn a_computation_past_its_deadline_is_a_timeout_and_the_stage_goes_on() {
    let sandbox = sandbox();
    // A hundred operations, between which it can be stopped; and one that takes seconds.
    let models = vec![
        graph("steps", graphs::products(400, 1024)),
        graph("one", graphs::products(1, 3584)),
        digits(),
    ];
    let limits = NnLimits { deadline: Duration::from_millis(200), load: 0 };
    let mut scorer = scorer(&sandbox, models, limits);
    let steps = obey(&mut scorer, "named steps x 1024x1024 fp32 0").unwrap_err();
    assert_eq!(steps, "Timeout: model 'steps': no result within 200ms");
    let one = obey(&mut scorer, "named one x 3584x3584 fp32 0").unwrap_err();
    assert_eq!(one, "Timeout: model 'one': no result within 200ms");
    assert!((1..=2).contains(&sandbox.threads().late()), "{}", sandbox.threads().late());
    // A call has its deadline once for each record: what comes second gets nothing left.
    let used_up = obey(&mut scorer, "again 2 steps x 1024x1024 fp32 0").unwrap_err();
    assert_eq!(used_up, "Timeout: model 'steps': the call has used up its time for inference");
    // With a row of its own it does; so a slow row takes nothing from its neighbours.
    let rows = ["named steps x 1024x1024 fp32 0", "named digits image 1x1x8x8 fp32 1"];
    let scored = scorer.score(&table(&rows)).unwrap();
    assert_eq!((scored.failures.len(), scored.failures[0].index, scored.values.len()), (1, 0, 3));
    while sandbox.threads().late() > 0 {
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

#[test]
fn tensors_in_the_host_are_the_guests_memory() {
    let mut scorer = scorer(&sandbox(), vec![], PATIENT);
    let hoard = |scorer: &mut Scorer, times| obey(scorer, &format!("hoard {times} 1000000"));
    assert_eq!(hoard(&mut scorer, 40), Ok([40.0, 0.0, 0.0]));
    // What is dropped is given back.
    assert_eq!(hoard(&mut scorer, 40), Ok([40.0, 0.0, 0.0]));
    let error = scorer.score(&table(&["hoard 300 1000000"])).unwrap_err();
    assert_eq!(error.code, Code::Memory, "{error}");
    // Nor can very many small ones be kept.
    let error = scorer.score(&table(&["hoard 4000000 1"])).unwrap_err();
    assert!(matches!(error.code, Code::Memory | Code::Trap), "{error}");
    assert_eq!(hoard(&mut scorer, 40), Ok([40.0, 0.0, 0.0]));
}
