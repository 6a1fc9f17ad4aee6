//! Pillow's way of resizing and composing, to the last bit, so that the graphs get what
//! the original tools got. (The operator's resizer is faster, and off by 1 here and there.)

const BITS: u32 = 22;

/// A pixel in front of opaque white: fixed-point with 7 more bits.
pub(super) fn on_white([red, green, blue, alpha]: [u8; 4]) -> [u8; 3] {
    let own = u32::from(alpha) << 7;
    let white = (255 << 7) - own;
    [red, green, blue].map(|channel| {
        let sum = u32::from(channel) * own + 255 * white + (0x80 << 7);
        (((sum >> 8) + sum) >> 8 >> 7) as u8
    })
}

/// Where each new pixel begins among the old, and its weights.
fn weights(from: usize, to: usize) -> Vec<(usize, Vec<i64>)> {
    let scale = from as f64 / to as f64;
    let support = scale.max(1.0);
    let of_pixel = |pixel: usize| {
        let center = (pixel as f64 + 0.5) * scale;
        let first = ((center - support + 0.5) as i64).max(0) as usize;
        let last = ((center + support + 0.5) as usize).min(from);
        let weight = |old: usize| {
            let distance = ((old as f64 - center + 0.5) / support).abs();
            (1.0 - distance).max(0.0)
        };
        let weights: Vec<f64> = (first..last).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        let whole = |weight: &f64| (0.5 + weight / sum * f64::from(1_u32 << BITS)) as i64;
        (first, weights.iter().map(whole).collect())
    };
    (0..to).map(of_pixel).collect()
}

fn rows(pixels: &[u8], (width, height): (usize, usize), side: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(3 * side * height);
    let weights = weights(width, side);
    for row in pixels.chunks_exact(3 * width) {
        for (first, weights) in &weights {
            for channel in 0..3 {
                let old = row[3 * first + channel..].iter().step_by(3);
                let sum: i64 = old.zip(weights).map(|(old, by)| i64::from(*old) * by).sum();
                out.push(((sum + (1 << (BITS - 1))) >> BITS).clamp(0, 255) as u8);
            }
        }
    }
    out
}

fn transposed(pixels: &[u8], (width, height): (usize, usize)) -> Vec<u8> {
    let pixel = |index: usize| &pixels[3 * ((index % height) * width + index / height)..][..3];
    (0..width * height).flat_map(|index| pixel(index).to_vec()).collect()
}

/// RGB pixels squashed to a square: rows first, then columns.
pub(super) fn bilinear(pixels: &[u8], (width, height): (usize, usize), side: usize) -> Vec<u8> {
    let narrow = rows(pixels, (width, height), side);
    let turned = transposed(&narrow, (side, height));
    let square = rows(&turned, (height, side), side);
    transposed(&square, (side, side))
}
