//! Arrays in numpy's archive (`numpy.savez`): a zip file with an `.npy` of each, under its name.

use std::io::Write;

use rawzip::path::EntryPath;
use rawzip::{CompressionMethod, ZipArchiveWriter, ZipDataWriter};

use super::npy::Array;
use crate::zip::members;

/// Arrays at most.
const ARRAYS: usize = 256;
/// Bytes of all arrays together at most.
pub const UNPACKED: u64 = 64 << 20;

/// The arrays in the bytes of an archive, with or without compression.
///
/// # Errors
/// If they are no such archive, or too many; the reason names the array.
pub fn read(bytes: &[u8]) -> Result<Vec<Array>, String> {
    let members = members(bytes, ARRAYS, UNPACKED).map_err(|reason| {
        format!("{reason}; write it with numpy.savez(FILE, TENSOR=array, ...)")
    })?;
    let mut arrays: Vec<Array> = Vec::with_capacity(members.len());
    for (file, bytes) in members {
        let Some(name) = file.strip_suffix(".npy") else {
            return Err(format!("'{file}' is not an array of numpy (.npy); leave it out"));
        };
        if arrays.iter().any(|array| array.name == name) {
            return Err(format!("array '{name}': twice in the archive; leave one out"));
        }
        let array = Array::read(name.to_owned(), &bytes);
        arrays.push(array.map_err(|reason| format!("array '{name}': {reason}"))?);
    }
    if arrays.is_empty() {
        return Err(
            "no array in the archive; it needs the graph's inputs and expected outputs".into()
        );
    }
    Ok(arrays)
}

/// An archive of arrays, as `numpy.savez` writes it: without compression.
///
/// # Errors
/// If it is larger than a zip can be.
pub fn write(arrays: &[Array]) -> Result<Vec<u8>, String> {
    let file = pack(arrays).map_err(|error| error.to_string())?;
    let names = |arrays: &[Array]| arrays.iter().map(|it| it.name.clone()).collect::<Vec<_>>();
    match names(&read(&file)?) == names(arrays) {
        true => Ok(file),
        false => Err("a tensor's name cannot be one of a file in an archive; rename it".to_owned()),
    }
}

fn pack(arrays: &[Array]) -> Result<Vec<u8>, rawzip::Error> {
    let mut file = Vec::new();
    let mut archive = ZipArchiveWriter::new(&mut file);
    for array in arrays {
        // A tensor's name is no path: `input:0` must not become one. Others than those of ASCII
        // need the flag that says how they are written.
        let name = format!("{}.npy", array.name);
        let path = match name.is_ascii() {
            true => EntryPath::verbatim(name.as_bytes()),
            false => EntryPath::conformant(name.as_str()),
        };
        let entry = archive.new_file(path).compression_method(CompressionMethod::STORE);
        let (mut entry, config) = entry.start()?;
        let mut writer = config.wrap(&mut entry);
        writer.write_all(&array.write()).map_err(rawzip::Error::from)?;
        let (_, descriptor) = ZipDataWriter::finish(writer)?;
        entry.finish(descriptor)?;
    }
    archive.finish()?;
    Ok(file)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]
mod tests {
    use super::*;
    use crate::samples::header::NumberType;

    fn array(name: &str, bytes: usize) -> Array {
        let data = vec![7; bytes];
        Array { name: name.into(), ty: NumberType::Unsigned(1), shape: vec![bytes], data }
    }

    #[test]
    fn what_is_written_is_read() {
        let arrays =
            ["image", "a/b/BiasAdd:0", "../x", "/x", "c\\d", "é"].map(|it| array(it, it.len()));
        assert_eq!(read(&write(&arrays).unwrap()).unwrap(), arrays);
    }

    #[test]
    fn what_is_no_archive_of_arrays_is_refused() {
        let twice = [array("a", 1), array("a", 1)];
        let many: Vec<Array> = (0..=ARRAYS).map(|it| array(&it.to_string(), 1)).collect();
        for (file, due) in [
            (pack(&[]).unwrap(), "no array in the archive"),
            (pack(&twice).unwrap(), "array 'a': twice"),
            (pack(&many).unwrap(), "more than 256 files"),
            (array("a", 1).write(), "not a zip archive"),
            (Vec::new(), "numpy.savez(FILE"),
        ] {
            let error = read(&file).unwrap_err();
            assert!(error.contains(due), "{error}");
        }
        let large = pack(&[array("a", 100), array("b", 100)]).unwrap();
        assert_eq!(members(&large, 2, 456).map(|it| it.len()), Ok(2));
        let error = members(&large, 2, 455).unwrap_err();
        assert_eq!(error, "'b.npy': more than 455 bytes in the archive, unpacked");
        let good = write(&[array("a", 100)]).unwrap();
        let text = b"a.npy";
        let places = good.windows(5).enumerate().filter(|(_, it)| it == text);
        let mut other = good.clone();
        for (place, _) in places.collect::<Vec<_>>() {
            other[place + 4] = b'x';
        }
        assert!(read(&other).unwrap_err().contains("'a.npx' is not an array"));
        let mut damaged = good;
        damaged[180] ^= 1;
        assert!(read(&damaged).unwrap_err().contains("'a.npy'"));
    }
}
