//! The operator as a stage of a pipeline: its configuration, and what records give.

mod common;

use common::{bitmap, picture, pictures};
use image_features::ImageFeatures;
use sandbar_operator::testing::{Cell, ExtractorStage, Records, Stage, TestRecord};
use sandbar_operator::{ElementType, Error, FailureCode, Field};
use serde_json::{Value, json};

type Images = ExtractorStage<ImageFeatures>;

fn stage(config: Value) -> Result<Images, Error> {
    Stage::new().config(config).extractor()
}

fn with_model(config: Value, description: Value) -> Result<Images, Error> {
    Stage::new().config(config).description("net", description).extractor()
}

fn error(result: Result<Images, Error>) -> String {
    match result {
        Ok(_) => panic!("an error was expected"),
        Err(error) => error.message().to_owned(),
    }
}

/// The bytes of the one tensor of an image.
fn bytes(images: &mut Images, value: &[u8]) -> Vec<u8> {
    let mut rows = images.extract(&Records::of_values([value])).rows();
    match rows.remove(0).expect("a row").remove(0) {
        Cell::Tensor(bytes) => bytes,
        cell => panic!("{cell:?}"),
    }
}

/// The one tensor of an image, of fp32.
fn tensor(images: &mut Images, value: &[u8]) -> Vec<f32> {
    let bytes = bytes(images, value);
    bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

/// Four pixels: red, green; blue, white.
fn four() -> Vec<u8> {
    bitmap(2, 2, &[255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255])
}

#[test]
fn channels_layout_mean_and_scale_make_the_tensor() -> Result<(), Error> {
    let mut plain = stage(json!({ "width": 2, "height": 2 }))?;
    assert_eq!(plain.features(), [Field::tensor("image", ElementType::Fp32, [3, 2, 2])]);
    assert_eq!(
        tensor(&mut plain, &four()),
        [255., 0., 0., 255., 0., 255., 0., 255., 0., 0., 255., 255.]
    );

    let mut caffe = stage(json!({ "width": 2, "height": 2, "channels": "bgr",
        "layout": "nhwc", "mean": [104, 117, 123], "scale": [1, 0.5, 2] }))?;
    assert_eq!(caffe.features(), [Field::tensor("image", ElementType::Fp32, [2, 2, 3])]);
    let red = [-104., -58.5, 264.];
    let green = [-104., 69., -246.];
    let blue = [151., -58.5, -246.];
    let white = [151., 69., 264.];
    assert_eq!(tensor(&mut caffe, &four()), [red, green, blue, white].concat());

    let mut grey = stage(json!({ "width": 2, "height": 2, "channels": "grey", "mean": 1 }))?;
    assert_eq!(grey.features(), [Field::tensor("image", ElementType::Fp32, [1, 2, 2])]);
    assert_eq!(tensor(&mut grey, &four()), [75., 149., 28., 254.]);
    Ok(())
}

#[test]
fn a_tensor_of_u8_has_the_pixels() -> Result<(), Error> {
    let config = json!({ "width": 2, "height": 2, "layout": "nhwc", "type": "u8" });
    let mut pixels = stage(config)?;
    assert_eq!(pixels.features(), [Field::tensor("image", ElementType::U8, [2, 2, 3])]);
    let four_of_three = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255];
    assert_eq!(bytes(&mut pixels, &four()), four_of_three);

    let mut planes = stage(json!({ "width": 2, "height": 2, "channels": "bgr", "type": "u8" }))?;
    assert_eq!(bytes(&mut planes, &four()), [0, 0, 255, 255, 0, 255, 0, 255, 255, 0, 0, 255]);
    let mut grey = stage(json!({ "width": 2, "height": 2, "channels": "grey", "type": "u8" }))?;
    assert_eq!(bytes(&mut grey, &four()), [76, 150, 29, 255]);

    // The description of the model's input says which, and the configuration has the last word.
    let model = |ty: &str, preprocessing: Value| {
        json!({ "name": "net", "preprocessing": preprocessing,
            "inputs": [{ "name": "data", "type": ty, "shape": ["N", 2, 2, 3] }] })
    };
    let size = json!({ "width": 2, "height": 2, "layout": "nhwc" });
    let mut told = with_model(size.clone(), model("u8", json!({})))?;
    assert_eq!(bytes(&mut told, &four()), four_of_three);
    let message = error(with_model(json!({ "type": "fp32" }), model("u8", size.clone())));
    assert!(message.contains("'data': expected u8, got fp32 from image-features"), "{message}");
    let message = error(with_model(json!({ "type": "u8" }), model("fp32", size.clone())));
    assert!(message.contains("'data': expected fp32, got u8 from image-features"), "{message}");
    let message = error(with_model(size, model("i64", json!({}))));
    assert!(message.contains("use a model with an input of fp32 or u8"), "{message}");
    for (key, value) in [("mean", json!(127.5)), ("scale", json!([1, 1, 0.5]))] {
        let mut config = json!({ "width": 2, "height": 2, "type": "u8" });
        config[key] = value;
        let message = error(stage(config));
        assert!(message.contains("a tensor of u8 has the values of the pixels"), "{message}");
    }
    Ok(())
}

#[test]
fn grey_pictures_fill_all_channels() -> Result<(), Error> {
    let mut rgb = stage(json!({ "width": 40, "height": 64 }))?;
    let mut grey = stage(json!({ "width": 40, "height": 64, "channels": "grey" }))?;
    let planes = tensor(&mut rgb, &picture("png-grey.png"));
    let plane = tensor(&mut grey, &picture("png-grey.png"));
    assert_eq!(planes, [plane.clone(), plane.clone(), plane].concat());
    Ok(())
}

/// Turning comes after resizing, which must not show, whatever the mode and filter.
#[test]
fn a_turned_picture_is_the_upright_one() -> Result<(), Error> {
    let upright = picture("jpeg-exif-1.jpg");
    for mode in ["squash", "crop"] {
        for filter in ["nearest", "bilinear", "bicubic", "lanczos3"] {
            let config = json!({ "width": 17, "height": 30, "mode": mode, "filter": filter });
            let mut images = stage(config)?;
            // The same pixels, stored upright as a bitmap.
            for value in 2..=8 {
                let turned = picture(&format!("jpeg-exif-{value}.jpg"));
                let mut whole = stage(json!({
                    "width": if value < 5 { 40 } else { 64 },
                    "height": if value < 5 { 64 } else { 40 }, "layout": "nhwc" }))?;
                let pixels: Vec<u8> =
                    tensor(&mut whole, &turned).iter().map(|value| *value as u8).collect();
                let (width, height) = if value < 5 { (40, 64) } else { (64, 40) };
                let expected = tensor(&mut images, &bitmap(width, height, &pixels));
                let found = tensor(&mut images, &turned);
                let most = expected.iter().zip(&found).map(|(a, b)| (a - b).abs());
                let most = most.fold(0.0, f32::max);
                assert!(most <= 1.0, "{mode} {filter} {value}: {most}");
            }
        }
        assert!(!tensor(&mut stage(json!({ "width": 4, "height": 4 }))?, &upright).is_empty());
    }
    Ok(())
}

#[test]
fn the_model_says_how_and_the_stage_overrides() -> Result<(), Error> {
    let preprocessing = json!({ "width": 2, "height": 2, "channels": "bgr", "mean": 100,
        "mode": "crop", "short-side": 3 });
    let model = json!({ "name": "net", "version": 1, "preprocessing": preprocessing,
        "inputs": [{ "name": "data", "shape": ["N", 3, "H", 2] }] });
    let mut images = with_model(json!({}), model.clone())?;
    assert_eq!(images.features(), [Field::tensor("image", ElementType::Fp32, [3, 2, 2])]);
    assert_eq!(tensor(&mut images, &bitmap(1, 1, &[100, 101, 102])), {
        [2., 2., 2., 2., 1., 1., 1., 1., 0., 0., 0., 0.]
    });
    // Another height, and no cutting out: the model's short side goes with its mode.
    let config = json!({ "height": 5, "mode": "squash", "mean": [1, 2, 3] });
    let images = with_model(config, model)?;
    assert_eq!(images.features(), [Field::tensor("image", ElementType::Fp32, [3, 5, 2])]);
    // A model that says nothing about images.
    let images = with_model(json!({ "width": 2, "height": 2 }), json!({ "name": "net" }))?;
    assert_eq!(images.features().len(), 1);
    Ok(())
}

#[test]
fn what_cannot_be_carried_out_is_refused_by_its_key() {
    let size = |key: &str, value: Value| {
        let mut config = json!({ "width": 8, "height": 8 });
        config[key] = value;
        error(stage(config))
    };
    for (key, value, expected) in [
        ("width", json!(0), "`width`: 0 is out of range: set the size"),
        ("height", json!(5000), "`height`: 5000 is out of range"),
        ("width", json!(-1), "key 'width'"),
        ("mode", json!("stretch"), "unknown variant `stretch`, expected `squash` or `crop`"),
        ("filter", json!("box"), "key 'filter'"),
        ("short-side", json!(8), "set `mode` to \"crop\""),
        ("mean", json!([1, 2]), "`mean`: expected 3 numbers, one per channel, got 2"),
        ("mean", json!("a"), "expected a number, or a list"),
        ("scale", json!(0), "`scale`: must not be zero"),
        ("scale", json!(1e300), "do not fit fp32"),
        ("background", json!([1, 2]), "key 'background'"),
        ("background", json!([1, 2, 256]), "key 'background"),
        ("max_pixels", json!(0), "`max_pixels`: 0 is out of range"),
        ("max_bytes", json!(0), "`max_bytes`: must be greater than zero"),
        ("widht", json!(8), "unknown field `widht`, expected one of `width`"),
        ("short_side", json!(8), "unknown field `short_side`"),
    ] {
        let message = size(key, value);
        assert!(message.contains(expected), "{key}: {message}");
    }
    let message = error(stage(json!({ "width": 8 })));
    assert!(message.contains("`height` is missing: set it in [preprocessing]"), "{message}");
    let message = error(stage(json!({ "width": 8, "height": 9, "mode": "crop", "short-side": 8 })));
    assert!(message.contains("set 9 to 65535, or omit it"), "{message}");
    let message = error(with_model(json!({}), json!({ "preprocessing": { "width": "a" } })));
    assert!(message.contains("model.toml: preprocessing.width"), "{message}");
    let message = error(with_model(json!({}), json!({ "preprocessing": { "max_pixels": 1 } })));
    assert!(message.contains("set it in the stage's `config`"), "{message}");
}

#[test]
fn a_tensor_that_the_model_does_not_take_is_refused() {
    let input = |input: Value| {
        let config = json!({ "width": 8, "height": 9 });
        with_model(config, json!({ "inputs": [input, { "shape": [1] }] }))
    };
    for shape in [json!(["N", 3, 9, 8]), json!([1, 3, 9, 8]), json!(["N", "C", "H", "W"])] {
        assert!(input(json!({ "name": "data", "type": "fp32", "shape": shape })).is_ok());
    }
    assert!(input(json!({ "name": "data" })).is_ok());
    for shape in [json!(["N", 3, 8, 9]), json!(["N", 9, 8, 3]), json!(["N", 72]), json!([])] {
        let message = error(input(json!({ "name": "data", "shape": shape })));
        assert!(message.contains("[3, 9, 8]"), "{message}");
        assert!(message.contains("'data'"), "{message}");
        assert!(message.contains("`layout`"), "{message}");
    }
    let message = error(input(json!({ "name": "data", "type": "i32", "shape": ["N", 3, 9, 8] })));
    assert!(message.contains("expected i32, got fp32"), "{message}");
}

#[test]
fn every_failure_has_its_code() -> Result<(), Error> {
    let mut images = stage(json!({ "width": 8, "height": 8, "max_bytes": 60_000 }))?;
    let png = picture("png-rgb.png");
    let mut huge = png.clone();
    huge[16..24].copy_from_slice(&[0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0]); // 100,000 twice
    let mut long = png.clone();
    long[16..24].copy_from_slice(&[0, 1, 0x86, 0xa0, 0, 0, 0, 1]);
    let cases: Vec<(Vec<u8>, FailureCode, &str)> = vec![
        (Vec::new(), FailureCode::Missing, "the value is empty"),
        (b"this is a text".into(), FailureCode::Malformed, "not an image of a known format"),
        (b"II*\0\x08\0\0\0".into(), FailureCode::Unsupported, "TIFF"),
        (b"\0\0\0\x20ftypavif\0\0\0\0".into(), FailureCode::Unsupported, "AVIF"),
        (huge, FailureCode::TooLarge, "100000 x 100000 pixels, which exceeds `max_pixels`"),
        (long, FailureCode::TooLarge, "a side of the image has 100000 pixels"),
        (
            vec![b'x'; 60_001],
            FailureCode::TooLarge,
            "60001 bytes, which exceeds `max_bytes` (60000)",
        ),
        (png[..png.len() / 2].into(), FailureCode::Malformed, "damaged PNG"),
        (b"\xff\xd8\xff".into(), FailureCode::Malformed, "damaged JPEG"),
        (b"GIF89a".into(), FailureCode::Malformed, "damaged GIF"),
        (b"RIFF\x10\0\0\0WEBPVP8 ".into(), FailureCode::Malformed, "damaged WebP"),
    ];
    let mut records = Records::of_values(cases.iter().map(|(value, ..)| value));
    records = records.record(TestRecord::default());
    records = records.record(TestRecord { value: Some(png), ..TestRecord::default() });
    let mut rows = images.extract(&records).rows();
    assert!(rows.pop().expect("the last").is_ok(), "a good one after the bad ones");
    let tombstone = rows.pop().expect("a row").expect_err("no value");
    assert_eq!(tombstone.code, FailureCode::Missing);
    for (row, (value, code, message)) in rows.into_iter().zip(cases) {
        let failure = row.expect_err("a failure");
        assert_eq!(
            failure.code,
            code,
            "{} for {:?}",
            failure.message,
            &value[..value.len().min(20)]
        );
        assert!(failure.message.contains(message), "{}", failure.message);
    }
    Ok(())
}

/// Wherever it is cut: no half of a picture is taken for a whole one.
#[test]
fn pictures_cut_short_are_malformed() -> Result<(), Error> {
    let mut images = stage(json!({ "width": 8, "height": 8 }))?;
    for (name, value) in pictures() {
        for tenth in 1..=9 {
            let length = value.len() * tenth / 10;
            let rows = images.extract(&Records::of_values([&value[..length]])).rows();
            match &rows[0] {
                Err(failure) => {
                    assert_eq!(failure.code, FailureCode::Malformed, "{name}: {failure}");
                }
                // The first picture of an animation is whole before the file is.
                Ok(_) => assert!(name.contains("animated"), "{name} at {length} bytes"),
            }
        }
    }
    Ok(())
}

#[test]
fn more_pixels_than_allowed_are_refused_whatever_the_format() -> Result<(), Error> {
    let mut images = stage(json!({ "width": 8, "height": 8, "max_pixels": 2559 }))?;
    for (name, value) in pictures() {
        let rows = images.extract(&Records::of_values([&value])).rows();
        let failure = rows[0].as_ref().expect_err("more than 2559 pixels");
        assert_eq!(failure.code, FailureCode::TooLarge, "{name}: {failure}");
    }
    Ok(())
}
