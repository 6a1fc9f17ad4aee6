//! Samples of graphs as users write them, with the answers of ONNX Runtime and TensorFlow:
//! `tests/golden/samples`, which `models/golden-samples.py` writes.

#![allow(clippy::disallowed_methods, reason = "files that the test made or the repository has")]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sandbar_inference::samples::{TensorError, answers, reproduce};
use sandbar_inference::{Artifact, Content, Graph};
use sandbar_model::samples::{Array, npz};
use sandbar_model::{Model, SampleContent, Sha256};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/samples")
}

fn arrays(name: &str) -> Vec<Array> {
    npz::read(&fs::read(golden().join(format!("{name}.npz"))).unwrap()).unwrap()
}

/// A model folder with one of the graphs.
fn folder(file: &str, samples: &str) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("samples-{file}-{samples}"));
    fs::create_dir_all(&place).unwrap();
    let bytes = match file {
        "digits.onnx" => fs::read(golden().join("../../../models/digits/model.onnx")).unwrap(),
        file => fs::read(golden().join(file)).unwrap(),
    };
    fs::write(place.join(file), &bytes).unwrap();
    let kind = if file.ends_with(".pb") { "tensorflow" } else { "onnx" };
    let digest = Sha256::of(&bytes);
    let description = format!(
        "name = \"m\"\nversion = 1\nkind = \"{kind}\"\nfile = \"{file}\"\nsha256 = \"{digest}\"\nlicence = \"MIT\"\ndescription = \"test\"\nsamples = {{ file = \"{samples}.npz\" }}\n"
    );
    fs::write(place.join("model.toml"), description).unwrap();
    fs::copy(golden().join(format!("{samples}.npz")), place.join(format!("{samples}.npz")))
        .unwrap();
    place
}

fn graph(file: &str) -> Arc<Graph> {
    let samples = if file == "digits.onnx" { "digits" } else { file.split_once('.').unwrap().0 };
    let samples = if samples == "mixed" { "mixed-alone" } else { samples };
    let artifact = Artifact::load(Model::open(&folder(file, samples)).unwrap()).unwrap();
    let Content::Graph(graph) = artifact.content else { panic!("no graph") };
    graph
}

fn tried(graph: &Arc<Graph>, arrays: &[Array]) -> Result<usize, TensorError> {
    reproduce(graph, arrays, None, Arc::default())
}

#[test]
fn graphs_reproduce_their_samples() {
    for (file, samples, rows) in [
        ("digits.onnx", "digits", 8),
        ("digits.onnx", "digits-other", 8),
        ("types.onnx", "types", 4),
        ("second.onnx", "second", 3),
        ("length.onnx", "length", 1),
        ("one.onnx", "one", 3),
        ("frozen.pb", "frozen", 3),
    ] {
        let artifact = Artifact::load(Model::open(&folder(file, samples)).unwrap()).unwrap();
        let Content::Graph(graph) = &artifact.content else { panic!("no graph") };
        let read = artifact.samples.unwrap();
        let SampleContent::Tensors(arrays) = &read.content else { panic!("{read:?}") };
        assert_eq!(tried(graph, arrays), Ok(rows), "{samples}");
        // What the runner answers itself are arrays of the same names, types and shapes.
        let own = answers(graph, arrays, Arc::default()).unwrap();
        for answer in &own {
            let given = arrays.iter().find(|it| it.name == answer.name).unwrap();
            assert_eq!(given.shape, answer.shape, "{samples}, {}", answer.name);
            let same = given.ty == answer.ty || samples == "digits-other";
            assert!(same, "{samples}, {}: {} {}", answer.name, given.ty, answer.ty);
        }
        let inputs =
            arrays.iter().filter(|it| graph.inputs().iter().any(|input| input.name == it.name));
        let again = npz::write(&inputs.cloned().chain(own).collect::<Vec<_>>()).unwrap();
        assert_eq!(tried(graph, &npz::read(&again).unwrap()), Ok(rows), "{samples}");
    }
}

/// Every element of every output counts: changed in the file, it is missed in the answer.
#[test]
fn what_differs_is_named() {
    for (file, samples) in
        [("types.onnx", "types"), ("second.onnx", "second"), ("frozen.pb", "frozen")]
    {
        let graph = graph(file);
        let good = arrays(samples);
        for (place, array) in good.iter().enumerate() {
            if graph.inputs().iter().any(|input| input.name == array.name) {
                continue;
            }
            let size = array.ty.size();
            for element in 0..array.data.len() / size {
                let mut other = good.clone();
                // The sign and the exponent of floats; of integers a high byte.
                other[place].data[(element + 1) * size - 1] ^= 0x55;
                let error = tried(&graph, &other).unwrap_err();
                let named = format!("output '{}' is ", array.name);
                assert!(error.row.is_some() && error.reason.starts_with(&named), "{error:?}");
            }
        }
    }
    let graph = graph("types.onnx");
    let mut wrong = arrays("types");
    let best = wrong.iter_mut().find(|it| it.name == "best").unwrap();
    best.data[8] ^= 1;
    let error = tried(&graph, &wrong).unwrap_err();
    assert_eq!(error.row, Some(1));
    assert_eq!(error.reason, "output 'best' is 1 at [0], expected 0 (tolerance 0)");
}

#[test]
fn rows_are_tried_alone_and_together() {
    let graph = graph("mixed.onnx");
    let error = tried(&graph, &arrays("mixed-together")).unwrap_err();
    assert_eq!(error.row, Some(0));
    assert!(error.reason.contains("output 'y' is 0 at [0, 0], expected -2"), "{error:?}");
    let error = tried(&graph, &arrays("mixed-alone")).unwrap_err();
    assert_eq!(error.row, None);
    assert!(error.reason.starts_with("rows 1 and 2, each as expected alone"), "{error:?}");
    assert!(error.reason.contains("[[inputs]] in model.toml"), "{error:?}");
    let one: Vec<Array> = arrays("mixed-alone").iter().map(|it| it.slice(0, 0, 1)).collect();
    assert_eq!(tried(&graph, &one), Ok(1));
}

#[test]
fn arrays_that_are_not_the_graphs_are_refused() {
    let graph = graph("types.onnx");
    let good = arrays("types");
    let without =
        |name: &str| good.iter().filter(|it| it.name != name).cloned().collect::<Vec<_>>();
    let with = |name: &str, change: &dyn Fn(&mut Array)| {
        let mut arrays = good.clone();
        change(arrays.iter_mut().find(|it| it.name == name).unwrap());
        arrays
    };
    let inputs: Vec<Array> =
        good.iter().filter(|it| ["a", "b"].contains(&&*it.name)).cloned().collect();
    for (arrays, due) in [
        (without("b"), "array 'b': missing, the graph takes 'a', 'b'"),
        (inputs, "no expected output"),
        (
            with("sum", &|it| it.name = "arr_0".into()),
            "array 'arr_0': neither an input of the graph",
        ),
        (with("b", &|it| *it = it.slice(0, 0, 3)), "array 'b': 3 rows, but 'a' has 4"),
        (with("sum", &|it| *it = it.slice(0, 0, 3)), "array 'sum': of [3, 3], expected 4 rows"),
        (
            with("a", &|it| *it = it.slice(1, 0, 2)),
            "array 'a': float32 of [4, 2], the graph takes fp32 of [N, 3]",
        ),
        (with("a", &|it| it.shape = vec![12]), "save array[None]"),
        (with("sum", &|it| *it = it.slice(1, 0, 2)), "output 'sum' is of [1, 3], expected [1, 2]"),
        (good.iter().map(|it| it.slice(0, 0, 0)).collect(), "0 rows; give 1 to 1000"),
    ] {
        let error = tried(&graph, &arrays).unwrap_err();
        assert!(error.reason.contains(due), "{due}: {error:?}");
    }
    // Some of the outputs are enough.
    assert_eq!(tried(&graph, &without("half")), Ok(4));
}

#[test]
fn hostile_archives_are_refused_by_name() {
    for (name, due) in [
        ("objects", "array 'image': holds Python objects"),
        ("texts", "array 'image': holds texts"),
        ("complex", "array 'image': holds complex numbers"),
        ("records", "array 'image': holds records of several fields"),
        ("dates", "array 'image': holds dates"),
        ("bomb", "'image.npy': more than 67108864 bytes in the archive, unpacked"),
        ("short", "252 bytes of data, which are not float32 of [1, 1, 8, 8]"),
        ("promise", "256 bytes of data, which are not float32 of [99999999, 8]"),
    ] {
        let file = fs::read(golden().join(format!("hostile-{name}.npz"))).unwrap();
        let error = npz::read(&file).unwrap_err();
        assert!(error.contains(due), "{name}: {error}");
    }
}
