//! Graphs against the tools that made them, ONNX Runtime and TensorFlow, whose answers
//! lie in `tests/golden/graphs` and `models/digits` (models/golden-graphs.py and
//! train-digits.py say how they were made); and graphs that are not in order.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use proptest::prelude::*;
use sandbar::inference::Error;
use sandbar::inference::{ErrorCode, Graph, GraphSource, States, Tensor};
use sandbar::model::{ElementType, Kind};
use sandbar_tests::{graphs, project, test_data};

use super::pillow;

/// Rows of a golden file with tensors of the generator; pictures follow.
const RANDOM: usize = 20;

fn load(kind: Kind, bytes: impl Into<Arc<[u8]>>) -> Result<Arc<Graph>, Error> {
    Graph::load("model".into(), GraphSource::Bytes(kind, bytes.into()))
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

fn golden(name: &str) -> Vec<Vec<f32>> {
    let path = project().join("tests/golden/graphs").join(name);
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap())
        .read_to_end(&mut bytes)
        .unwrap();
    floats(&bytes).chunks(1000).map(<[f32]>::to_vec).collect()
}

fn compute(graph: &Graph, states: &mut States, shape: [u32; 4], x: &[f32]) -> Vec<f32> {
    let data = x.iter().flat_map(|number| number.to_le_bytes()).collect();
    let tensor = Tensor { dimensions: shape.to_vec(), ty: ElementType::Fp32, data };
    let outputs = graph.compute(&[("0".into(), tensor)], states, &AtomicBool::new(false));
    floats(&outputs.unwrap()[0].1.data)
}

/// The generator of models/golden-graphs.py: SplitMix64, a number for each channel and
/// block of pixels, the blocks of another size from tensor to tensor.
fn random(tensor: usize, side: usize, channels_last: bool) -> Vec<f32> {
    let block = [1, 4, 16, 32][tensor % 4];
    let blocks = side.div_ceil(block);
    let mut state = tensor as u64;
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / 16_777_216.0 * 255.0 - 117.0
    };
    let numbers: Vec<f32> = (0..3 * blocks * blocks).map(|_| next()).collect();
    let mut elements = vec![0.0; 3 * side * side];
    for channel in 0..3 {
        for y in 0..side {
            for x in 0..side {
                let number = numbers[(channel * blocks + y / block) * blocks + x / block];
                let place = if channels_last {
                    (y * side + x) * 3 + channel
                } else {
                    (channel * side + y) * side + x
                };
                elements[place] = number;
            }
        }
    }
    elements
}

/// Pictures of the golden files behind the tensors, in order.
const PICTURES: [&str; 4] =
    ["devil.png", "new_airplane.jpg", "trained_airplane_2.jpg", "trained_butterfly.jpg"];

/// What becomes of the alpha of a picture that has some.
#[derive(Clone, Copy)]
enum Alpha {
    Dropped,
    OnWhite,
}

/// A decoded picture: RGB pixels, width and height.
fn decoded(name: &str, alpha: Alpha) -> Option<(Vec<u8>, (usize, usize))> {
    let file = test_data(&format!("images/{name}"))?;
    if name.ends_with(".jpg") {
        let picture = libjpeg_turbo_rs::decompress(&file).unwrap();
        return Some((picture.data, (picture.width, picture.height)));
    }
    let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((frame.color_type, frame.bit_depth), (png::ColorType::Rgba, png::BitDepth::Eight));
    let rgb = |pixel: &[u8; 4]| match alpha {
        Alpha::Dropped => [pixel[0], pixel[1], pixel[2]],
        Alpha::OnWhite => pillow::on_white(*pixel),
    };
    let pixels = pixels.as_chunks().0.iter().flat_map(rgb).collect();
    Some((pixels, (frame.width as usize, frame.height as usize)))
}

/// A picture as the script prepares it: decoded, squashed, BGR minus the means.
fn picture(name: &str, alpha: Alpha, side: usize, channels_last: bool) -> Option<Vec<f32>> {
    let (pixels, size) = decoded(name, alpha)?;
    let pixels = pillow::bilinear(&pixels, size, side);
    let mut elements = vec![0.0; pixels.len()];
    for (place, pixel) in pixels.chunks(3).enumerate() {
        for (channel, mean) in [104.0, 117.0, 123.0].into_iter().enumerate() {
            let place =
                if channels_last { 3 * place + channel } else { channel * side * side + place };
            elements[place] = f32::from(pixel[2 - channel]) - mean;
        }
    }
    Some(elements)
}

/// Every probability within 1e-4, and the best five in the same order where they differ
/// by more.
fn assert_same(found: &[f32], due: &[f32], what: &str) {
    assert_eq!(found.len(), due.len(), "{what}");
    for (class, (found, due)) in found.iter().zip(due).enumerate() {
        assert!((found - due).abs() <= 1e-4, "{what}, class {class}: {found}, not {due}");
    }
    let order = |numbers: &[f32]| {
        let mut order: Vec<usize> = (0..numbers.len()).collect();
        order.sort_by(|a, b| numbers[*b].total_cmp(&numbers[*a]));
        order
    };
    for (found, expected) in order(found).iter().zip(order(due)).take(5) {
        assert!((due[*found] - due[expected]).abs() <= 1e-4, "{what}: {found}, not {expected}");
    }
}

/// `row`: which of devil-on-white.f32.gz is this graph's.
fn as_the_original(kind: Kind, file: &str, results: &str, side: u32, row: usize) {
    let Some(bytes) = test_data(&format!("models/{file}")) else { return };
    let graph = load(kind, bytes).unwrap();
    let channels_last = kind == Kind::Tensorflow;
    let shape = if channels_last { [1, side, side, 3] } else { [1, 3, side, side] };
    let mut states = States::default();
    let rows = golden(results);
    let (tensors, pictures) = rows.split_at(RANDOM);
    for (number, due) in tensors.iter().enumerate() {
        let x = random(number, side as usize, channels_last);
        let found = compute(&graph, &mut states, shape, &x);
        assert_same(&found, due, &format!("{file}, tensor {number}"));
    }
    let on_white = &golden("devil-on-white.f32.gz")[row];
    let dropped = PICTURES.map(|name| (name, Alpha::Dropped));
    assert_eq!(pictures.len(), dropped.len());
    let due = pictures.iter().chain([on_white]);
    for ((name, alpha), due) in dropped.into_iter().chain([("devil.png", Alpha::OnWhite)]).zip(due)
    {
        let Some(x) = picture(name, alpha, side as usize, channels_last) else { continue };
        let found = compute(&graph, &mut states, shape, &x);
        assert_same(&found, due, &format!("{file}, {name}"));
    }
}

#[test]
fn googlenet_as_onnx_runtime() {
    as_the_original(Kind::Onnx, "bvlc_googlenet.onnx", "googlenet.f32.gz", 224, 0);
}

#[test]
fn squeezenet_as_onnx_runtime() {
    as_the_original(Kind::Onnx, "squeezenet1_0.onnx", "squeezenet.f32.gz", 227, 1);
}

#[test]
fn inception_as_tensorflow() {
    as_the_original(Kind::Tensorflow, "inception_tf_frozen.pb", "inception-tf.f32.gz", 224, 2);
}

/// A stack of tensors gives what each gives alone.
#[test]
fn a_stack_is_its_rows() {
    let bytes = std::fs::read(project().join("models/digits/model.onnx")).unwrap();
    let graph = load(Kind::Onnx, bytes).unwrap();
    let mut states = States::default();
    let rows: Vec<Vec<f32>> = (0..7)
        .map(|row| (0..64).map(|n| ((row * 64 + n) % 13) as f32 / 13.0 - 0.5).collect())
        .collect();
    let together = compute(&graph, &mut states, [7, 1, 8, 8], &rows.concat());
    for (row, together) in rows.iter().zip(together.chunks(10)) {
        let alone = compute(&graph, &mut states, [1, 1, 8, 8], row);
        for (together, alone) in together.iter().zip(alone) {
            assert!((together - alone).abs() < 1e-5, "{together} {alone}");
        }
    }
    // More sizes than plans are kept for: each is made again when it is asked for again.
    for size in (1..=6).chain(1..=6) {
        let found = compute(&graph, &mut states, [size as u32, 1, 8, 8], &rows[..size].concat());
        assert_eq!(found.len(), 10 * size);
    }
}

fn refusal(bytes: Vec<u8>) -> Error {
    load(Kind::Onnx, bytes).unwrap_err()
}

#[test]
fn what_is_no_graph_says_so() {
    let error = refusal(graphs::unknown_operation());
    assert_eq!(error.code, ErrorCode::UnsupportedOperation);
    let expected = "model: operation Levitate (node 'y') is not supported: ";
    assert!(error.message.starts_with(expected), "{}", error.message);
    for (bytes, words) in [
        (b"a text file".to_vec(), "not a readable graph of kind onnx"),
        (Vec::new(), "not a readable graph of kind onnx"),
        (graphs::constant(&[1 << 40, 1 << 20], &[0; 8], None), "not a readable graph"),
        (graphs::constant(&[1 << 40], &[], None), "not a readable graph"),
        (graphs::constant(&[2], &[], Some("/etc/hostname")), "not a readable graph"),
        (graphs::constant(&[2], &[], Some("../secret")), "not a readable graph"),
    ] {
        let error = refusal(bytes);
        assert_eq!(error.code, ErrorCode::InvalidEncoding, "{error}");
        assert!(error.message.contains(words), "{error}");
    }
    let huge = graphs::expands(&[1 << 20, 1 << 20]);
    let error = refusal(huge);
    assert!(error.message.contains("of more than 1073741824 bytes"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever happens to the bytes of a graph: a graph or an error.
    #[test]
    fn a_damaged_graph_is_a_graph_or_an_error(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        keep in prop::option::of(any::<prop::sample::Index>()),
        tensorflow in any::<bool>(),
    ) {
        let mut bytes = std::fs::read(project().join("models/digits/model.onnx")).unwrap();
        for (place, byte) in changes {
            // Most of a file is weights: the structure is at both ends.
            let place = place.index(2 * 4000);
            let place = if place < 4000 { place } else { bytes.len() - (place - 3999) };
            bytes[place] = byte;
        }
        if let Some(keep) = keep {
            bytes.truncate(keep.index(bytes.len()));
        }
        let kind = if tensorflow { Kind::Tensorflow } else { Kind::Onnx };
        if let Ok(graph) = load(kind, bytes) {
            let x = Tensor { dimensions: vec![1, 1, 8, 8], ty: ElementType::Fp32, data: vec![0; 256] };
            let _ = graph.compute(&[("0".into(), x)], &mut States::default(), &AtomicBool::new(false));
        }
    }
}
