//! BMP's run-length codes of 8 and 4 bits, as Pillow's `BmpRleDecoder` reads them: pixels
//! that are passed over have the number 0, a line that is not begun is no line.

/// How the codes end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// All pixels are there.
    Full,
    /// The codes say that it is the end, but there are pixels without a number.
    Early,
    /// The file ends before.
    Cut,
}

/// Reads the codes from `start` of a file on. Nothing is left as it was in `numbers` if
/// the end is [`End::Full`].
pub(super) fn decode(
    file: &[u8],
    start: usize,
    width: usize,
    half: bool,
    numbers: &mut [u8],
) -> End {
    let mut pen = Pen { numbers, done: 0 };
    let (mut at, mut x) = (start, 0);
    while pen.done < pen.numbers.len() {
        let Some([count, value]) = file.get(at..).and_then(|rest| rest.first_chunk().copied())
        else {
            return End::Cut;
        };
        at += 2;
        match (count, value) {
            (0, 0) => {
                pen.skip(pen.done.next_multiple_of(width) - pen.done);
                x = 0;
            }
            (0, 1) => return End::Early,
            (0, 2) => {
                let Some([right, up]) = file.get(at..).and_then(|rest| rest.first_chunk().copied())
                else {
                    return End::Cut;
                };
                at += 2;
                pen.skip(usize::from(right) + usize::from(up) * width);
                x = pen.done % width;
            }
            (0, count) => {
                let pixels = usize::from(count).min(pen.numbers.len() - pen.done);
                let length = if half { pixels.div_ceil(2) } else { pixels };
                let Some(stored) = file.get(at..).and_then(|rest| rest.get(..length)) else {
                    return End::Cut;
                };
                for index in 0..pixels {
                    pen.put(if half { nibble(stored[index / 2], index) } else { stored[index] });
                }
                at += length;
                x += usize::from(count);
                // Codes begin at even places, counted from the start of the file.
                at += at % 2;
            }
            (count, value) => {
                // What is too much for a line is left out.
                let pixels = usize::from(count).min(width.saturating_sub(x));
                for index in 0..pixels {
                    pen.put(if half { nibble(value, index) } else { value });
                }
                x += pixels;
            }
        }
    }
    End::Full
}

/// The upper and the lower half of a byte in turn.
fn nibble(byte: u8, index: usize) -> u8 {
    if index.is_multiple_of(2) { byte >> 4 } else { byte & 15 }
}

/// Writes numbers one after another, up to the last.
struct Pen<'a> {
    numbers: &'a mut [u8],
    done: usize,
}

impl Pen<'_> {
    fn put(&mut self, number: u8) {
        if let Some(place) = self.numbers.get_mut(self.done) {
            *place = number;
            self.done += 1;
        }
    }

    fn skip(&mut self, count: usize) {
        let end = self.numbers.len().min(self.done.saturating_add(count));
        self.numbers[self.done..end].fill(0);
        self.done = end;
    }
}
