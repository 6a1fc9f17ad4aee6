//! Exponentials and logarithms of single precision, with the bits that XGBoost gets.
//!
//! XGBoost calls `expf` and `logf` of the C library, which on Linux is glibc (2.27 and later).
//! Its results are those of ARM's optimized routines: a short polynomial and a table, computed
//! in double precision. The tables and coefficients here are theirs. The results are the same
//! for every number where the processor multiplies and adds in one step, as x86-64 has since
//! 2013; without, glibc has two exponentials of all 2^32 that differ in the last bit. They are
//! the same in WebAssembly, which has no C library of that kind.

/// Parts that the range between two powers of two is cut into.
const PARTS: f64 = 32.0;

/// The base of natural logarithms to the power of `x`.
pub(crate) fn exp(x: f32) -> f32 {
    const ROOTS: [f64; 32] = roots();
    // The coefficients of 2 to the power of r/32, for r from -1/2 to 1/2.
    const THIRD: f64 = f64::from_bits(0x3FAC_6AF8_4B91_2394) / PARTS / PARTS / PARTS;
    const SECOND: f64 = f64::from_bits(0x3FCE_BFCE_50FA_C4F3) / PARTS / PARTS;
    const FIRST: f64 = f64::from_bits(0x3FE6_2E42_FF0C_52D6) / PARTS;
    // 32 divided by the logarithm of 2.
    const SCALE: f64 = f64::from_bits(0x3FF7_1547_652B_82FE) * PARTS;
    // Its first 24 bits, and the others.
    const UPPER: f64 = f64::from_bits(SCALE.to_bits() & !0x1FFF_FFFF);
    const LOWER: f64 = SCALE - UPPER;

    // Beyond these the result is too large or too small for single precision.
    if x.is_nan() {
        return x + x;
    }
    if x > f32::from_bits(0x42B1_7217) {
        return f32::INFINITY;
    }
    if x < f32::from_bits(0xC2CF_F1B4) {
        return 0.0;
    }
    let x = f64::from(x);
    let nearest = (SCALE * x).round_ties_even();
    // Rounded once, as where a processor multiplies and adds in one step: both products are
    // exact, and so is the difference.
    let rest = (UPPER * x - nearest) + LOWER * x;
    let whole = nearest as i64;
    // 2 to the power of whole/32: the root, and the power of two in the exponent's bits.
    let bits = ROOTS[whole.rem_euclid(32) as usize].to_bits();
    let power = f64::from_bits(bits.wrapping_add((whole.div_euclid(32) << 52) as u64));
    let upper = THIRD * rest + SECOND;
    let lower = FIRST * rest + 1.0;
    ((upper * (rest * rest) + lower) * power) as f32
}

/// The natural logarithm of `x`.
pub(crate) fn log(x: f32) -> f32 {
    // Around the middle of each sixteenth: its inverse, and its logarithm.
    const TABLE: [(u64, u64); 16] = [
        (0x3FF6_61EC_79F8_F3BE, 0xBFD5_7BF7_808C_AADE),
        (0x3FF5_71ED_4AAF_883D, 0xBFD2_BEF0_A7C0_6DDB),
        (0x3FF4_9539_F0F0_10B0, 0xBFD0_1EAE_7F51_3A67),
        (0x3FF3_C995_B0B8_0385, 0xBFCB_31D8_A682_24E9),
        (0x3FF3_0D19_0C88_64A5, 0xBFC6_574F_0AC0_7758),
        (0x3FF2_5E22_7B0B_8EA0, 0xBFC1_AA2B_C79C_8100),
        (0x3FF1_BB4A_4A1A_343F, 0xBFBA_4E76_CE8C_0E5E),
        (0x3FF1_2358_F08A_E5BA, 0xBFB1_973C_5A61_1CCC),
        (0x3FF0_953F_4199_00A7, 0xBFA2_52F4_38E1_0C1E),
        (0x3FF0_0000_0000_0000, 0),
        (0x3FEE_608C_FD9A_47AC, 0x3FAA_A5AA_5DF2_5984),
        (0x3FEC_A4B3_1F02_6AA0, 0x3FBC_5E53_AA36_2EB4),
        (0x3FEB_2036_576A_FCE6, 0x3FC5_26E5_7720_DB08),
        (0x3FE9_C2D1_63A1_AA2D, 0x3FCB_C286_0D22_4770),
        (0x3FE8_86E6_0378_41ED, 0x3FD1_058B_C8A0_7EE1),
        (0x3FE7_67DC_F553_4862, 0x3FD4_0430_57B6_EE09),
    ];
    const LOG_2: f64 = f64::from_bits(0x3FE6_2E42_FEFA_39EF);
    const FOURTH: f64 = f64::from_bits(0xBFD0_0EA3_48B8_8334);
    const THIRD: f64 = f64::from_bits(0x3FD5_575B_0BE0_0B6A);
    const SECOND: f64 = f64::from_bits(0xBFDF_FFFE_F20A_4123);
    /// The bits of about the square root of 1/2, where the first sixteenth begins.
    const BEGIN: u32 = 0x3F33_0000;

    if x.is_nan() || x < 0.0 {
        return f32::NAN;
    }
    if x == 0.0 {
        return f32::NEG_INFINITY;
    }
    if x == f32::INFINITY {
        return x;
    }
    // A subnormal number is made a normal one, its exponent less by 23.
    let bits = if x < f32::MIN_POSITIVE {
        (x * 8_388_608.0).to_bits().wrapping_sub(23 << 23)
    } else {
        x.to_bits()
    };
    let above = bits.wrapping_sub(BEGIN);
    let (inverse, logarithm) = TABLE[(above >> 19) as usize % 16];
    let exponent = (above as i32) >> 23;
    let fraction = f64::from(f32::from_bits(bits.wrapping_sub(above & 0xFF80_0000)));
    let rest = fraction * f64::from_bits(inverse) - 1.0;
    let base = f64::from_bits(logarithm) + f64::from(exponent) * LOG_2;
    let square = rest * rest;
    let upper = FOURTH * square + (THIRD * rest + SECOND);
    (upper * square + (base + rest)) as f32
}

/// The 32nd roots of 2 to the powers of 0 to 31, correctly rounded.
const fn roots() -> [f64; 32] {
    let bits = [
        0x3FF0_0000_0000_0000,
        0x3FF0_59B0_D315_8574,
        0x3FF0_B558_6CF9_890F,
        0x3FF1_1301_D012_5B51,
        0x3FF1_72B8_3C7D_517B,
        0x3FF1_D487_3168_B9AA,
        0x3FF2_387A_6E75_6238,
        0x3FF2_9E9D_F51F_DEE1,
        0x3FF3_06FE_0A31_B715,
        0x3FF3_71A7_373A_A9CB,
        0x3FF3_DEA6_4C12_3422,
        0x3FF4_4E08_6061_892D,
        0x3FF4_BFDA_D536_2A27,
        0x3FF5_342B_569D_4F82,
        0x3FF5_AB07_DD48_5429,
        0x3FF6_247E_B03A_5585,
        0x3FF6_A09E_667F_3BCD,
        0x3FF7_1F75_E8EC_5F74,
        0x3FF7_A114_73EB_0187,
        0x3FF8_2589_994C_CE13,
        0x3FF8_ACE5_422A_A0DB,
        0x3FF9_3737_B0CD_C5E5,
        0x3FF9_C491_82A3_F090,
        0x3FFA_5503_B23E_255D,
        0x3FFA_E89F_995A_D3AD,
        0x3FFB_7F76_F2FB_5E47,
        0x3FFC_199B_DD85_529C,
        0x3FFC_B720_DCEF_9069,
        0x3FFD_5818_DCFB_A487,
        0x3FFD_FC97_337B_9B5F,
        0x3FFE_A4AF_A2A4_90DA,
        0x3FFF_5076_5B6E_4540,
    ];
    let mut roots = [0.0; 32];
    let mut at = 0;
    while at < 32 {
        roots[at] = f64::from_bits(bits[at]);
        at += 1;
    }
    roots
}

#[cfg(test)]
mod tests {
    use super::{exp, log};

    /// Where the standard library calls glibc, one number of ten thousand. All were compared
    /// once. Two exponentials are others on a processor without fused multiply-add, and none of
    /// these.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[test]
    fn results_are_those_of_the_c_library() {
        let is_same = |a: f32, b: f32| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
        for bits in (0..=u32::MAX).step_by(9973) {
            let x = f32::from_bits(bits);
            assert!(is_same(exp(x), x.exp()), "exp {x:e}: {:e}, not {:e}", exp(x), x.exp());
            assert!(is_same(log(x), x.ln()), "log {x:e}: {:e}, not {:e}", log(x), x.ln());
        }
    }

    #[test]
    fn the_ends_of_the_range_are_exact() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(f32::INFINITY), f32::INFINITY);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert!(exp(f32::NAN).is_nan());
        assert_eq!(log(1.0), 0.0);
        assert_eq!(log(0.0), f32::NEG_INFINITY);
        assert_eq!(log(f32::INFINITY), f32::INFINITY);
        assert!(log(-1.0).is_nan());
    }
}
