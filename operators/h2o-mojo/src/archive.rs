//! The zip archive that a MOJO is: entries by name, each inflated when it is asked for.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use rawzip::{CompressionMethod, ZipArchive, ZipArchiveEntryWayfinder, ZipSliceArchive, crc32};

use crate::error::Error;
use crate::limits::{self, Limits};

/// An archive whose entries have not been inflated yet.
pub(crate) struct Archive<'a> {
    zip: ZipSliceArchive<&'a [u8]>,
    entries: HashMap<Vec<u8>, Entry, RandomState>,
    /// What may still be inflated, so that many entries cannot do what one may not.
    remaining: u64,
    limit: u64,
}

struct Entry {
    place: ZipArchiveEntryWayfinder,
    method: CompressionMethod,
    size: u64,
    crc: u32,
}

impl<'a> Archive<'a> {
    /// Reads the archive's directory.
    pub(crate) fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, Error> {
        let not_zip = |e: rawzip::Error| Error::NotZip { reason: e.to_string() };
        let zip = ZipArchive::from_slice(bytes).map_err(not_zip)?;
        let mut entries = HashMap::default();
        let mut records = zip.entries();
        let mut count = 0;
        while let Some(record) = records.next_entry().map_err(not_zip)? {
            count += 1;
            limits::check(|| "entries of the archive".into(), count, limits.entries, "entries")?;
            let entry = Entry {
                place: record.wayfinder(),
                method: record.compression_method(),
                size: record.uncompressed_size_hint(),
                crc: record.crc32(),
            };
            // The last of two entries of one name wins, as in Java's reader.
            entries.insert(record.file_path().as_ref().to_vec(), entry);
        }
        Ok(Self { zip, entries, remaining: limits.inflated_bytes, limit: limits.inflated_bytes })
    }

    /// The bytes of an entry, or `None` where the archive has no such entry.
    pub(crate) fn find(&mut self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let Some(entry) = self.entries.get(name.as_bytes()) else { return Ok(None) };
        if entry.size > self.remaining {
            return Err(Error::Limit {
                what: format!("{name}: bytes inflated"),
                value: entry.size.saturating_add(self.limit - self.remaining),
                limit: self.limit,
                name: "inflated_bytes",
            });
        }
        let fault = |reason: &str| Error::Entry { entry: name.into(), reason: reason.into() };
        let packed = self.zip.get_entry(entry.place).map_err(|e| fault(&e.to_string()))?.data();
        // The declared size bounds what is inflated: more of it is an error, not memory.
        let size = usize::try_from(entry.size).map_err(|_| fault("too large for this machine"))?;
        let bytes = match entry.method {
            CompressionMethod::STORE => packed.to_vec(),
            CompressionMethod::DEFLATE => decompress_to_vec_with_limit(packed, size)
                .map_err(|e| fault(&format!("cannot be inflated: {:?}", e.status)))?,
            _ => return Err(fault("unsupported compression method: expected deflate or none")),
        };
        if bytes.len() != size {
            return Err(fault("its size differs from the declared one"));
        }
        if crc32(&bytes) != entry.crc {
            return Err(fault("checksum mismatch"));
        }
        self.remaining -= entry.size;
        Ok(Some(bytes))
    }

    /// The bytes of an entry that must be there.
    pub(crate) fn get(&mut self, name: &str) -> Result<Vec<u8>, Error> {
        self.find(name)?.ok_or_else(|| Error::MissingEntry { entry: name.into() })
    }
}
