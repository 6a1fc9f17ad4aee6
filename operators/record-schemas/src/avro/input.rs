//! The bytes of a record that are left.

use crate::fault::Fault;

/// The bytes of a record, and how far they are read.
pub(crate) struct Input<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
}

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Input { bytes, at: 0 }
    }

    pub(crate) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The next bytes; the range is theirs in the record.
    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let end = self.at.checked_add(count).ok_or(Fault::Truncated)?;
        let taken = self.bytes.get(self.at..end).ok_or(Fault::Truncated)?;
        self.at = end;
        Ok(taken)
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| Fault::Truncated)
    }

    #[inline]
    pub(crate) fn long(&mut self) -> Result<i64, Fault> {
        // Most numbers have one byte.
        match self.bytes.get(self.at) {
            Some(byte) if byte & 0x80 == 0 => {
                self.at += 1;
                let number = i64::from(*byte);
                Ok((number >> 1) ^ -(number & 1))
            }
            _ => self.long_of_several(),
        }
    }

    fn long_of_several(&mut self) -> Result<i64, Fault> {
        let mut number = 0_u64;
        for shift in (0..70).step_by(7) {
            let byte = *self.bytes.get(self.at).ok_or(Fault::Truncated)?;
            self.at += 1;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok((number >> 1) as i64 ^ -((number & 1) as i64));
            }
        }
        Err(Fault::Malformed("a whole number has more than 64 bits"))
    }

    #[inline]
    pub(crate) fn int(&mut self) -> Result<i64, Fault> {
        let number = self.long()?;
        if i32::try_from(number).is_err() {
            return Err(Fault::Malformed("an int has more than 32 bits"));
        }
        Ok(number)
    }

    /// The length of a string or of bytes.
    #[inline]
    pub(crate) fn length(&mut self) -> Result<usize, Fault> {
        let length = self.long()?;
        if length < 0 {
            return Err(Fault::Malformed("a length is negative"));
        }
        // In the sandbox a size has 32 bits.
        let length = usize::try_from(length).ok().filter(|length| *length <= self.left());
        length.ok_or(Fault::Truncated)
    }

    /// The next bytes of bytes or a string.
    #[inline]
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Fault> {
        let length = self.length()?;
        self.take(length)
    }

    /// The next block of an array or map: how many items, and how many bytes these have, if that
    /// is said; no items end it.
    pub(crate) fn block(&mut self) -> Result<(u64, Option<usize>), Fault> {
        let count = self.long()?;
        if count >= 0 {
            return Ok((count as u64, None));
        }
        Ok((count.unsigned_abs(), Some(self.length()?)))
    }

    #[inline]
    pub(crate) fn boolean(&mut self) -> Result<bool, Fault> {
        match self.array()? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(Fault::Malformed("a boolean is neither 0 nor 1")),
        }
    }
}
