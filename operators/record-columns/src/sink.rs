//! Where rows go.

use sandbar_operator::Row;

/// Where the values of a row go, in the order of the features.
pub trait Sink {
    /// The value of a numeric feature: a finite number.
    fn number(&mut self, number: f64);
    /// The value of a text feature: not empty.
    fn text(&mut self, text: &str);
    /// The elements of a tensor.
    fn tensor(&mut self, elements: &[u8]);
    /// A feature without a value.
    fn missing(&mut self);
}

impl Sink for Row<'_> {
    fn number(&mut self, number: f64) {
        Row::number(self, number);
    }

    fn text(&mut self, text: &str) {
        Row::text(self, text);
    }

    fn tensor(&mut self, elements: &[u8]) {
        Row::tensor(self, elements);
    }

    fn missing(&mut self) {
        Row::missing(self);
    }
}
