//! Takes files out of an untrusted zip archive.

use std::io::{Read, Write};
use std::path::Path;

use flate2::bufread::DeflateDecoder;
use rawzip::{CompressionMethod, ZipArchive};
use sandbar_files::limits;

/// Entries of an archive that are read at most.
const ENTRIES: usize = 10_000;

/// Writes the member `name` of the archive to `target`, at most `limit` bytes; its
/// checksum is verified. Nothing else is extracted, and no path of the archive is used.
///
/// # Errors
/// If the archive is invalid, lacks the member, or the member's size is wrong.
pub(super) fn extract(archive: &Path, name: &str, target: &Path, limit: u64) -> Result<(), String> {
    let bytes = sandbar_files::read(archive, limits::ARCHIVE).map_err(|error| error.to_string())?;
    let no_zip = |error: rawzip::Error| format!("not a zip archive: {error}");
    let zip = ZipArchive::from_slice(&bytes).map_err(no_zip)?;
    let mut entries = zip.entries();
    let mut names = Vec::new();
    let (place, method) = loop {
        let Some(entry) = entries.next_entry().map_err(no_zip)? else {
            let there = if names.is_empty() { "nothing".into() } else { names.join(", ") };
            return Err(format!("the archive has no file '{name}'; it contains {there}"));
        };
        if entry.file_path().as_ref() == name.as_bytes() {
            let size = entry.uncompressed_size_hint();
            if size > limit {
                return Err(format!("'{name}' has {size} bytes, more than the limit of {limit}"));
            }
            break (entry.wayfinder(), entry.compression_method());
        }
        if names.len() == ENTRIES {
            return Err(format!("more than {ENTRIES} files in the archive"));
        }
        names.push(String::from_utf8_lossy(entry.file_path().as_ref()).into_owned());
    };
    let fault = |error: &dyn std::fmt::Display| format!("'{name}' of the archive: {error}");
    let member = zip.get_entry(place).map_err(|error| fault(&error))?;
    let mut out = sandbar_files::open_part(target)
        .and_then(|file| file.set_len(0).map(|()| file))
        .map_err(|error| format!("{}: {error}", target.display()))?;
    let plain = plain(member.data(), method).map_err(|reason| fault(&reason))?;
    // One byte more is enough to detect a bomb with a false size.
    let mut reader = member.verifying_reader(plain.take(limit + 1));
    let mut buffer = vec![0; 64 << 10];
    let mut size = 0;
    loop {
        let read = reader.read(&mut buffer).map_err(|error| fault(&error))?;
        if read == 0 {
            break;
        }
        size += read as u64;
        if size > limit {
            return Err(fault(&format!("larger than the limit of {limit} bytes")));
        }
        out.write_all(&buffer[..read]).map_err(|error| format!("{}: {error}", target.display()))?;
    }
    out.sync_all().map_err(|error| format!("{}: {error}", target.display()))
}

/// All members of an archive in memory, with their names: at most `count`, and at most `limit`
/// bytes together; their checksums are verified.
///
/// # Errors
/// If the archive is invalid, or there are more. The reason names the member.
pub(super) fn members(
    bytes: &[u8],
    count: usize,
    limit: u64,
) -> Result<Vec<(String, Vec<u8>)>, String> {
    let no_zip = |error: rawzip::Error| format!("not a zip archive: {error}");
    let zip = ZipArchive::from_slice(bytes).map_err(no_zip)?;
    let mut entries = zip.entries();
    let (mut members, mut left) = (Vec::new(), limit);
    while let Some(entry) = entries.next_entry().map_err(no_zip)? {
        if members.len() == count {
            return Err(format!("more than {count} files in the archive"));
        }
        let path = entry.file_path();
        let name = std::str::from_utf8(path.as_ref())
            .map_err(|_| "the name of a file in the archive is not UTF-8")?
            .to_owned();
        let fault = |error: &dyn std::fmt::Display| format!("'{name}' of the archive: {error}");
        let large = || format!("'{name}': more than {limit} bytes in the archive, unpacked");
        if entry.uncompressed_size_hint() > left {
            return Err(large());
        }
        let (place, method) = (entry.wayfinder(), entry.compression_method());
        let member = zip.get_entry(place).map_err(|error| fault(&error))?;
        let plain = plain(member.data(), method).map_err(|reason| fault(&reason))?;
        let mut data = Vec::new();
        // One byte more is enough to detect a bomb with a false size.
        let read = member.verifying_reader(plain.take(left + 1)).read_to_end(&mut data);
        if data.len() as u64 > left {
            return Err(large());
        }
        read.map_err(|error| fault(&error))?;
        left -= data.len() as u64;
        members.push((name, data));
    }
    Ok(members)
}

/// What a member is, unpacked.
fn plain(data: &[u8], method: CompressionMethod) -> Result<Box<dyn Read + '_>, &'static str> {
    match method {
        CompressionMethod::STORE => Ok(Box::new(data)),
        CompressionMethod::DEFLATE => Ok(Box::new(DeflateDecoder::new(data))),
        _ => Err("unsupported compression method; use deflate or none"),
    }
}
