//! Model folders, which come from elsewhere, and tensors, which guests make.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};

use sandbar::inference::{Graph, GraphSource, States, Tensor};
use sandbar::model::samples::{Table, npz};
use sandbar::model::{DESCRIPTION, ElementType, Model};

use crate::bytes::Bytes;

/// A folder of this process alone.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("sandbar-fuzz-{}", std::process::id()));
    let folder = folder.join(name);
    std::fs::create_dir_all(&folder).expect("a folder for temporary files");
    folder
}

/// Any `model.toml` describes a model or is an error that names the folder.
///
/// # Panics
/// Where it does not.
pub fn description(bytes: &[u8]) {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| folder("model"));
    std::fs::write(FOLDER.join(DESCRIPTION), bytes).expect("a temporary file");
    match Model::describe(&FOLDER) {
        Ok(model) => {
            let said: String = model.to_json(None);
            assert!(said.starts_with('{'), "{said}");
        }
        Err(error) => {
            let said = error.to_string();
            let folder = FOLDER.to_string_lossy();
            assert!(said.contains(&*folder), "the error does not name the folder: {said}");
        }
    }
}

/// Any archive of tensors is arrays that are written and read as the same, or an error; a table of
/// samples too.
///
/// # Panics
/// Where it is not.
pub fn samples(bytes: &[u8]) {
    match npz::read(bytes) {
        Err(error) => assert!(!error.is_empty()),
        Ok(arrays) => {
            // Not every name is one that can be written.
            if let Ok(written) = npz::write(&arrays) {
                assert_eq!(npz::read(&written).as_ref(), Ok(&arrays));
            }
            for array in &arrays {
                let count: usize = array.shape.iter().product();
                assert_eq!(array.numbers().len(), count);
                for ty in [ElementType::U8, ElementType::Fp16, ElementType::I64] {
                    if let Ok(tensor) = array.tensor(ty) {
                        assert_eq!(tensor.len(), count * ty.size());
                    }
                }
            }
        }
    }
    if let Ok(table) = Table::read(bytes) {
        let again = Table::read(table.write().as_bytes()).expect("what was written");
        assert_eq!(again.columns, table.columns);
        assert!(again.rows.iter().map(|it| &it.cells).eq(table.rows.iter().map(|it| &it.cells)));
    }
}

/// Any inputs of a graph give outputs of the declared shape or an error: names, types,
/// dimensions and data need not fit together.
///
/// # Panics
/// Where an output is of another shape.
pub fn tensor(bytes: &[u8]) {
    static GRAPH: LazyLock<Arc<Graph>> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/digits");
        let model = Model::open(&folder).expect("the model of digits");
        Graph::load("digits@1".into(), GraphSource::Folder(Box::new(model))).expect("a graph")
    });
    // Never dropped: a destructor of a thread local must not use tract's own ones, which may be
    // gone by then.
    thread_local! {
        static STATES: RefCell<ManuallyDrop<States>> = RefCell::default();
    }
    let mut bytes = Bytes(bytes);
    let count = 1 + usize::from(bytes.byte() % 8 == 7);
    let inputs: Vec<(String, Tensor)> = (0..count)
        .map(|_| {
            let name = match bytes.byte() {
                0 => "0".to_owned(),
                1..=0xf0 => "image".to_owned(),
                _ => bytes.text(),
            };
            let ty = match bytes.byte() {
                0..=0xf0 => ElementType::Fp32,
                0xf1 => ElementType::Fp16,
                0xf2 => ElementType::Fp64,
                0xf3 => ElementType::Bf16,
                0xf4 => ElementType::U8,
                0xf5 => ElementType::I32,
                _ => ElementType::I64,
            };
            let dimensions = bytes.list(Bytes::number);
            // Mostly as many as are needed, so that the graph is reached.
            let needed = dimensions.iter().try_fold(4_usize, |size, dimension| {
                size.checked_mul(*dimension as usize).filter(|size| *size <= 1 << 16)
            });
            let data = match (needed, bytes.byte()) {
                (Some(needed), 0..=0xe0) => {
                    (0..needed).map(|index| bytes.byte() ^ (index as u8)).collect()
                }
                _ => bytes.slice().to_vec(),
            };
            (name, Tensor { dimensions, ty, data })
        })
        .collect();
    let computed =
        STATES.with_borrow_mut(|states| GRAPH.compute(&inputs, states, &AtomicBool::new(false)));
    match computed {
        Err(error) => assert!(!error.message.is_empty()),
        Ok(outputs) => {
            assert_eq!(outputs.len(), 1);
            let (_, output) = &outputs[0];
            let rows = inputs[0].1.dimensions[0];
            assert_eq!(output.dimensions, [rows, 10]);
            assert_eq!(output.data.len(), rows as usize * 40);
        }
    }
}
