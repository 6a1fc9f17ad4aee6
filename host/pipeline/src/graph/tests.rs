#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use proptest::prelude::*;
use sandbar_sandbox::World;

use super::{Begin, Graph, Node, Step};

/// Stages as `name:x<from,from`, where x is t, e or s.
fn nodes(stages: &str) -> Vec<Node> {
    let node = |stage: &str| {
        let (stage, from) = stage.split_once('<').unwrap_or((stage, ""));
        let (name, world) = stage.split_once(':').unwrap();
        let world = match world {
            "t" => World::Transformer,
            "e" => World::Extractor,
            _ => World::Scorer,
        };
        let from = from.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        Node { name: name.into(), world, from, renames: false }
    };
    stages.split_whitespace().map(node).collect()
}

fn graph(stages: &str) -> Graph {
    Graph::new(&nodes(stages), &[]).unwrap()
}

fn error(stages: &str, sink: &[&str]) -> String {
    let sink: Vec<String> = sink.iter().map(|name| (*name).to_owned()).collect();
    Graph::new(&nodes(stages), &sink).unwrap_err().to_string()
}

fn scorer(stage: usize, inputs: &[usize]) -> Step {
    Step::Scorer { stage, inputs: inputs.into() }
}

#[test]
fn a_plain_chain() {
    let graph = graph("a:t b:t f:e s:s");
    let begins: Vec<Begin> = graph.sections.iter().map(|section| section.begin).collect();
    assert_eq!(begins, [Begin::Source, Begin::Transformer(0), Begin::Transformer(1)]);
    let last = &graph.sections[2];
    assert_eq!(last.steps, [Step::Extractor(2), scorer(3, &[0])]);
    assert_eq!(last.leaves, [1]);
    assert!(graph.sections[..2].iter().all(|section| section.steps.is_empty()));
}

#[test]
fn several_scorers_read_the_same_features() {
    let graph = graph("f:e a:s b:s c:s<f,a");
    assert_eq!(graph.sections.len(), 1);
    let section = &graph.sections[0];
    assert_eq!(section.steps[1..], [scorer(1, &[0]), scorer(2, &[0]), scorer(3, &[0, 1])]);
    assert_eq!(section.leaves, [1, 2, 3]);
    assert!(section.is_input(1) && !section.is_input(2));
}

#[test]
fn what_the_sink_names_leaves() {
    let stages = nodes("f:e a:s b:s<a,f");
    let graph = Graph::new(&stages, &["b".to_owned()]).unwrap();
    assert_eq!(graph.sections[0].leaves, [2]);
    let unread = error("f:e a:s b:s", &["b"]);
    assert_eq!(
        unread,
        "stage 'a' (number 2, scorer): nothing reads its predictions; name it in 'from' of [sink] \
         or of a scorer, or take the stage out"
    );
}

#[test]
fn predictions_become_records() {
    let graph = graph("f:e a:s b:s t:t");
    assert_eq!(graph.sections[1].begin, Begin::Transformer(3));
    assert_eq!(graph.sections[0].leaves, [1, 2]);
    let graph = self::graph("f:e a:s g:e<a b:s");
    assert_eq!(graph.sections[1].begin, Begin::Predictions);
    assert_eq!(graph.sections[1].steps, [Step::Extractor(2), scorer(3, &[0])]);
    // A second extractor of the same records.
    let graph = self::graph("f:e a:s g:e<source b:s");
    assert_eq!(graph.sections.len(), 1);
    assert_eq!(graph.sections[0].steps[3], scorer(3, &[2]));
    // And of the same predictions.
    let graph = self::graph("f:e a:s b:s g:e<b,a h:e<a,b c:s<g,h");
    assert_eq!(graph.sections[1].steps[2], scorer(5, &[0, 1]));
}

#[test]
fn what_does_not_fit_is_named() {
    for (stages, sink, expected) in [
        (
            "f:e a:s g:e b:s",
            &[][..],
            "stage 'g' (number 3, extractor): it could read the records ('source') or their predictions ('a'); say which",
        ),
        (
            "s:s",
            &[],
            "stage 's' (number 1, scorer): a scorer takes features, and no stage before it makes some of the records of 'source'",
        ),
        ("f:e a:s t:t b:s", &[], "makes some of the records of 't'"),
        ("f:e", &[], "stage 'f' (number 1, extractor): nothing reads its features"),
        ("f:e t:t g:e s:s", &[], "stage 'f' (number 1, extractor): nothing reads its features"),
        ("f:e g:e s:s", &[], "stage 'f' (number 1, extractor): nothing reads its features"),
        (
            "f:e a:s t:t<f",
            &[],
            "stage 't' (number 3, transformer): from: it cannot read 'f': it makes features, and a transformer reads records; it can read 'a'",
        ),
        (
            "f:e a:s t:t<source",
            &[],
            "it cannot read 'source': it makes records, and a transformer reads records",
        ),
        (
            "f:e a:s t:t g:e b:s<f",
            &[],
            "it cannot read 'f': the records have become others since ('t'), which have rows of their own; it can read 'g'",
        ),
        (
            "f:e a:s<source",
            &[],
            "it cannot read 'source': it makes records, and a scorer reads features",
        ),
        (
            "f:e a:s",
            &["f"],
            "[sink]: from: it cannot read 'f': it makes features, and the sink is given predictions",
        ),
        (
            "t:t u:t<source",
            &[],
            "stage 'u' (number 2, transformer): from: it cannot read 'source': the records have become others",
        ),
        (
            "f:e a:s b:s g:e<a,b h:e<a c:s<g,h",
            &[],
            "it cannot read 'b': the records have the predictions of all of them",
        ),
    ] {
        let found = error(stages, sink);
        assert!(found.contains(expected), "{stages}: {found}");
    }
    let mut renaming = nodes("f:e s:s");
    renaming[0].renames = true;
    let found = Graph::new(&renaming, &[]).unwrap_err().to_string();
    assert!(found.contains("only a scorer is given columns"), "{found}");
}

proptest! {
    /// Whatever stands in a manifest is refused, or each stage has one place and reads what comes
    /// before it.
    #[test]
    fn any_stages_have_a_place_or_are_refused(
        stages in prop::collection::vec((0..3_usize, prop::collection::vec(0..8_usize, 0..3)), 0..8),
        sink in prop::collection::vec(0..8_usize, 0..3),
    ) {
        let name = |at: &usize| if *at == 0 { "source".to_owned() } else { format!("s{at}") };
        let worlds = [World::Transformer, World::Extractor, World::Scorer];
        let nodes: Vec<Node> = stages.iter().enumerate().map(|(at, (world, from))| Node {
            name: name(&(at + 1)).as_str().into(),
            world: worlds[*world],
            from: from.iter().map(name).collect(),
            renames: false,
        }).collect();
        let sink: Vec<String> = sink.iter().map(name).collect();
        if let Ok(graph) = Graph::new(&nodes, &sink) {
            let mut placed = Vec::new();
            for section in &graph.sections {
                if let Begin::Transformer(stage) = section.begin {
                    prop_assert_eq!(nodes[stage].world, World::Transformer);
                    placed.push(stage);
                }
                for (at, step) in section.steps.iter().enumerate() {
                    let world = if step.is_scorer() { World::Scorer } else { World::Extractor };
                    prop_assert_eq!(nodes[step.stage()].world, world);
                    if let Step::Scorer { inputs, .. } = step {
                        prop_assert!(!inputs.is_empty() && inputs.iter().all(|input| *input < at));
                    }
                    prop_assert!(section.is_input(at) || section.leaves.contains(&at));
                    placed.push(step.stage());
                }
                prop_assert!(section.leaves.iter().all(|leaf| section.steps[*leaf].is_scorer()));
            }
            prop_assert_eq!(placed, (0..nodes.len()).collect::<Vec<_>>());
        }
    }
}
