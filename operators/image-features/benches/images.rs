//! Time per image, natively: `cargo bench -p image-features`.
//!
//! The small pictures are those of the tests. The large ones are not part of the
//! project: `SANDBAR_TEST_DATA` says where the test data is, and without it they are
//! left out. `cargo xtask bench` compares with the same in the sandbox.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use image_features::{Config, Filter, Reader, Settings};

const SMALL: [&str; 6] = [
    "jpeg-420.jpg",
    "jpeg-420-progressive.jpg",
    "png-rgba.png",
    "webp-lossy.webp",
    "gif.gif",
    "bmp-24.bmp",
];
const LARGE: [&str; 3] = ["new_airplane.jpg", "trained_airplane_2.jpg", "devil.png"];

/// The best of several passes, in milliseconds per image.
fn measure(path: &Path, filter: Filter) {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let config =
        Config { width: Some(224), height: Some(224), filter: Some(filter), ..Config::default() };
    let settings = Settings::new(config, None).expect("a valid configuration");
    let mut reader = Reader::new(settings);
    let mut best = f64::INFINITY;
    let begin = Instant::now();
    while best == f64::INFINITY || begin.elapsed().as_secs_f64() < 1.5 {
        let start = Instant::now();
        black_box(reader.read(Some(black_box(&bytes))).expect("an image"));
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    println!("{name:<30} {:<10} {best:>8.2} ms/image", format!("{filter:?}"));
}

fn main() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/images");
    for name in SMALL {
        measure(&folder.join(name), Filter::Bilinear);
    }
    let Some(folder) = std::env::var_os("SANDBAR_TEST_DATA") else {
        println!(
            "without the large pictures: SANDBAR_TEST_DATA is not set (its images/ is needed)"
        );
        return;
    };
    for name in LARGE {
        for filter in [Filter::Nearest, Filter::Bilinear, Filter::Lanczos3] {
            measure(&PathBuf::from(&folder).join("images").join(name), filter);
        }
    }
}
