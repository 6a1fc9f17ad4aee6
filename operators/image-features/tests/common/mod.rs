//! The pictures of `testdata/`, and what Pillow makes of them.

#![allow(dead_code, reason = "each test file uses its part of this")]

use std::path::PathBuf;

use image_features::{Fault, Reader, Settings};

pub fn testdata(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn picture(name: &str) -> Vec<u8> {
    testdata(&format!("images/{name}"))
}

/// Every picture with its name.
pub fn pictures() -> Vec<(String, Vec<u8>)> {
    let pictures = listed("images");
    assert!(pictures.len() > 50, "{} pictures", pictures.len());
    pictures
}

/// Pictures that are worth damaging: these, and some of the suites.
pub fn seeds() -> Vec<(String, Vec<u8>)> {
    let mut seeds = listed("suites/seeds");
    assert!(seeds.len() > 15, "{} seeds", seeds.len());
    seeds.extend(pictures());
    seeds
}

fn listed(folder: &str) -> Vec<(String, Vec<u8>)> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata").join(folder);
    let files = std::fs::read_dir(path).expect("the pictures");
    let name = |file: std::io::Result<std::fs::DirEntry>| {
        file.expect("a file").file_name().into_string().expect("a name in UTF-8")
    };
    let mut names: Vec<String> = files.map(name).collect();
    names.sort();
    let read = |name: String| (name.clone(), testdata(&format!("{folder}/{name}")));
    names.into_iter().map(read).collect()
}

/// The rows of a CSV without quotes, each as its fields by the names in the header.
pub fn rows(name: &str) -> Vec<impl Fn(&str) -> String> {
    let text = String::from_utf8(testdata(name)).expect("UTF-8");
    let split = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    let mut lines = text.lines();
    let header = split(lines.next().expect("a header"));
    let row = |line| {
        let (header, fields) = (header.clone(), split(line));
        move |name: &str| {
            let column = header.iter().position(|column| column == name);
            fields[column.unwrap_or_else(|| panic!("no column {name}"))].clone()
        }
    };
    lines.map(row).collect()
}

/// A reader for a stage's configuration, without a model.
pub fn reader(json: &serde_json::Value) -> Reader {
    let config = serde_json::from_value(json.clone()).expect("a configuration");
    Reader::new(Settings::new(config, None).expect("a configuration that can be carried out"))
}

/// The elements of the tensor.
pub fn elements(reader: &mut Reader, value: &[u8]) -> Result<Vec<f32>, Fault> {
    let tensor = reader.read(Some(value))?;
    let (elements, rest) = tensor.as_chunks::<4>();
    assert!(rest.is_empty());
    Ok(elements.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

/// The pixels of a tensor that holds them as they are, with `layout = "nhwc"`.
pub fn pixels(reader: &mut Reader, value: &[u8]) -> Result<Vec<u8>, Fault> {
    let byte = |element: f32| {
        assert_eq!(element, element.trunc());
        element as u8
    };
    Ok(elements(reader, value)?.into_iter().map(byte).collect())
}

/// A bitmap of RGB pixels.
pub fn bitmap(width: usize, height: usize, pixels: &[u8]) -> Vec<u8> {
    let mut file = b"BM".to_vec();
    let row = (3 * width).next_multiple_of(4);
    for number in [54 + row * height, 0, 54, 40, width] {
        file.extend((number as u32).to_le_bytes());
    }
    file.extend((-(height as i32)).to_le_bytes()); // from the top
    file.extend([1, 0, 24, 0]);
    file.extend([0; 24]);
    for line in pixels.chunks_exact(3 * width) {
        file.extend(line.chunks_exact(3).flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]));
        while !(file.len() - 54).is_multiple_of(row) {
            file.push(0);
        }
    }
    file
}
