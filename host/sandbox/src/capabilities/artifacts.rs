//! Descriptions and files of the models that a stage is granted.

use sandbar_inference::Content;
use wasmtime::component::HasSelf;

use crate::bindings::artifacts;
use crate::capabilities::capability::Capability;
use crate::offer::{ImportSupport, Offer};
use crate::state::State;

/// Models, as operators read them.
pub(crate) const CAPABILITY: Capability = Capability {
    offer: Offer {
        name: "models",
        behind: ImportSupport::Granted,
        about: "descriptions and files of the models that the stage's `models` names",
        interfaces: &["sandbar:operator/artifacts@0.1.0"],
    },
    link: |linker| {
        artifacts::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
        Ok(())
    },
};

impl artifacts::Host for State {
    fn load(&mut self, model: String) -> wasmtime::Result<Result<Vec<u8>, String>> {
        Ok(self.grants.model(&model).and_then(|artifact| match &artifact.content {
            Content::Bytes(bytes) => Ok(bytes.to_vec()),
            Content::Graph(_) => Err(format!(
                "model '{model}' is a graph that the host runs; load it by name through wasi:nn"
            )),
        }))
    }

    fn describe(&mut self, model: String) -> wasmtime::Result<Result<String, String>> {
        Ok(self.grants.model(&model).map(|artifact| artifact.description.to_string()))
    }
}
