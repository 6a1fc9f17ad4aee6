//! The elements of an array as those of a tensor, or as numbers.

use half::{bf16, f16};

use super::header::NumberType;
use super::npy::Array;
use crate::tensors::ElementType;

/// The elements of an array or a tensor, as numbers without a loss.
#[derive(Debug, Clone, PartialEq)]
pub enum Numbers {
    /// Integers of up to 64 bits, and truth values.
    Whole(Vec<i128>),
    /// Floats.
    Real(Vec<f64>),
}

impl Numbers {
    /// The elements of a tensor. An incomplete last one is ignored.
    pub fn of(ty: ElementType, bytes: &[u8]) -> Self {
        match ty {
            ElementType::U8 => Numbers::Whole(bytes.iter().map(|it| i128::from(*it)).collect()),
            ElementType::I32 => Numbers::Whole(each(bytes, |it| i32::from_le_bytes(it).into())),
            ElementType::I64 => Numbers::Whole(each(bytes, |it| i64::from_le_bytes(it).into())),
            ElementType::Fp16 => Numbers::Real(each(bytes, |it| f16::from_le_bytes(it).to_f64())),
            ElementType::Bf16 => Numbers::Real(each(bytes, |it| bf16::from_le_bytes(it).to_f64())),
            ElementType::Fp32 => Numbers::Real(each(bytes, |it| f32::from_le_bytes(it).into())),
            ElementType::Fp64 => Numbers::Real(each(bytes, f64::from_le_bytes)),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Numbers::Whole(numbers) => numbers.len(),
            Numbers::Real(numbers) => numbers.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All as floats, integers beyond 2^53 rounded.
    pub fn floats(&self) -> Vec<f64> {
        match self {
            Numbers::Whole(numbers) => numbers.iter().map(|it| *it as f64).collect(),
            Numbers::Real(numbers) => numbers.clone(),
        }
    }
}

impl Array {
    /// An array of a tensor's elements. `bf16` becomes `float32`, which holds the same numbers.
    pub fn of_tensor(name: String, ty: ElementType, shape: Vec<usize>, data: Vec<u8>) -> Self {
        let (ty, data) = match ty {
            ElementType::U8 => (NumberType::Unsigned(1), data),
            ElementType::I32 => (NumberType::Signed(4), data),
            ElementType::I64 => (NumberType::Signed(8), data),
            ElementType::Fp16 => (NumberType::Float(2), data),
            ElementType::Fp32 => (NumberType::Float(4), data),
            ElementType::Fp64 => (NumberType::Float(8), data),
            ElementType::Bf16 => {
                let wide = |it| bf16::from_le_bytes(it).to_f32().to_le_bytes();
                (NumberType::Float(4), each(&data, wide).into_iter().flatten().collect())
            }
        };
        Array { name, ty, shape, data }
    }

    /// The elements as numbers.
    pub fn numbers(&self) -> Numbers {
        let whole = |it: Vec<i128>| Numbers::Whole(it);
        match self.ty {
            NumberType::Bool | NumberType::Unsigned(1) => Numbers::of(ElementType::U8, &self.data),
            NumberType::Unsigned(2) => whole(each(&self.data, |it| u16::from_le_bytes(it).into())),
            NumberType::Unsigned(4) => whole(each(&self.data, |it| u32::from_le_bytes(it).into())),
            NumberType::Unsigned(_) => whole(each(&self.data, |it| u64::from_le_bytes(it).into())),
            NumberType::Signed(1) => whole(each(&self.data, |it| i8::from_le_bytes(it).into())),
            NumberType::Signed(2) => whole(each(&self.data, |it| i16::from_le_bytes(it).into())),
            NumberType::Signed(4) => Numbers::of(ElementType::I32, &self.data),
            NumberType::Signed(_) => Numbers::of(ElementType::I64, &self.data),
            NumberType::Float(2) => Numbers::of(ElementType::Fp16, &self.data),
            NumberType::Float(4) => Numbers::of(ElementType::Fp32, &self.data),
            NumberType::Float(_) => Numbers::of(ElementType::Fp64, &self.data),
        }
    }

    /// The elements as those of a tensor, if that type holds every number just as it is. numpy
    /// makes 64 bits of what is written down; an input that was rounded would be another.
    ///
    /// # Errors
    /// If a number is none of the type.
    pub fn tensor(&self, ty: ElementType) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::with_capacity(self.data.len() / self.ty.size() * ty.size());
        let differs = |index: usize, number: String| {
            format!(
                "{} {number} at {} is no {ty}, which the graph takes; save it with .astype('{}')",
                self.ty,
                place(&self.shape, index),
                numpy(ty)
            )
        };
        match self.numbers() {
            Numbers::Whole(numbers) => {
                for (index, number) in numbers.into_iter().enumerate() {
                    let kept = match ty {
                        ElementType::U8 => u8::try_from(number).is_ok(),
                        ElementType::I32 => i32::try_from(number).is_ok(),
                        ElementType::I64 => i64::try_from(number).is_ok(),
                        _ => true,
                    };
                    let start = bytes.len();
                    match ty {
                        // Beyond 2^53 a double would round it.
                        ElementType::I64 => bytes.extend((number as i64).to_le_bytes()),
                        _ => ty.encode(number as f64, &mut bytes),
                    }
                    let back = Numbers::of(ty, &bytes[start..]);
                    let same = match &back {
                        Numbers::Whole(_) => true,
                        Numbers::Real(real) => real.first().is_some_and(|it| *it as i128 == number),
                    };
                    if !kept || !same {
                        return Err(differs(index, number.to_string()));
                    }
                }
            }
            Numbers::Real(numbers) => {
                for (index, number) in numbers.into_iter().enumerate() {
                    let start = bytes.len();
                    ty.encode(number, &mut bytes);
                    let back = Numbers::of(ty, &bytes[start..]).floats();
                    let same = |it: &f64| *it == number || it.is_nan() && number.is_nan();
                    if !back.first().is_some_and(same) {
                        return Err(differs(index, number.to_string()));
                    }
                }
            }
        }
        Ok(bytes)
    }
}

/// numpy's name for a type.
fn numpy(ty: ElementType) -> &'static str {
    match ty {
        ElementType::U8 => "uint8",
        ElementType::I32 => "int32",
        ElementType::I64 => "int64",
        ElementType::Fp16 => "float16",
        ElementType::Fp32 | ElementType::Bf16 => "float32",
        ElementType::Fp64 => "float64",
    }
}

/// The place of an element, as numpy indexes it: `[1, 0, 7]`.
pub fn place(shape: &[usize], index: usize) -> String {
    let mut rest = index;
    let mut place: Vec<usize> = shape
        .iter()
        .rev()
        .map(|size| {
            let at = rest % (*size).max(1);
            rest /= (*size).max(1);
            at
        })
        .collect();
    place.reverse();
    format!("{place:?}")
}

fn each<const N: usize, T>(bytes: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (chunks, _) = bytes.as_chunks::<N>();
    chunks.iter().map(|chunk| number(*chunk)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]
mod tests {
    use super::*;

    fn doubles(numbers: &[f64]) -> Array {
        let data = numbers.iter().flat_map(|it| it.to_le_bytes()).collect();
        Array { name: "a".into(), ty: NumberType::Float(8), shape: vec![numbers.len()], data }
    }

    fn longs(numbers: &[i64]) -> Array {
        let data = numbers.iter().flat_map(|it| it.to_le_bytes()).collect();
        Array { name: "a".into(), ty: NumberType::Signed(8), shape: vec![1, numbers.len()], data }
    }

    #[test]
    fn only_what_is_the_same_number_is_taken() {
        let nan = doubles(&[0.5, -0.0, f64::NAN, f64::INFINITY]).tensor(ElementType::Fp32).unwrap();
        assert_eq!(Numbers::of(ElementType::Fp32, &nan).floats()[0], 0.5);
        assert!(Numbers::of(ElementType::Fp32, &nan).floats()[2].is_nan());
        let error = doubles(&[0.5, 0.1]).tensor(ElementType::Fp32).unwrap_err();
        assert_eq!(
            error,
            "float64 0.1 at [1] is no fp32, which the graph takes; save it with .astype('float32')"
        );
        assert!(doubles(&[1.0]).tensor(ElementType::I64).is_ok());
        for (numbers, ty) in [
            (vec![1.5], ElementType::I32),
            (vec![f64::NAN], ElementType::I32),
            (vec![256.0], ElementType::U8),
            (vec![-1.0], ElementType::U8),
            (vec![70000.0], ElementType::Fp16),
            (vec![1e300], ElementType::Fp32),
        ] {
            assert!(doubles(&numbers).tensor(ty).is_err(), "{numbers:?} {ty}");
        }
        let large = [(1 << 53) + 1, i64::MIN, i64::MAX];
        let bytes = longs(&large).tensor(ElementType::I64).unwrap();
        assert_eq!(Numbers::of(ElementType::I64, &bytes), longs(&large).numbers());
        for (numbers, ty) in [
            (large[0], ElementType::Fp64),
            ((1 << 24) + 1, ElementType::Fp32),
            (2049, ElementType::Fp16),
            (1 << 31, ElementType::I32),
            (-1, ElementType::U8),
            (i64::MAX, ElementType::Fp64),
        ] {
            let error = longs(&[0, numbers]).tensor(ty).unwrap_err();
            assert!(error.contains("at [0, 1]"), "{error}");
        }
        assert!(longs(&[2048]).tensor(ElementType::Fp16).is_ok());
        let most = Array {
            name: "a".into(),
            ty: NumberType::Unsigned(8),
            shape: vec![1],
            data: u64::MAX.to_le_bytes().into(),
        };
        assert!(most.tensor(ElementType::I64).is_err());
    }

    #[test]
    fn tensors_are_arrays() {
        let half = f16::from_f32(1.5).to_le_bytes().to_vec();
        let array = Array::of_tensor("a".into(), ElementType::Fp16, vec![1], half.clone());
        assert_eq!((array.ty, &array.data), (NumberType::Float(2), &half));
        let brain = bf16::from_f32(1.5).to_le_bytes().to_vec();
        let array = Array::of_tensor("a".into(), ElementType::Bf16, vec![1], brain);
        assert_eq!(array.numbers(), Numbers::Real(vec![1.5]));
        assert_eq!(place(&[2, 3, 4], 23), "[1, 2, 3]");
        assert_eq!(place(&[], 0), "[]");
    }
}
