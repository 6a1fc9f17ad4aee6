//! Java's exponential, bit for bit.
//!
//! A default threshold is often the very probability of one training row, so that a label
//! hangs on the last bit of an exponential. C libraries differ from Java there, about once in
//! five hundred times, and from each other. `Math.exp` of OpenJDK on x86-64 is the one of Intel's
//! LIBM (HotSpot's `macroAssembler_x86_exp.cpp` describes it; Android's bionic has the same in
//! `libm/x86_64/e_exp.S`): with `x = m ln2/64 + y` and `m = 64 n + j`,
//!
//! ```text
//! exp(x) = 2^n T[j] (1 + P(y)),    T[j] = 2^(j/64) as a double and what that lacks of it
//! ```
//!
//! where `P` is a polynomial for `exp(y) - 1`. What matters is the order of its sums, none of
//! them fused. `testdata/exp.csv` has Java's answers.

/// `e^x`, as `Math.exp` of OpenJDK on x86-64.
#[inline]
pub(crate) fn exp(x: f64) -> f64 {
    let size = x.abs();
    // Also where it is NaN.
    if !(TINY..1024.0).contains(&size) {
        return beyond(x);
    }
    let shifted = x * PER_STEP + SHIFTER;
    // The lower half of the sum is the number of steps, an integer.
    let number = shifted.to_bits() as i32;
    let steps = shifted - SHIFTER;
    let y = (x - STEP.0 * steps) - STEP.1 * steps;

    let (power, rest) = TABLE[(number & 63) as usize];
    let exponent = number >> 6;
    let (square, cube) = (y * y, y * (y * y));
    let high = (cube * square) * (C5 + C6 * y);
    let middle = cube * (C3 + C4 * y);
    let terms = (middle + ((y + f64::from_bits(rest)) + high)) + C2 * square;

    if (-894..=1022).contains(&exponent) {
        let power = scaled(power, exponent);
        return terms * power + power;
    }
    extreme(terms, power, exponent)
}

/// Where the exponent does not fit into one factor: it is split into two.
#[cold]
fn extreme(terms: f64, power: u64, exponent: i32) -> f64 {
    let half = exponent >> 1;
    let (first, second) = (scaled(power, exponent - half), scaled(ONE, half));
    let product = terms * first;
    // How many bits a subnormal result lacks.
    let lacking = -1022 - exponent;
    if lacking > 52 {
        return (product + first) * second;
    }
    let mask = u32::try_from(lacking).map_or(0, |lacking| u64::MAX << lacking);
    let kept = f64::from_bits(first.to_bits() & mask);
    let remainder = product + (first - kept);
    let result = (remainder + kept) * second;
    if exponent >= 1023 || result.is_normal() || lacking == 0 && remainder.is_sign_positive() {
        return result;
    }
    // Both parts are exact; their bits are summed up as those of integers.
    let (remainder, kept) = (remainder * second, kept * second);
    let change = (remainder.abs().to_bits()) as i64;
    let sign = if remainder.is_sign_negative() { -1 } else { 1 };
    f64::from_bits(kept.to_bits().wrapping_add_signed(sign * change))
}

/// Where no sum is needed.
#[cold]
fn beyond(x: f64) -> f64 {
    if x.abs() < TINY {
        1.0 + x
    } else if x.is_nan() {
        x
    } else if x > 0.0 {
        f64::INFINITY
    } else {
        0.0
    }
}

/// A double between 1 and 2, times a power of two.
#[inline(always)]
fn scaled(bits: u64, exponent: i32) -> f64 {
    f64::from_bits(bits.wrapping_add_signed(i64::from(exponent) << 52))
}

/// From which size on a number changes 1: 2^-54.
const TINY: f64 = 1.0 / (1_u64 << 54) as f64;
/// 1 as bits.
const ONE: u64 = 0x3ff0_0000_0000_0000;
/// 64/ln2.
const PER_STEP: f64 = f64::from_bits(0x4057_1547_652b_82fe);
/// 1.5 * 2^52: a sum with it is an integer.
const SHIFTER: f64 = 6_755_399_441_055_744.0;
/// ln2/64 in two parts, the first with zeros at its end.
const STEP: (f64, f64) =
    (f64::from_bits(0x3f86_2e42_fefa_0000), f64::from_bits(0x3d1c_f79a_bc9e_3b3a));
/// The polynomial's coefficients: nearly 1/2!, 1/3! and so on.
const C2: f64 = f64::from_bits(0x3fdf_ffff_ffff_fffe);
const C3: f64 = f64::from_bits(0x3fc5_5555_5554_8ba1);
const C4: f64 = f64::from_bits(0x3fa5_5555_555b_9e25);
const C5: f64 = f64::from_bits(0x3f81_1115_c090_cf0f);
const C6: f64 = f64::from_bits(0x3f56_c15c_e328_9860);

/// `2^(j/64)` rounded down, and what it lacks, relative to it and rounded down, both as bits.
#[rustfmt::skip]
const TABLE: [(u64, u64); 64] = [
    (0x3ff0_0000_0000_0000, 0x0000_0000_0000_0000), (0x3ff0_2c9a_3e77_8060, 0x3cad_7bbf_0e03_754e),
    (0x3ff0_59b0_d315_8574, 0x3c8c_d252_3567_f613), (0x3ff0_8745_1875_9bc8, 0x3c60_f74e_61e6_c861),
    (0x3ff0_b558_6cf9_890f, 0x3c97_9aa6_5d83_7b6c), (0x3ff0_e3ec_32d3_d1a2, 0x3c3e_be3d_702f_9cd1),
    (0x3ff1_1301_d012_5b50, 0x3ca3_516e_1e63_bcd8), (0x3ff1_429a_aea9_2ddf, 0x3ca4_c554_26f0_387b),
    (0x3ff1_72b8_3c7d_517a, 0x3ca9_5153_6252_3fb6), (0x3ff1_a35b_eb6f_cb75, 0x3c8b_898c_3f13_53bf),
    (0x3ff1_d487_3168_b9aa, 0x3c9a_ecf7_3e3a_2f5f), (0x3ff2_063b_8862_8cd6, 0x3c8a_6f41_44a6_c38c),
    (0x3ff2_387a_6e75_6238, 0x3c96_8efd_e3a8_a893), (0x3ff2_6b45_65e2_7cdd, 0x3c80_472b_981f_e7f1),
    (0x3ff2_9e9d_f51f_dee1, 0x3c82_f7e1_6d09_ab31), (0x3ff2_d285_a6e4_030b, 0x3c8b_3782_720c_0ab3),
    (0x3ff3_06fe_0a31_b715, 0x3c83_4d75_4db0_abb5), (0x3ff3_3c08_b264_16ff, 0x3c8f_dd39_5dd3_f84a),
    (0x3ff3_71a7_373a_a9ca, 0x3ca1_2f8c_cc18_7d28), (0x3ff3_a7db_34e5_9ff6, 0x3ca7_d229_738b_5e8b),
    (0x3ff3_dea6_4c12_3422, 0x3c85_9f48_a72a_4c6c), (0x3ff4_160a_21f7_2e29, 0x3ca8_b846_259d_9205),
    (0x3ff4_4e08_6061_892d, 0x3c43_63ed_60c2_ac11), (0x3ff4_86a2_b5c1_3cd0, 0x3c6e_cce1_daa1_0378),
    (0x3ff4_bfda_d536_2a27, 0x3c76_90ce_bb7a_afb0), (0x3ff4_f9b2_769d_2ca6, 0x3ca0_83cc_9b28_2a09),
    (0x3ff5_342b_569d_4f81, 0x3ca5_09b0_c1aa_e707), (0x3ff5_6f47_36b5_27da, 0x3c93_3505_18fd_d78d),
    (0x3ff5_ab07_dd48_5429, 0x3c90_63e1_e21c_5409), (0x3ff5_e76f_15ad_2148, 0x3c94_32e6_2b64_c035),
    (0x3ff6_247e_b03a_5584, 0x3ca0_1284_99f0_8c0a), (0x3ff6_6238_8255_2224, 0x3c99_f087_0073_dc06),
    (0x3ff6_a09e_667f_3bcc, 0x3c99_8d4d_0da0_5570), (0x3ff6_dfb2_3c65_1a2e, 0x3ca5_2bb9_86ce_4786),
    (0x3ff7_1f75_e8ec_5f73, 0x3ca3_2092_206f_0dab), (0x3ff7_5feb_5642_67c8, 0x3ca0_6122_8e17_a7a6),
    (0x3ff7_a114_73eb_0186, 0x3ca2_44ac_461e_9f86), (0x3ff7_e2f3_36cf_4e62, 0x3c65_ebe1_abd6_6c54),
    (0x3ff8_2589_994c_ce12, 0x3c96_fe9f_bbff_67d0), (0x3ff8_68d9_9b44_92ec, 0x3c95_1f14_14c8_01df),
    (0x3ff8_ace5_422a_a0db, 0x3c8d_b72f_c1f0_eab4), (0x3ff8_f1ae_9915_7736, 0x3c7b_f683_59f3_5f44),
    (0x3ff9_3737_b0cd_c5e4, 0x3ca3_60ba_9c06_283c), (0x3ff9_7d82_9fde_4e4f, 0x3c95_e8d1_20f9_62aa),
    (0x3ff9_c491_82a3_f090, 0x3c71_affc_2b91_ce27), (0x3ffa_0c66_7b5d_e564, 0x3c9b_6d34_589a_2ebd),
    (0x3ffa_5503_b23e_255c, 0x3c95_277c_9ab8_9880), (0x3ffa_9e6b_5579_fdbf, 0x3c84_6984_6e73_5ab2),
    (0x3ffa_e89f_995a_d3ad, 0x3c8c_1a77_92cb_3386), (0x3ffb_33a2_b84f_15fa, 0x3ca2_2466_dc2d_1d96),
    (0x3ffb_7f76_f2fb_5e46, 0x3ca1_112e_b195_05ae), (0x3ffb_cc1e_904b_c1d2, 0x3c74_ffd7_0a5f_ddcd),
    (0x3ffc_199b_dd85_529c, 0x3c73_6eae_30af_0cb3), (0x3ffc_67f1_2e57_d14b, 0x3c84_e08f_d109_59ac),
    (0x3ffc_b720_dcef_9069, 0x3c67_6b2c_6c92_1967), (0x3ffd_072d_4a07_897b, 0x3c93_7009_36df_99b3),
    (0x3ffd_5818_dcfb_a487, 0x3c74_a385_a63d_07a7), (0x3ffd_a9e6_03db_3285, 0x3c8e_5a50_d5c1_92ac),
    (0x3ffd_fc97_337b_9b5e, 0x3c98_bb73_1c4a_9792), (0x3ffe_502e_e78b_3ff6, 0x3c74_b604_603a_88d3),
    (0x3ffe_a4af_a2a4_90d9, 0x3c91_6f27_9209_4926), (0x3ffe_fa1b_ee61_5a27, 0x3c8e_c3bc_41aa_2008),
    (0x3fff_5076_5b6e_4540, 0x3c8a_64a9_31d1_85ed), (0x3fff_a7c1_819e_90d8, 0x3c77_893b_4d91_cd9c),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::exp;

    #[test]
    fn answers_are_those_of_java() {
        let golden = include_str!("../testdata/exp.csv");
        let bits = |text: &str| u64::from_str_radix(text, 16).unwrap();
        let mut compared = 0;
        for line in golden.lines().skip(1) {
            let (x, expected) = line.split_once(',').unwrap();
            let (x, expected) = (f64::from_bits(bits(x)), f64::from_bits(bits(expected)));
            let found = exp(x);
            assert!(
                found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan(),
                "{x:e}: {found:e}, Java says {expected:e}"
            );
            compared += 1;
        }
        assert!(compared >= 500);
    }
}
