//! Values of records to tensors.

use crate::decode::Decoder;
use crate::fault::Fault;
use crate::geometry::Cut;
use crate::resize::Resizer;
use crate::settings::Settings;
use crate::tensor;
use crate::upright::turned;

/// Reads one image after another. Its buffers grow to what the largest image needs and
/// are kept.
#[derive(Debug)]
pub struct Reader {
    settings: Settings,
    decoder: Decoder,
    resizer: Resizer,
    tensor: Vec<u8>,
}

impl Reader {
    /// A reader for these settings.
    pub fn new(settings: Settings) -> Reader {
        Reader {
            decoder: Decoder::new(settings.background, settings.max_pixels),
            resizer: Resizer::default(),
            tensor: vec![0; settings.tensor_bytes()],
            settings,
        }
    }

    /// What the images become.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The elements of an image's tensor, little-endian, in row-major order.
    /// `None` is the value of a tombstone.
    ///
    /// # Errors
    /// Why there is no tensor. The next value can be read all the same.
    pub fn read(&mut self, value: Option<&[u8]>) -> Result<&[u8], Fault> {
        let value = value.ok_or(Fault::Tombstone)?;
        if value.is_empty() {
            return Err(Fault::Empty);
        }
        let (bytes, limit) = (value.len() as u64, self.settings.max_bytes);
        if bytes > limit {
            return Err(Fault::Bytes { bytes, limit });
        }
        let picture = self.decoder.decode(value)?;
        let target = (self.settings.width, self.settings.height);
        let upright = turned((picture.width, picture.height), picture.orientation);
        let cut = Cut::new(upright, target, self.settings.fit);
        let resized = self.resizer.resize(&picture, cut, target, self.settings.filter)?;
        tensor::write(&self.settings, &resized, picture.channels, &mut self.tensor);
        Ok(&self.tensor)
    }
}
