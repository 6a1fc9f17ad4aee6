//! The bytes of a message that are left.

use crate::fault::Fault;

/// How a field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    Varint,
    Eight,
    Bytes,
    Group,
    GroupEnd,
    Four,
}

/// A part of a record, and how far it is read.
pub(crate) struct Input<'a> {
    pub(crate) record: &'a [u8],
    pub(crate) at: usize,
    pub(crate) end: usize,
}

impl Input<'_> {
    #[inline]
    fn byte(&mut self) -> Result<u8, Fault> {
        if self.at >= self.end {
            return Err(Fault::Truncated);
        }
        let byte = *self.record.get(self.at).ok_or(Fault::Truncated)?;
        self.at += 1;
        Ok(byte)
    }

    #[inline]
    pub(crate) fn varint(&mut self) -> Result<u64, Fault> {
        let mut number = 0;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            if shift == 63 && byte > 1 {
                break;
            }
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Fault::Malformed("a whole number has more than 64 bits"))
    }

    /// The number of the next field, and how it is written; `None` at the end.
    #[inline]
    pub(crate) fn tag(&mut self) -> Result<Option<(u32, Wire)>, Fault> {
        if self.at >= self.end {
            return Ok(None);
        }
        let tag = u32::try_from(self.varint()?);
        let tag = tag.map_err(|_| Fault::Malformed("a field's number is too large"))?;
        let wire = match tag & 7 {
            0 => Wire::Varint,
            1 => Wire::Eight,
            2 => Wire::Bytes,
            3 => Wire::Group,
            4 => Wire::GroupEnd,
            5 => Wire::Four,
            _ => return Err(Fault::Malformed("a field is written in no way that there is")),
        };
        match tag >> 3 {
            0 => Err(Fault::Malformed("a field has the number 0")),
            number => Ok(Some((number, wire))),
        }
    }

    /// The next bytes.
    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> Result<std::ops::Range<usize>, Fault> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.end);
        let start = self.at;
        self.at = end.ok_or(Fault::Truncated)?;
        Ok(start..self.at)
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let range = self.take(N)?;
        self.record.get(range).and_then(|it| it.try_into().ok()).ok_or(Fault::Truncated)
    }

    /// The next bytes, whose length is in front of them.
    #[inline]
    pub(crate) fn bytes(&mut self) -> Result<std::ops::Range<usize>, Fault> {
        let length = usize::try_from(self.varint()?).map_err(|_| Fault::Truncated)?;
        self.take(length)
    }

    /// Passes over a field.
    pub(crate) fn skip(&mut self, number: u32, wire: Wire, depth: usize) -> Result<(), Fault> {
        match wire {
            Wire::Varint => _ = self.varint()?,
            Wire::Eight => _ = self.take(8)?,
            Wire::Bytes => _ = self.bytes()?,
            Wire::Four => _ = self.take(4)?,
            Wire::GroupEnd => return Err(Fault::Malformed("a group ends that has not begun")),
            Wire::Group => {
                if depth == crate::DEPTH {
                    return Err(Fault::Deep);
                }
                loop {
                    match self.tag()?.ok_or(Fault::Truncated)? {
                        (end, Wire::GroupEnd) if end == number => break,
                        (inner, wire) => self.skip(inner, wire, depth + 1)?,
                    }
                }
            }
        }
        Ok(())
    }
}
