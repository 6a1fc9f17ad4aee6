//! Which bytes of a line matter, found for 64 bytes at once.

/// How many bytes are looked at together: one bit of a `u64` for each.
pub(super) const BLOCK: usize = 64;

/// What 64 bytes hold.
pub(super) struct Marks {
    /// Bit n is set where byte n is the separator.
    pub(super) separators: u64,
    /// Whether there is a quote or a line end among them.
    pub(super) special: bool,
}

/// Finds the separators, and whether there are quotes or line ends.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[inline(always)]
pub(super) fn marks(block: &[u8; BLOCK], separator: u8) -> Marks {
    use core::arch::wasm32::{
        u8x16_bitmask, u8x16_eq, u8x16_splat, v128, v128_any_true, v128_load, v128_or,
    };

    let mut separators = 0;
    let mut special = u8x16_splat(0);
    for (index, chunk) in block.as_chunks::<16>().0.iter().enumerate() {
        // SAFETY: a reference to 16 bytes is good for reading 16 bytes, and
        // `v128_load` takes any alignment.
        let bytes = unsafe { v128_load(chunk.as_ptr().cast::<v128>()) };
        let equal = |byte| u8x16_eq(bytes, u8x16_splat(byte));
        separators |= u64::from(u8x16_bitmask(equal(separator))) << (16 * index);
        let line_end = v128_or(equal(b'\n'), equal(b'\r'));
        special = v128_or(special, v128_or(equal(b'"'), line_end));
    }
    Marks { separators, special: v128_any_true(special) }
}

/// Finds the separators, and whether there are quotes or line ends.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[inline(always)]
pub(super) fn marks(block: &[u8; BLOCK], separator: u8) -> Marks {
    let mut separators = 0;
    for (index, word) in block.as_chunks::<8>().0.iter().enumerate() {
        let equal = equal_bytes(u64::from_le_bytes(*word), separator) >> 7;
        // The product gathers the lowest bit of each byte in the highest byte.
        separators |= (equal.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * index);
    }
    // Without a way out in between, so that the compiler may take many at once.
    let special =
        block.iter().fold(false, |special, byte| special | matches!(byte, b'"' | b'\n' | b'\r'));
    Marks { separators, special }
}

/// The highest bit of each byte of `word` that is `byte`; all other bits are 0.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[inline]
fn equal_bytes(word: u64, byte: u8) -> u64 {
    const LOW_BITS: u64 = u64::from_ne_bytes([0x7f; 8]);
    let difference = word ^ u64::from_ne_bytes([byte; 8]);
    // In a byte that differs, the sum of its low seven bits carries into the
    // highest, or the highest is set already. No carry leaves its byte.
    !((difference & LOW_BITS).wrapping_add(LOW_BITS) | difference | LOW_BITS)
}
