//! The fuzz targets of the operators. `CONTRIBUTING.md` says how to run them and how to add
//! one: a function, a row here, and a corpus.

pub mod expressions;
pub mod filter;
pub mod flights;
pub mod images;
pub mod lightgbm;
pub mod mojo;
pub mod records;
pub mod schemas;
pub mod text;
pub mod xgboost;

use fuzz_driver::{Suite, Target};

/// All targets.
pub const SUITE: Suite = Suite {
    folder: env!("CARGO_MANIFEST_DIR"),
    targets: &[
        Target { name: "avro", run: schemas::avro, seeds: &[], max_len: 2048 },
        Target { name: "expressions", run: expressions::any, seeds: &[], max_len: 2048 },
        Target {
            name: "filter",
            run: filter::any,
            seeds: &[("corpus/records", "")],
            max_len: 4096,
        },
        Target { name: "flights", run: flights::records, seeds: &[], max_len: 4096 },
        Target {
            name: "images",
            run: images::image,
            seeds: &[
                ("../image-features/testdata/images", ""),
                ("../image-features/testdata/suites/seeds", ""),
            ],
            max_len: 20_000,
        },
        Target { name: "lightgbm", run: lightgbm::text, seeds: &[], max_len: 12_000 },
        Target {
            name: "mojo-bytes",
            run: mojo::bytes,
            seeds: &[("../h2o-mojo/testdata", ".zip")],
            max_len: 20_000,
        },
        Target { name: "mojo-entries", run: mojo::entries, seeds: &[], max_len: 40_000 },
        Target { name: "records", run: records::any, seeds: &[], max_len: 4096 },
        Target { name: "protobuf", run: schemas::protobuf, seeds: &[], max_len: 2048 },
        Target { name: "schema-ids", run: schemas::envelope, seeds: &[], max_len: 64 },
        Target { name: "text", run: text::any, seeds: &[], max_len: 4096 },
        Target { name: "xgboost", run: xgboost::model, seeds: &[], max_len: 20_000 },
    ],
};
