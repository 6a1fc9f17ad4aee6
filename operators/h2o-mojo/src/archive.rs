//! The zip archive that a MOJO is: entries by name, each inflated when it is asked for.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZFlush};
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
    /// Where names begin: empty, or the folder of a model inside of another, with its slash.
    folder: String,
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
        Ok(Self {
            zip,
            entries,
            remaining: limits.inflated_bytes,
            limit: limits.inflated_bytes,
            folder: String::new(),
        })
    }

    /// Does something where names are those in `folder`, which ends with a slash.
    pub(crate) fn within<T>(
        &mut self,
        folder: &str,
        read: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let outside = self.folder.len();
        self.folder.push_str(folder);
        let result = read(self);
        self.folder.truncate(outside);
        result.map_err(|error| match error {
            Error::Submodel { folder: inner, error } => {
                Error::Submodel { folder: format!("{folder}{inner}"), error }
            }
            error => Error::Submodel { folder: folder.into(), error: Box::new(error) },
        })
    }

    /// The entry of this name in the folder.
    fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.get(format!("{}{name}", self.folder).as_bytes())
    }

    /// The bytes of an entry, or `None` where the archive has no such entry.
    pub(crate) fn find(&mut self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let Some(entry) = self.entry(name) else { return Ok(None) };
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

    /// The names of the folder's entries that are text.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.entries.keys().filter_map(|name| str::from_utf8(name).ok());
        names.filter_map(|name| name.strip_prefix(self.folder.as_str()))
    }

    /// Whether there is an entry of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.entry(name).is_some()
    }

    /// The bytes of an entry one after the other, if it is there, deflated and of `least`
    /// bytes or more. Not counted, since they are not kept, and without the checks that
    /// [`find`](Self::find) makes.
    pub(crate) fn stream(&self, name: &str, least: u64) -> Result<Option<Stream<'_>>, Error> {
        let Some(entry) = self.entry(name) else { return Ok(None) };
        if entry.method != CompressionMethod::DEFLATE || entry.size < least {
            return Ok(None);
        }
        let fault = |e: rawzip::Error| Error::Entry { entry: name.into(), reason: e.to_string() };
        let packed = self.zip.get_entry(entry.place).map_err(fault)?.data();
        Ok(Some(Stream {
            entry: name.into(),
            state: InflateState::new_boxed(DataFormat::Raw),
            packed,
            buffer: vec![0; 32 << 10],
            at: 0,
            end: 0,
        }))
    }
}

/// The bytes of an entry, inflated as they are taken.
pub(crate) struct Stream<'a> {
    entry: String,
    state: Box<InflateState>,
    /// What is still to be inflated.
    packed: &'a [u8],
    buffer: Vec<u8>,
    /// What of the buffer is still to be taken.
    at: usize,
    end: usize,
}

impl Stream<'_> {
    /// The next bytes; `None` where there are not as many.
    pub(crate) fn take<const N: usize>(&mut self) -> Result<Option<[u8; N]>, Error> {
        let mut taken = [0; N];
        for byte in &mut taken {
            if self.at == self.end && !self.fill()? {
                return Ok(None);
            }
            *byte = self.buffer[self.at];
            self.at += 1;
        }
        Ok(Some(taken))
    }

    /// Passes over the next bytes; false where there are not as many.
    pub(crate) fn skip(&mut self, mut count: u64) -> Result<bool, Error> {
        while count > 0 {
            if self.at == self.end && !self.fill()? {
                return Ok(false);
            }
            let here = count.min((self.end - self.at) as u64);
            self.at += here as usize;
            count -= here;
        }
        Ok(true)
    }

    /// Fills the buffer; false at the end.
    fn fill(&mut self) -> Result<bool, Error> {
        let result = inflate(&mut self.state, self.packed, &mut self.buffer, MZFlush::None);
        self.packed = &self.packed[result.bytes_consumed..];
        (self.at, self.end) = (0, result.bytes_written);
        match result.status {
            Ok(_) => Ok(self.end > 0),
            Err(miniz_oxide::MZError::Buf) => Ok(self.end > 0),
            Err(e) => Err(Error::Entry {
                entry: self.entry.clone(),
                reason: format!("cannot be inflated: {e:?}"),
            }),
        }
    }
}
