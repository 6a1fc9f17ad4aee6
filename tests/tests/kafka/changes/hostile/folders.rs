//! Model folders whose files have no end, or are none.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use sandbar::model::Sha256;
use sandbar_tests::project;

use super::Live;

impl Live {
    /// A copy of the folder of a model.
    fn copy(&self, name: &str, model: &str) -> PathBuf {
        let folder = self.place().join(name);
        fs::create_dir(&folder).unwrap();
        for entry in fs::read_dir(project().join("models").join(model)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
            }
        }
        folder
    }

    /// A copy without one of its files.
    fn without(&self, name: &str, model: &str, file: &str) -> (PathBuf, PathBuf) {
        let folder = self.copy(name, model);
        let gone = folder.join(file);
        fs::remove_file(&gone).unwrap();
        (folder, gone)
    }

    /// The folder of `flights-gbm` with another MOJO.
    fn mojo(&self, name: &str, zip: &[u8]) -> PathBuf {
        let (folder, place) = self.without(name, "flights-gbm", "model.zip");
        fs::write(place, zip).unwrap();
        let path = folder.join("model.toml");
        let text = fs::read_to_string(&path).unwrap();
        let (digest, size) = (Sha256::of(zip), zip.len());
        let line = |line: &str| match line.split(" = ").next() {
            Some("sha256") => format!("sha256 = \"{digest}\"\n"),
            Some("size") => format!("size = {size}\n"),
            _ => format!("{line}\n"),
        };
        fs::write(path, text.lines().map(line).collect::<String>()).unwrap();
        folder
    }
}

/// An archive of one file of so many zeros.
fn bomb(name: &str, zeros: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
    let file = archive.new_file(name).compression_method(rawzip::CompressionMethod::DEFLATE);
    let (mut entry, config) = file.start().unwrap();
    let encoder = flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::fast());
    let mut writer = config.wrap(encoder);
    io::copy(&mut io::repeat(0).take(zeros), &mut writer).unwrap();
    writer.flush().unwrap();
    let (encoder, descriptor) = writer.finish().unwrap();
    encoder.finish().unwrap();
    entry.finish(descriptor).unwrap();
    archive.finish().unwrap();
    bytes
}

#[test]
fn folders_that_harm_are_refused() {
    let live = Live::start();
    for (model, file) in [
        ("flights-gbm", "model.zip"),
        ("flights-gbm", "model.toml"),
        ("flights-gbm", "samples.csv"),
        ("digits", "model.onnx"),
        ("digits", "labels.txt"),
    ] {
        let name = |kind: &str| format!("{kind}-{model}-{file}");
        let (folder, place) = live.without(&name("pipe"), model, file);
        assert!(Command::new("mkfifo").arg(&place).status().unwrap().success());
        live.refuses_model(&folder, "not a regular file");
        let (folder, place) = live.without(&name("endless"), model, file);
        symlink("/dev/zero", &place).unwrap();
        // Files of a model are looked for in its folder alone.
        let is_model = file != "model.toml";
        let due = if is_model { "the link points outside" } else { "a device, not a regular file" };
        live.refuses_model(&folder, due);
        let (folder, place) = live.without(&name("large"), model, file);
        // It takes no space.
        File::create(&place).unwrap().set_len(5 << 30).unwrap();
        live.refuses_model(&folder, file);
    }
    live.refuses_model(
        &live.mojo("bomb", &bomb("model.ini", 300 << 20)),
        "model.ini: bytes inflated",
    );
    live.refuses_model(&live.mojo("trees", &bomb("trees/t00_000.bin", 1 << 20)), "not an H2O MOJO");
    live.end();
}
