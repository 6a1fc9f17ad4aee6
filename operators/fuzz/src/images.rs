//! Any bytes as a record give a tensor or a failure, and a reader owes nothing to what
//! it read before.

use image_features::{Config, Fault, Filter, Mode, Reader, Settings};

fn reader(filter: Filter, mode: Mode) -> Reader {
    let config = Config {
        width: Some(5),
        height: Some(7),
        filter: Some(filter),
        mode: Some(mode),
        background: Some([1, 2, 3]),
        max_pixels: Some(100_000),
        ..Config::default()
    };
    Reader::new(Settings::new(config, None).expect("a valid configuration"))
}

/// Reads a picture.
///
/// # Panics
/// Where a tensor is not as large as it must be, a picture is read in one way only, or
/// what was read before shows.
pub fn image(bytes: &[u8]) {
    let new = || reader(Filter::Lanczos3, Mode::Crop);
    let mut used = reader(Filter::Lanczos3, Mode::Crop);
    // Something for the buffers to remember.
    let _ = used.read(Some(&bytes[..bytes.len() / 2]));
    let result = used.read(Some(bytes)).map(<[u8]>::to_vec);
    assert_eq!(result, new().read(Some(bytes)).map(<[u8]>::to_vec));
    match result {
        Ok(tensor) => {
            assert_eq!(tensor.len(), 5 * 7 * 3 * 4);
            reader(Filter::Nearest, Mode::Squash).read(Some(bytes)).expect("the same image");
        }
        Err(fault) => {
            assert!(!matches!(fault, Fault::Resize { .. }), "{fault}");
            assert!(fault.to_string().len() < 1000);
        }
    }
}
