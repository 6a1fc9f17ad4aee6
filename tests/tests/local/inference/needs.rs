//! What a computation takes for its tensors is known before it takes it.

use std::sync::atomic::AtomicBool;

use sandbar::inference::{Error, ErrorCode, States, Tensor};
use sandbar::model::ElementType;

use super::*;

fn read(bytes: Vec<u8>) -> Arc<Graph> {
    Graph::load("test".into(), GraphSource::Bytes(Kind::Onnx, bytes.into())).unwrap()
}

fn computed(
    graph: &Graph,
    dimensions: &[u32],
    ty: ElementType,
    data: Vec<u8>,
) -> Result<usize, Error> {
    let tensor = Tensor { dimensions: dimensions.to_vec(), ty, data };
    let inputs = [("x".to_owned(), tensor)];
    let outputs = graph.compute(&inputs, &mut States::default(), &AtomicBool::new(false))?;
    Ok(outputs[0].1.data.len())
}

/// Every row is compared with every other: a batch needs much more than its rows do.
#[test]
fn a_batch_that_needs_more_than_its_rows_is_refused() {
    let graph = read(graphs::pairs());
    let rows = |rows: u32| {
        let data = vec![0; rows as usize * 4];
        computed(&graph, &[rows, 1], ElementType::Fp32, data)
    };
    assert_eq!(rows(1000), Ok(4_000_000));
    let error = rows(10_000).unwrap_err();
    assert_eq!(error.code, ErrorCode::TooLarge);
    assert!(error.message.contains("needs 381 MiB for its tensors"), "{error}");
}

/// A length that an input says: no plan knows it before.
#[test]
fn a_tensor_whose_size_an_input_says_is_refused_before_it_is_made() {
    let graph = read(graphs::counts());
    let counted = |to: i64| computed(&graph, &[], ElementType::I64, to.to_le_bytes().to_vec());
    assert_eq!(counted(1000), Ok(8000));
    for to in [10_000_000_000, 50_000_000] {
        let error = counted(to).unwrap_err();
        assert_eq!(error.code, ErrorCode::TooLarge, "{error}");
        assert!(error.message.contains(&format!("it makes {} bytes", to * 8)), "{error}");
    }
}
