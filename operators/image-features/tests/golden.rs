//! Pixels against Pillow's, for every picture of `testdata/`
//! (`testdata/make.py` and `testdata/suites/make.py` say what they are). `-- --nocapture` shows the differences.
//!
//! Decoding gives the same bits, in every format. Resizing may differ by 1, since the
//! weights are rounded elsewhere; choosing the nearest pixel may not.

mod common;

use std::collections::BTreeMap;

use common::{bitmap, picture, pixels, reader, rows, testdata};
use image_features::Fault;
use serde_json::json;

/// How much pixels differ.
#[derive(Default)]
struct Difference {
    most: u8,
    sum: u64,
    count: u64,
}

impl Difference {
    fn add(&mut self, found: &[u8], expected: &[u8]) -> u8 {
        assert_eq!(found.len(), expected.len());
        let differences = found.iter().zip(expected).map(|(a, b)| a.abs_diff(*b));
        let most = differences.clone().max().unwrap_or(0);
        self.most = self.most.max(most);
        self.sum += differences.map(u64::from).sum::<u64>();
        self.count += found.len() as u64;
        most
    }
}

fn report(title: &str, differences: &BTreeMap<String, Difference>) {
    for (name, Difference { most, sum, count }) in differences {
        let mean = *sum as f64 / *count as f64;
        println!("{title} {name}: {most} at most, {mean:.4} on average");
    }
}

fn number(text: &str) -> usize {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

fn background(code: &str) -> Vec<u8> {
    let channel = |at| u8::from_str_radix(&code[at..at + 2], 16).expect("a colour");
    if code.is_empty() { vec![255; 3] } else { vec![channel(0), channel(2), channel(4)] }
}

#[test]
fn pictures_are_decoded_exactly_as_by_pillow() {
    let all = testdata("decoded.rgb");
    let mut differences = BTreeMap::<String, Difference>::new();
    let mut wrong: Vec<String> = Vec::new();
    for row in rows("decoded.csv") {
        let (file, kind) = (row("file"), row("kind"));
        let (width, height) = (number(&row("width")), number(&row("height")));
        let expected = &all[number(&row("offset"))..][..3 * width * height];
        // At its own size, a picture stays as it is.
        let config = json!({ "width": width, "height": height, "layout": "nhwc",
            "background": background(&row("background")) });
        let found = pixels(&mut reader(&config), &picture(&file))
            .unwrap_or_else(|fault| panic!("{file}: {fault}"));
        let format = file.split(['-', '.']).next().unwrap_or_default();
        let difference = differences.entry(format!("{format} {kind}")).or_default();
        let most = difference.add(&found, expected);
        if most > 0 {
            wrong.push(format!("{file}: {most}"));
        }
    }
    report("decoded", &differences);
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// The suites of `testdata/suites/`: every kind of PNG, BMP, GIF, WebP and JPEG, whole pictures,
/// and the code of what is not read.
#[test]
fn suites_are_decoded_exactly_as_by_pillow() {
    let all = testdata("suites/pictures.bin");
    let rows = rows("suites/answers.csv");
    assert!(rows.len() > 900, "{} answers", rows.len());
    let mut wrong: Vec<String> = Vec::new();
    for row in rows {
        let name = row("picture");
        let value = &all[number(&row("offset"))..][..number(&row("length"))];
        let answer = row("crc32");
        let refused = row("width").is_empty();
        let side = |name: &str| if refused { 8 } else { number(&row(name)) };
        let config = json!({ "width": side("width"), "height": side("height"),
            "layout": "nhwc", "background": background(&row("background")) });
        let found = match pixels(&mut reader(&config), value) {
            Ok(pixels) => format!("{:08x}", crc32fast::hash(&pixels)),
            Err(Fault::Feature { .. }) => "unsupported".into(),
            Err(Fault::Damaged { .. }) => "malformed".into(),
            Err(fault) => fault.to_string(),
        };
        if found != answer {
            wrong.push(format!("{name}: expected {answer}, got {found}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
}

/// Decoding is tested above; here the pixels are Pillow's from the start.
#[test]
fn pictures_are_resized_as_by_pillow() {
    let decoded = testdata("decoded.rgb");
    let resized = testdata("resized.rgb");
    let mut differences = BTreeMap::<String, Difference>::new();
    let mut wrong: Vec<String> = Vec::new();
    for row in rows("resized.csv") {
        let source = rows("decoded.csv").into_iter().find(|it| it("file") == row("file"));
        let source = source.expect("a picture that is decoded");
        let (width, height) = (number(&source("width")), number(&source("height")));
        let value =
            bitmap(width, height, &decoded[number(&source("offset"))..][..3 * width * height]);
        let width = number(&row("width"));
        let mut config = json!({ "width": width, "height": number(&row("height")),
            "layout": "nhwc", "mode": row("mode"), "filter": row("filter") });
        if !row("short_side").is_empty() {
            config["short-side"] = number(&row("short_side")).into();
        }
        let found = pixels(&mut reader(&config), &value).expect("an image");
        let lines: Vec<&[u8]> = found.chunks_exact(3 * width).collect();
        let expected = &resized[number(&row("offset"))..];
        let lines = lines[number(&row("first_row"))..].iter().step_by(number(&row("row_step")));
        let found = lines.copied().collect::<Vec<_>>().concat();
        assert_eq!(found.len(), 3 * width * number(&row("rows")));
        let filter = row("filter");
        let difference = differences.entry(filter.clone()).or_default();
        let most = difference.add(&found, &expected[..found.len()]);
        let tolerance = if filter == "nearest" { 0 } else { 1 };
        if most > tolerance {
            wrong.push(format!("{config} of {}: {most}", row("file")));
        }
    }
    report("resized", &differences);
    assert!(wrong.is_empty(), "{wrong:#?}");
}
