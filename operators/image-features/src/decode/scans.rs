//! JPEGs whose scans have some of the channels each, two or three together: brightness, and
//! then both colours, say. That is baseline JPEG (ITU-T T.81, A.2.3 and B.2.3), but the
//! decoder takes all channels in one scan, or one in each.
//!
//! Each scan is made an image of its own, of which the decoder gives the coefficients.
//! Those of all scans together are written as one scan, without loss, which is decoded like
//! any other image.

use libjpeg_turbo_rs::{
    ComponentCoefficients, FrameHeader, JpegCoefficients, JpegError, read_coefficients,
    write_coefficients_optimized,
};

use crate::container::jpeg::{Segment, Segments, marker::*};

/// Whether the decoder cannot take the scans of an image that is not progressive: where one
/// has several channels and not all, or where there are other tables of quantisation behind
/// the first, since it would use these for all scans.
pub(super) fn need_interleaving(bytes: &[u8]) -> bool {
    let mut channels = None;
    let mut scans = 0;
    for Segment { marker, body, .. } in Segments::new(bytes) {
        match marker {
            SOF0 | SOF1 | SOF9 => channels = body.get(5).copied(),
            DQT if scans > 0 => return true,
            SOS if body.first().is_some_and(|count| *count > 1 && Some(*count) < channels) => {
                return true;
            }
            SOS => scans += 1,
            _ => {}
        }
    }
    false
}

/// The same image with one scan of all channels.
pub(super) fn interleaved(bytes: &[u8], header: &FrameHeader) -> Result<Vec<u8>, JpegError> {
    write_coefficients_optimized(&coefficients(bytes, header)?)
}

/// The coefficients of an image that is not progressive, however its scans are. Its header is
/// what the decoder has read, and what limits hold for.
pub(super) fn coefficients(
    bytes: &[u8],
    header: &FrameHeader,
) -> Result<JpegCoefficients, JpegError> {
    let mut frame = None;
    let mut tables: Vec<&[u8]> = Vec::new();
    let mut channels = Vec::new();
    let mut first = None;
    let mut segments = Segments::new(bytes);
    while let Some(segment) = segments.next() {
        match segment.marker {
            SOF0 | SOF1 | SOF9 => {
                let read = Frame::new(segment).filter(|frame| frame.is(header));
                frame = Some(read.ok_or_else(damaged)?);
            }
            // Tables of all kinds, and the restart interval.
            DHT | DAC | DQT | DRI => tables.push(segment.whole),
            // What the channels mean, which is settled by the first scan.
            APP0 | APP14 if first.is_none() => tables.push(segment.whole),
            SOS => {
                let frame = frame.as_ref().ok_or_else(damaged)?;
                if channels.is_empty() {
                    channels.resize_with(frame.channels.len(), || None);
                }
                let scan = Scan::new(frame, segment, segments.scan_data())?;
                let image = read_coefficients(&scan.as_image(&tables))?;
                for (index, part) in scan.channels.iter().zip(&image.components) {
                    let table = image.quant_tables.get(usize::from(part.quant_table_index));
                    let channel = frame.whole(*index, part, *table.ok_or_else(damaged)?)?;
                    // A channel comes once. (More scans than channels would take time.)
                    if channels[*index].replace(channel).is_some() {
                        return Err(damaged());
                    }
                }
                first.get_or_insert(JpegCoefficients { components: Vec::new(), ..image });
            }
            _ => {}
        }
    }
    let (Some(frame), Some(first)) = (frame, first) else { return Err(damaged()) };
    let mut quant_tables = Vec::with_capacity(channels.len());
    let mut components = Vec::with_capacity(channels.len());
    for channel in channels {
        let (mut component, table) = channel.ok_or_else(damaged)?;
        component.quant_table_index = quant_tables.len() as u8;
        quant_tables.push(table);
        components.push(component);
    }
    Ok(JpegCoefficients {
        width: frame.width,
        height: frame.height,
        components,
        quant_tables,
        restart_interval: 0,
        ..first
    })
}

fn damaged() -> JpegError {
    JpegError::CorruptData("the scans do not have each channel once".into())
}

/// A channel of the image as the frame's header describes it.
struct Channel<'a> {
    /// Its entry in the header: name, sampling, table.
    entry: &'a [u8; 3],
    horizontal: u16,
    vertical: u16,
}

/// The frame's header.
struct Frame<'a> {
    marker: u8,
    width: u16,
    height: u16,
    channels: Vec<Channel<'a>>,
    /// Of all channels, the largest sampling.
    most: (u16, u16),
}

impl<'a> Frame<'a> {
    fn new(segment: Segment<'a>) -> Option<Frame<'a>> {
        let [_precision, height @ .., _, _, count] = segment.body.first_chunk::<6>()?;
        let width = [segment.body[3], segment.body[4]];
        let entries = segment.body.get(6..)?.as_chunks::<3>().0.get(..usize::from(*count))?;
        let channels: Vec<Channel> = entries
            .iter()
            .map(|entry| Channel {
                entry,
                horizontal: u16::from(entry[1] >> 4),
                vertical: u16::from(entry[1] & 15),
            })
            .collect();
        let allowed = |channel: &Channel| {
            (1..=4).contains(&channel.horizontal) && (1..=4).contains(&channel.vertical)
        };
        if channels.len() > 4 || !channels.iter().all(allowed) {
            return None;
        }
        let most = (
            channels.iter().map(|it| it.horizontal).max()?,
            channels.iter().map(|it| it.vertical).max()?,
        );
        let (width, height) = (u16::from_be_bytes(width), u16::from_be_bytes(*height));
        Some(Frame { marker: segment.marker, width, height, channels, most })
    }

    /// Whether the decoder has read the same.
    fn is(&self, header: &FrameHeader) -> bool {
        (self.width, self.height, self.channels.len())
            == (header.width, header.height, header.components.len())
    }

    /// How many units of all channels there are from left to right and from top to bottom.
    fn units(&self) -> (usize, usize) {
        let units = |pixels: u16, most: u16| usize::from(pixels).div_ceil(8 * usize::from(most));
        (units(self.width, self.most.0), units(self.height, self.most.1))
    }

    /// A channel as a scan of all has it, with blocks up to the end of the last unit; those
    /// that no scan has lie outside the image.
    fn whole(
        &self,
        index: usize,
        part: &ComponentCoefficients,
        table: [u16; 64],
    ) -> Result<(ComponentCoefficients, [u16; 64]), JpegError> {
        let channel = &self.channels[index];
        let (columns, rows) = self.units();
        let blocks_x = columns * usize::from(channel.horizontal);
        let blocks_y = rows * usize::from(channel.vertical);
        let mut blocks: Vec<[i16; 64]> = Vec::new();
        let count = blocks_x * blocks_y;
        let no_memory = |_| JpegError::AllocationFailed {
            what: "coefficients",
            bytes: (count * size_of::<[i16; 64]>()) as u64,
        };
        blocks.try_reserve_exact(count).map_err(no_memory)?;
        for row in part.blocks.chunks_exact(part.blocks_x).take(blocks_y) {
            blocks.extend_from_slice(&row[..row.len().min(blocks_x)]);
            blocks.resize(blocks.len().next_multiple_of(blocks_x), [0; 64]);
        }
        blocks.resize(count, [0; 64]);
        let component = ComponentCoefficients {
            blocks,
            blocks_x,
            blocks_y,
            h_sampling: channel.horizontal as u8,
            v_sampling: channel.vertical as u8,
            quant_table_index: 0,
            component_id: channel.entry[0],
        };
        Ok((component, table))
    }
}

/// A scan: its header, which of the frame's channels it has, and its data.
struct Scan<'a> {
    frame: &'a Frame<'a>,
    header: &'a [u8],
    channels: Vec<usize>,
    data: &'a [u8],
}

impl<'a> Scan<'a> {
    fn new(
        frame: &'a Frame<'a>,
        segment: Segment<'a>,
        data: &'a [u8],
    ) -> Result<Scan<'a>, JpegError> {
        let (count, entries) = segment.body.split_first().ok_or_else(damaged)?;
        let entries = entries.as_chunks::<2>().0.get(..usize::from(*count)).ok_or_else(damaged)?;
        let channel = |name: u8| frame.channels.iter().position(|it| it.entry[0] == name);
        let channels: Option<Vec<usize>> = entries.iter().map(|entry| channel(entry[0])).collect();
        let channels = channels.filter(|it| it.is_sorted_by(|a, b| a < b)).ok_or_else(damaged)?;
        Ok(Scan { frame, header: segment.whole, channels, data })
    }

    /// An image that has only these channels, and as many blocks of each as the scan.
    fn as_image(&self, tables: &[&[u8]]) -> Vec<u8> {
        let size = self.size();
        let mut image = vec![0xff, 0xd8];
        tables.iter().for_each(|table| image.extend_from_slice(table));
        let length = 8 + 3 * self.channels.len() as u16;
        image.extend([0xff, self.frame.marker]);
        image.extend(length.to_be_bytes());
        image.push(8);
        image.extend(size.1.to_be_bytes());
        image.extend(size.0.to_be_bytes());
        image.push(self.channels.len() as u8);
        for index in &self.channels {
            let [name, sampling, table] = *self.frame.channels[*index].entry;
            // One alone goes block by block, whatever its sampling.
            let sampling = if self.channels.len() == 1 { 0x11 } else { sampling };
            image.extend([name, sampling, table]);
        }
        image.extend_from_slice(self.header);
        image.extend_from_slice(self.data);
        image.extend([0xff, 0xd9]);
        image
    }

    /// The size that gives an image of these channels the blocks of the scan.
    fn size(&self) -> (u16, u16) {
        let Frame { width, height, most, .. } = *self.frame;
        let channels = || self.channels.iter().map(|index| &self.frame.channels[*index]);
        let horizontal = channels().map(|it| it.horizontal).max().unwrap_or(1);
        let vertical = channels().map(|it| it.vertical).max().unwrap_or(1);
        if self.channels.len() == 1 {
            let samples = |pixels: u16, own: u16, most: u16| {
                (u32::from(pixels) * u32::from(own)).div_ceil(u32::from(most)) as u16
            };
            return (samples(width, horizontal, most.0), samples(height, vertical, most.1));
        }
        let (columns, rows) = self.frame.units();
        // The image's own where it is right; the sum of whole units may be a number too large.
        let side = |pixels: u16, units: usize, own: u16, most: u16| match own == most {
            true => pixels,
            false => (8 * units * usize::from(own)) as u16,
        };
        (side(width, columns, horizontal, most.0), side(height, rows, vertical, most.1))
    }
}
