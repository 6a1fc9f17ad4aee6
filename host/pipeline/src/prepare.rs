//! `sandbar prepare`: prepares what a request names, and says what became of it.

use std::io::{self, Read, Write};
use std::sync::Arc;

use sandbar_confine::{Bounds, Confinement};
use sandbar_inference::Artifact;
use sandbar_manifest::Manifest;
use sandbar_model::ApprovedFiles;
use sandbar_record::Batch;
use sandbar_sandbox::{Component, Sandbox};
use sandbar_schemas::Schemas;

use crate::definition::Definition;
use crate::plan::{Plan, load_models};
use crate::preparation::ABOUT;
use crate::preparation::form::{Answer, Outcome, Request};
use crate::revision::Tried;

/// Reads a request from `input`, limits this process for good, and writes the answer to `output`.
/// What it is about is said on standard error, line by line, for whoever has to end it.
///
/// # Errors
/// If the request is none, the process cannot be limited, or the answer cannot be written.
pub fn serve(mut input: impl Read, mut output: impl Write) -> io::Result<()> {
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes)?;
    let no_request = || {
        io::Error::other("not a request of a runner: `sandbar prepare` is not a command for people")
    };
    if let Some(answer) = sandbar_sandbox::brought::child::serve(&bytes) {
        output.write_all(&answer?)?;
        return output.flush();
    }
    let (request, batch) = Request::read(&bytes).ok_or_else(no_request)?;
    drop(bytes);
    let bounds = Bounds { memory: request.memory, cpu: request.cpu, yields: request.yields };
    let confinement = Confinement::enter(bounds, &request.readable)?;
    let sandbox = Sandbox::new(request.cache.clone()).map_err(io::Error::other)?.handing_back();
    let files = ApprovedFiles::expecting(request.expected.clone());
    let outcome = prepare(request, batch, &sandbox, &files).unwrap_or_else(Outcome::Refused);
    let compiled = sandbox.take_compiled();
    let answer = Answer::write(outcome, files.read(), confinement.is_whole(), &compiled)?;
    output.write_all(&answer)?;
    output.flush()
}

fn prepare(
    request: Request,
    batch: Option<Batch>,
    sandbox: &Sandbox,
    files: &ApprovedFiles,
) -> Result<Outcome, String> {
    let Request { manifest, path, known_as, schemas, .. } = request;
    let schemas = schemas.map(|known| Arc::new(Schemas::offline(known)));
    let manifest = Manifest::parse(&manifest, &path).map_err(|error| error.to_string())?;
    let definition = Definition::of_files(manifest, known_as, files.clone(), schemas);
    for stage in &definition.manifest.stages {
        about(&format!("stage '{}'", stage.name));
        let file = definition.component(stage).map_err(|error| error.to_string())?;
        // What is wrong with it is said when the plan is made. Until then it is compiled.
        drop(Component::load_approved(sandbox, &file, files));
    }
    let models = load_models(&definition, |name, model| {
        about(&format!("model '{name}'"));
        Artifact::load(model)
    });
    let models = models.map_err(|reason| reason.to_string())?;
    about("the pipeline");
    let (plan, untried) =
        Plan::tried(&definition, &models, sandbox).map_err(|error| error.reason.to_string())?;
    let tried = batch.map(|batch| Tried::of(&batch, &plan));
    Ok(Outcome::Ready { samples: plan.samples(), untried, tried })
}

/// Says what is prepared now.
fn about(what: &str) {
    // The other end may be gone, and then so is this process.
    let _ = writeln!(io::stderr(), "{}{what}", ABOUT);
}
