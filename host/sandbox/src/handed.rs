//! Compiled forms of components on their way between processes: a child compiles, and hands back
//! what this process then runs.

use std::sync::{Mutex, MutexGuard, PoisonError};

use sandbar_model::Sha256;

/// A component's digest, and its compiled form.
pub type Handed = (Sha256, Vec<u8>);

/// What was handed over and not yet put elsewhere.
#[derive(Default)]
pub(crate) struct HandedOver(Mutex<Vec<Handed>>);

impl HandedOver {
    /// Adds one.
    pub(crate) fn add(&self, handed: Handed) {
        self.lock().push(handed);
    }

    /// What `use_it` makes of the compiled form of a digest, if it is there.
    pub(crate) fn with<T>(&self, digest: &Sha256, use_it: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let all = self.lock();
        all.iter().find(|(of, _)| of == digest).map(|(_, compiled)| use_it(compiled))
    }

    /// Takes all of them out.
    pub(crate) fn take(&self) -> Vec<Handed> {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Handed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
