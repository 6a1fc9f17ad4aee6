//! Progressive JPEGs with tables of quantisation between their scans (ITU-T T.81, B.2.4): a
//! channel has the table that counts at its first scan, but the decoder takes the last of all.

use libjpeg_turbo_rs::JpegError;

use crate::container::jpeg::{Segment, Segments, marker::*};

/// Whether there is a table behind the first scan.
pub(super) fn change(bytes: &[u8]) -> bool {
    let mut segments = Segments::new(bytes).map(|segment| segment.marker);
    segments.any(|marker| marker == SOS) && segments.any(|marker| marker == DQT)
}

/// The same image, with a table for each channel before all scans, and no other.
pub(super) fn settled(bytes: &[u8]) -> Result<Vec<u8>, JpegError> {
    settle(bytes).ok_or_else(|| {
        JpegError::CorruptData("tables of quantisation are missing or cut short".into())
    })
}

fn settle(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut file = vec![0xff, 0xd8];
    for (index, table) in tables(bytes)?.into_iter().enumerate() {
        let (kind, values) = table.split_first()?;
        file.extend([0xff, DQT]);
        file.extend((table.len() as u16 + 2).to_be_bytes());
        file.push(kind & 0xf0 | index as u8);
        file.extend_from_slice(values);
    }
    let mut segments = Segments::new(bytes);
    while let Some(Segment { marker, whole, .. }) = segments.next() {
        match marker {
            DQT => {}
            SOF2 | SOF10 => {
                let start = file.len();
                file.extend_from_slice(whole);
                let entries = file.get_mut(start + 10..)?.as_chunks_mut::<3>().0;
                for (index, entry) in entries.iter_mut().enumerate() {
                    entry[2] = index as u8;
                }
            }
            SOS => {
                file.extend_from_slice(whole);
                file.extend_from_slice(segments.scan_data());
            }
            _ => file.extend_from_slice(whole),
        }
    }
    file.extend([0xff, EOI]);
    Some(file)
}

/// The table of each channel: its kind and its values.
fn tables(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut known: [Option<&[u8]>; 4] = [None; 4];
    let mut names: Vec<[u8; 3]> = Vec::new();
    let mut chosen: Vec<Option<&[u8]>> = Vec::new();
    for Segment { marker, body, .. } in Segments::new(bytes) {
        match marker {
            DQT => {
                let mut rest = body;
                while let Some(kind) = rest.first() {
                    let length = if kind >> 4 == 0 { 65 } else { 129 };
                    let table;
                    (table, rest) = rest.split_at_checked(length)?;
                    *known.get_mut(usize::from(kind & 15))? = Some(table);
                }
            }
            SOF2 | SOF10 => {
                names = body.get(6..)?.as_chunks().0.to_vec();
                chosen = vec![None; names.len()];
            }
            SOS => {
                let (count, channels) = body.split_first()?;
                for [name, _] in channels.as_chunks().0.iter().take(usize::from(*count)) {
                    let index = names.iter().position(|entry| entry[0] == *name)?;
                    let table = *known.get(usize::from(names[index][2]))?;
                    chosen[index] = chosen[index].or(table);
                }
            }
            _ => {}
        }
    }
    // A channel without a scan has the last that was known.
    chosen
        .into_iter()
        .zip(names)
        .map(|(table, name)| table.or(*known.get(usize::from(name[2]))?))
        .collect()
}
