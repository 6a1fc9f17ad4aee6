//! Where rows go.

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
