//! What the macros of `export` use. No part of the interface: it changes without notice.

pub use crate::bindings::{
    extraction, extractor, scorer, scoring, transformation, transformer, types,
};
pub use crate::extract::Extraction;
pub use crate::score::Scoring;
pub use crate::transform::Transformation;

use crate::extract::Extractor;
use crate::score::Scorer;
use crate::transform::Transformer;

pub fn is_extractor<T: Extractor>() {}
pub fn is_scorer<T: Scorer>() {}
pub fn is_transformer<T: Transformer>() {}

/// Makes a panic one line on stderr, its message last: the host quotes the last
/// line as the reason of a trap. (The standard hook ends with advice about
/// backtraces, which there are none of in the sandbox.)
#[cfg(target_arch = "wasm32")]
pub fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("a panic without a message");
        match panic.location() {
            Some(place) => eprintln!("panic at {}:{}: {message}", place.file(), place.line()),
            None => eprintln!("panic: {message}"),
        }
    }));
}

/// Holds the operator of this instance.
#[cfg(target_arch = "wasm32")]
pub struct Slot<T>(std::cell::RefCell<Option<T>>);

#[cfg(target_arch = "wasm32")]
impl<T> Slot<T> {
    #[expect(clippy::new_without_default, reason = "only ever in a `const`")]
    pub const fn new() -> Slot<T> {
        Slot(std::cell::RefCell::new(None))
    }

    pub fn put(&self, operator: T) {
        self.0.replace(Some(operator));
    }

    /// Traps where the host broke the contract's order: `configure` comes first.
    pub fn with<R>(&self, call: impl FnOnce(&mut T) -> R) -> R {
        match self.0.borrow_mut().as_mut() {
            Some(operator) => call(operator),
            None => panic!("this operator was called before it was configured"),
        }
    }
}
