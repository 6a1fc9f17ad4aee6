//! One array in numpy's format (NEP 1, `numpy.lib.format`, versions 1 to 3): a header, which is a
//! Python dictionary of three keys, and the elements.
//!
//! Only numbers are read. What numpy would unpickle is refused, and never looked into.

use super::header::{Header, NumberType, header_of};

/// Bytes of a header at most: numpy's own limit.
const HEADER: usize = 10_000;
const MAGIC: &[u8] = b"\x93NUMPY";

/// An array: its elements are in row-major order, little-endian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Array {
    /// Its name in the archive: a tensor's.
    pub name: String,
    /// The type of its elements.
    pub ty: NumberType,
    /// The size of each dimension.
    pub shape: Vec<usize>,
    /// As many elements as the shape says.
    pub data: Vec<u8>,
}

impl Array {
    /// The array in the bytes of an `.npy` file.
    ///
    /// # Errors
    /// If they are none, or one of something else than numbers.
    pub(super) fn read(name: String, bytes: &[u8]) -> Result<Self, String> {
        let (header, data) = parts(bytes)?;
        let Header { ty, swapped, fortran, shape } = header_of(header)?;
        let bytes = shape.iter().try_fold(ty.size(), |bytes, size| bytes.checked_mul(*size));
        if bytes != Some(data.len()) {
            let of = shown(&shape);
            return Err(format!(
                "{} bytes of data, which are not {ty} of {of}; the file was cut off or changed",
                data.len()
            ));
        }
        let mut data = data.to_vec();
        if swapped {
            data.chunks_exact_mut(ty.size()).for_each(<[u8]>::reverse);
        }
        let mut array = Array { name, ty, shape, data };
        if fortran {
            array.data = array.in_rows();
        }
        Ok(array)
    }

    /// The array as an `.npy` file of version 1.
    pub(super) fn write(&self) -> Vec<u8> {
        let (descr, shape) = (self.ty.descr(), tuple(&self.shape));
        let mut header =
            format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
        // The data begin at a multiple of 64.
        let filled = (MAGIC.len() + 4 + header.len() + 1).next_multiple_of(64);
        header.extend(std::iter::repeat_n(' ', filled - MAGIC.len() - 4 - header.len() - 1));
        header.push('\n');
        // A rank of 32 and sizes of 20 digits are far below.
        let length = u16::try_from(header.len()).unwrap_or(u16::MAX);
        [MAGIC, &[1, 0], &length.to_le_bytes(), header.as_bytes(), &self.data].concat()
    }

    /// Elements of so many bytes, whatever they mean.
    pub fn of_bytes(size: usize, shape: Vec<usize>, data: Vec<u8>) -> Self {
        Array { name: String::new(), ty: NumberType::Unsigned(size), shape, data }
    }

    /// Arrays one behind the other on an axis, under the name of the first. `None` if they are not
    /// of one type and shape.
    pub fn join(parts: &[Array], axis: usize) -> Option<Array> {
        let first = parts.first()?;
        let same = |part: &Array| part.ty == first.ty && part.shape == first.shape;
        if parts.len() == 1 {
            return Some(first.clone());
        }
        if !parts.iter().all(same) || axis >= first.shape.len() {
            return None;
        }
        let block = first.shape[axis..].iter().product::<usize>() * first.ty.size();
        let blocks = first.data.len() / block.max(1);
        let block_of =
            |index: usize| parts.iter().map(move |it| &it.data[index * block..][..block]);
        let data = (0..blocks).flat_map(block_of).flatten().copied().collect();
        let mut shape = first.shape.clone();
        shape[axis] *= parts.len();
        Some(Array { name: first.name.clone(), ty: first.ty, shape, data })
    }

    /// The places `start..start + count` of an axis.
    pub fn slice(&self, axis: usize, start: usize, count: usize) -> Array {
        let inner = self.shape[axis + 1..].iter().product::<usize>() * self.ty.size();
        let stride = inner * self.shape[axis];
        let mut shape = self.shape.clone();
        shape[axis] = count;
        let blocks = self.data.chunks_exact(stride.max(1));
        let data = blocks.flat_map(|block| &block[start * inner..(start + count) * inner]);
        Array { name: self.name.clone(), ty: self.ty, shape, data: data.copied().collect() }
    }

    /// The elements in row-major order, where they are in the order of columns.
    fn in_rows(&self) -> Vec<u8> {
        let size = self.ty.size();
        let count = self.data.len() / size;
        let mut data = Vec::with_capacity(self.data.len());
        for index in 0..count {
            let (mut rest, mut place, mut stride) = (index, 0, count);
            // The last dimension is the fastest in one order and the slowest in the other.
            for size in self.shape.iter().rev() {
                stride /= size;
                place += rest % size * stride;
                rest /= size;
            }
            data.extend_from_slice(&self.data[place * size..][..size]);
        }
        data
    }
}

/// `(3, 4)`, as Python writes it.
fn tuple(shape: &[usize]) -> String {
    match shape {
        [size] => format!("({size},)"),
        _ => format!("({})", shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// `[3, 4]`
pub(super) fn shown(shape: &[usize]) -> String {
    format!("{shape:?}")
}

/// The header and the elements.
fn parts(bytes: &[u8]) -> Result<(&str, &[u8]), String> {
    let rest = bytes.strip_prefix(MAGIC).ok_or("not an array of numpy (.npy)")?;
    let cut = || "the file was cut off within its header".to_owned();
    let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
    let (length, rest) = match version {
        [1, 0] => {
            let (length, rest) = rest.split_first_chunk().ok_or_else(cut)?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        [2 | 3, 0] => {
            let (length, rest) = rest.split_first_chunk().ok_or_else(cut)?;
            (u32::from_le_bytes(*length) as usize, rest)
        }
        [major, minor] => {
            return Err(format!(
                "unknown version {major}.{minor} of .npy; save it with numpy.savez"
            ));
        }
    };
    if length > HEADER {
        return Err(format!("a header of {length} bytes; at most {HEADER}"));
    }
    let (header, data) = rest.split_at_checked(length).ok_or_else(cut)?;
    let header = std::str::from_utf8(header).map_err(|_| "the header is not text")?;
    Ok((header, data))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]
mod tests {
    use super::*;

    /// An `.npy` of version 1 with this dictionary and these elements.
    fn npy(header: &str, data: &[u8]) -> Vec<u8> {
        let length = u16::try_from(header.len()).unwrap();
        [MAGIC, &[1, 0], &length.to_le_bytes(), header.as_bytes(), data].concat()
    }

    fn read(header: &str, data: &[u8]) -> Result<Array, String> {
        Array::read("a".into(), &npy(header, data))
    }

    #[test]
    fn what_is_written_is_read() {
        let shapes: [&[usize]; 5] = [&[], &[3], &[2, 3], &[0, 4], &[1, 2, 3, 4]];
        for ty in
            [NumberType::Bool, NumberType::Unsigned(8), NumberType::Signed(2), NumberType::Float(4)]
        {
            for shape in shapes {
                let bytes = shape.iter().product::<usize>() * ty.size();
                let data = (0..bytes).map(|it| it as u8).collect();
                let array = Array { name: "a".into(), ty, shape: shape.into(), data };
                let file = array.write();
                assert_eq!((file.len() - bytes) % 64, 0);
                assert_eq!(Array::read("a".into(), &file).unwrap(), array);
            }
        }
    }

    #[test]
    fn orders_of_bytes_and_of_elements() {
        // numpy.arange(6, dtype='>i2').reshape(2, 3)
        let data: Vec<u8> = (0..6_i16).flat_map(i16::to_be_bytes).collect();
        let header = "{'descr': '>i2', 'fortran_order': False, 'shape': (2, 3), }";
        let plain: Vec<u8> = (0..6_i16).flat_map(i16::to_le_bytes).collect();
        assert_eq!(read(header, &data).unwrap().data, plain);
        // numpy.asfortranarray(numpy.arange(6).reshape(1, 2, 3)): column after column.
        let header = "{'descr': '|u1', 'fortran_order': True, 'shape': (1, 2, 3), }";
        assert_eq!(read(header, &[0, 3, 1, 4, 2, 5]).unwrap().data, [0, 1, 2, 3, 4, 5]);
        let header = "{'descr': '|u1', 'fortran_order': True, 'shape': (0, 3), }";
        assert_eq!(read(header, &[]).unwrap().shape, [0, 3]);
    }

    #[test]
    fn slices_are_of_an_axis() {
        let data: Vec<u8> = (0..12).collect();
        let array =
            Array { name: "a".into(), ty: NumberType::Unsigned(1), shape: vec![2, 3, 2], data };
        assert_eq!(array.slice(0, 1, 1).data, [6, 7, 8, 9, 10, 11]);
        let middle = array.slice(1, 1, 2);
        assert_eq!((middle.shape, middle.data), (vec![2, 2, 2], vec![2, 3, 4, 5, 8, 9, 10, 11]));
        assert_eq!(array.slice(2, 0, 1).data, [0, 2, 4, 6, 8, 10]);
        for (axis, size) in [2, 3, 2].into_iter().enumerate() {
            let parts: Vec<Array> = (0..size).map(|at| array.slice(axis, at, 1)).collect();
            assert_eq!(Array::join(&parts, axis), Some(array.clone()), "{axis}");
        }
        assert_eq!(Array::join(&[array.slice(0, 0, 1), array.clone()], 0), None);
    }

    #[test]
    fn what_is_no_array_of_numbers_is_refused() {
        let of =
            |descr: &str| format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}");
        for (header, due) in [
            (of("'|O'"), "Python objects"),
            (of("'<U5'"), "texts"),
            (of("'|S5'"), "texts"),
            (of("'<c8'"), "complex"),
            (of("'|V2'"), "bfloat16"),
            (of("'<M8[ns]'"), "dates"),
            (of("'<f16'"), "astype('float64')"),
            (of("[('x', '<f4')]"), "several fields"),
            (of("'=f4'"), "unknown type"),
            (of("'|f4'"), "astype('float64')"),
            (of("'<i3'"), "unknown type"),
            (of("'f'"), "unknown type"),
            ("{'descr': '<f4', 'shape': (1,)}".into(), "lacks one of"),
            (
                "{'descr': '<f4', 'fortran_order': 1, 'shape': (1,)}".into(),
                "neither True nor False",
            ),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}".into(), "whole numbers"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': 1}".into(), "expected '('"),
            (
                "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}".into(),
                "duplicate",
            ),
            ("{'code': '<f4'}".into(), "unknown key"),
            (of("'<f4'") + " import os", "behind the header"),
            ("{'descr': '<f4".into(), "no end"),
            ("".into(), "expected '{'"),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551615, 4)}"
                    .into(),
                "not float32 of",
            ),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}".into(),
                "whole numbers",
            ),
            (
                format!(
                    "{{'descr': '<f4', 'fortran_order': False, 'shape': ({})}}",
                    "1,".repeat(33)
                ),
                "dimensions",
            ),
        ] {
            let error = read(&header, &[0; 4]).unwrap_err();
            assert!(error.contains(due), "{header}: {error}");
        }
        let good = npy(&of("'<f4'"), &[0; 4]);
        assert!(Array::read("a".into(), &good).is_ok());
        for cut in 0..good.len() {
            assert!(Array::read("a".into(), &good[..cut]).is_err(), "{cut}");
        }
        for (place, byte, due) in [(0, b'P', "not an array"), (6, 9, "unknown version 9.0")] {
            let mut other = good.clone();
            other[place] = byte;
            let error = Array::read("a".into(), &other).unwrap_err();
            assert!(error.contains(due), "{error}");
        }
        let long = [MAGIC, &[2, 0], &u32::MAX.to_le_bytes()].concat();
        assert!(Array::read("a".into(), &long).unwrap_err().contains("at most 10000"));
    }
}
