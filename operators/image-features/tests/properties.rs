//! What holds for any bytes: a tensor or a fault, soon, and nothing else.

mod common;

use std::time::{Duration, Instant};

use common::seeds;
use image_features::{Fault, Reader, Settings};
use proptest::prelude::*;
use serde_json::json;

fn reader(filter: &str, mode: &str) -> Reader {
    // Few pixels, so that what a changed header claims is refused or quick.
    common::reader(&json!({ "width": 5, "height": 7, "filter": filter, "mode": mode,
        "background": [1, 2, 3], "max_pixels": 100_000 }))
}

/// A tensor of the right size, or a fault that can be shown.
fn check(reader: &mut Reader, bytes: &[u8]) -> Result<(), TestCaseError> {
    let start = Instant::now();
    match reader.read(Some(bytes)) {
        Ok(tensor) => prop_assert_eq!(tensor.len(), 5 * 7 * 3 * 4),
        Err(fault) => {
            prop_assert!(!matches!(fault, Fault::Resize { .. }), "{}", fault);
            prop_assert!(fault.to_string().len() < 1000);
        }
    }
    prop_assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    Ok(())
}

/// One change to a picture.
#[derive(Clone, Debug)]
enum Damage {
    Set(prop::sample::Index, u8),
    Flip(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index, usize),
    /// A piece of it once more, somewhere else.
    Repeat(prop::sample::Index, prop::sample::Index, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let place = any::<prop::sample::Index>;
    prop_oneof![
        (place(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        (place(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        (place(), any::<u8>()).prop_map(|(at, byte)| Damage::Insert(at, byte)),
        (place(), 1..20_usize).prop_map(|(at, count)| Damage::Remove(at, count)),
        (place(), place(), 1..60_usize)
            .prop_map(|(from, to, count)| Damage::Repeat(from, to, count)),
    ]
}

/// `within` is where it may happen: headers are worth more damage than pixels.
fn apply(bytes: &mut Vec<u8>, damage: &Damage, within: usize) {
    let within = within.min(bytes.len());
    match damage {
        Damage::Set(at, byte) => bytes[at.index(within)] = *byte,
        Damage::Flip(at, bit) => bytes[at.index(within)] ^= 1 << bit,
        Damage::Insert(at, byte) => bytes.insert(at.index(within), *byte),
        Damage::Remove(at, count) => {
            let at = at.index(within);
            bytes.drain(at..(at + count).min(bytes.len() - 1).max(at));
        }
        Damage::Repeat(from, to, count) => {
            let from = from.index(within);
            let piece = bytes[from..(from + count).min(bytes.len())].to_vec();
            let to = to.index(within);
            bytes.splice(to..to, piece);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn damaged_pictures_give_a_tensor_or_a_fault(
        picture in prop::sample::select(seeds()),
        damages in prop::collection::vec(damage(), 1..6),
        header in any::<bool>(),
        keep in prop::option::weighted(0.2, any::<prop::sample::Index>()),
        filter in prop::sample::select(vec!["nearest", "bilinear", "bicubic", "lanczos3"]),
        mode in prop::sample::select(vec!["squash", "crop"]),
    ) {
        let (_, mut bytes) = picture;
        let within = if header { 200 } else { usize::MAX };
        for damage in &damages {
            apply(&mut bytes, damage, within);
        }
        if let Some(keep) = keep {
            bytes.truncate(keep.index(bytes.len()));
        }
        check(&mut reader(filter, mode), &bytes)?;
    }

    #[test]
    fn any_bytes_behind_a_mark_give_a_tensor_or_a_fault(
        mark in prop::sample::select(vec![
            b"\xff\xd8\xff".to_vec(), b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(),
            b"RIFF\x40\0\0\0WEBPVP8 ".to_vec(), b"RIFF\x40\0\0\0WEBPVP8L".to_vec(),
            b"GIF89a".to_vec(), b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec(), Vec::new(),
        ]),
        noise in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        check(&mut reader("bilinear", "squash"), &[mark, noise].concat())?;
    }

    /// The geometry, from one pixel to strips, into tensors of any shape.
    #[test]
    fn pictures_of_any_shape_fill_tensors_of_any_shape(
        (width, height) in prop_oneof![
            (1..80_usize, 1..80_usize), (1..5_usize, 1..3000_usize), (1..3000_usize, 1..5_usize),
        ],
        to_width in 1..70_u32,
        to_height in 1..70_u32,
        value in any::<u8>(),
        filter in prop::sample::select(vec!["nearest", "bilinear", "bicubic", "lanczos3"]),
        short_side in prop::option::of(0..50_u32),
        mode in prop::sample::select(vec!["squash", "crop"]),
    ) {
        let mut config = json!({ "width": to_width, "height": to_height, "filter": filter,
            "mode": mode });
        if let (Some(more), "crop") = (short_side, mode) {
            config["short-side"] = (to_width.max(to_height) + more).into();
        }
        let config = serde_json::from_value(config).expect("a configuration");
        let mut reader = Reader::new(Settings::new(config, None).expect("one that works"));
        // A picture of one colour stays one, wherever it is cut and however it is scaled.
        let picture = common::bitmap(width, height, &vec![value; 3 * width * height]);
        let elements = common::elements(&mut reader, &picture).expect("an image");
        prop_assert_eq!(elements.len(), 3 * (to_width * to_height) as usize);
        for element in elements {
            prop_assert!((element - f32::from(value)).abs() <= 1.0, "{} of {}", element, value);
        }
    }
}

/// What was read before, whole or damaged, does not show.
#[test]
fn pictures_owe_nothing_to_those_before() {
    let mut all = reader("lanczos3", "crop");
    let pictures = seeds();
    for (name, bytes) in pictures.iter().chain(pictures.iter().rev()) {
        let _ = all.read(Some(&bytes[..bytes.len() * 2 / 3]));
        let alone = reader("lanczos3", "crop").read(Some(bytes)).expect("an image").to_vec();
        assert_eq!(all.read(Some(bytes)), Ok(alone.as_slice()), "{name}");
    }
}
