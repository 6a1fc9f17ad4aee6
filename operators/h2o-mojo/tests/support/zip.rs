//! A writer of zip archives that compresses nothing, so that tests can put any bytes into a
//! MOJO with sizes and checksums that fit.

use std::collections::BTreeMap;

use super::Result;

/// Entries by name.
pub type Entries = BTreeMap<String, Vec<u8>>;

/// The entries of an archive.
pub fn unpack(bytes: &[u8]) -> Result<Entries> {
    let zip = rawzip::ZipArchive::from_slice(bytes)?;
    let mut entries = Entries::new();
    let mut records = zip.entries();
    while let Some(record) = records.next_entry()? {
        let name = String::from_utf8(record.file_path().as_ref().to_vec())?;
        let packed = zip.get_entry(record.wayfinder())?.data();
        let bytes = match record.compression_method() {
            rawzip::CompressionMethod::STORE => packed.to_vec(),
            _ => miniz_oxide::inflate::decompress_to_vec(packed).map_err(|e| e.to_string())?,
        };
        entries.insert(name, bytes);
    }
    Ok(entries)
}

/// The archive of some entries.
pub fn pack(entries: &Entries) -> Vec<u8> {
    let packed = entries.iter().map(|(name, bytes)| Packed {
        name,
        method: 0,
        packed: bytes.clone(),
        size: bytes.len() as u32,
        crc: rawzip::crc32(bytes),
    });
    pack_as(&packed.collect::<Vec<_>>())
}

/// An entry and what the archive says of it, true or not.
pub struct Packed<'a> {
    pub name: &'a str,
    pub method: u16,
    pub packed: Vec<u8>,
    pub size: u32,
    pub crc: u32,
}

/// The archive of entries that are packed already.
pub fn pack_as(entries: &[Packed<'_>]) -> Vec<u8> {
    let mut archive = vec![];
    let mut directory = vec![];
    for entry in entries {
        let mut header = vec![];
        header.extend(20_u16.to_le_bytes()); // version needed
        header.extend(0_u16.to_le_bytes()); // flags
        header.extend(entry.method.to_le_bytes());
        header.extend([0; 4]); // time and date
        header.extend(entry.crc.to_le_bytes());
        header.extend((entry.packed.len() as u32).to_le_bytes());
        header.extend(entry.size.to_le_bytes());
        header.extend((entry.name.len() as u16).to_le_bytes());
        header.extend(0_u16.to_le_bytes()); // extra field

        directory.extend(b"PK\x01\x02");
        directory.extend(20_u16.to_le_bytes()); // version made by
        directory.extend(&header);
        directory.extend([0; 10]); // comment, disk, attributes
        directory.extend((archive.len() as u32).to_le_bytes());
        directory.extend(entry.name.as_bytes());

        archive.extend(b"PK\x03\x04");
        archive.extend(&header);
        archive.extend(entry.name.as_bytes());
        archive.extend(&entry.packed);
    }
    let begin = archive.len() as u32;
    archive.extend(&directory);
    archive.extend(b"PK\x05\x06");
    archive.extend([0; 4]); // disks
    archive.extend((entries.len() as u16).to_le_bytes());
    archive.extend((entries.len() as u16).to_le_bytes());
    archive.extend((directory.len() as u32).to_le_bytes());
    archive.extend(begin.to_le_bytes());
    archive.extend(0_u16.to_le_bytes()); // comment
    archive
}
