//! A stage as it is planned.

use std::collections::BTreeMap;
use std::sync::Arc;

use sandbar_sandbox::Operator;

/// A stage of a plan.
pub(crate) struct StagePlan {
    pub(crate) operator: Operator,
    /// For a transformer: where its routes lead, indices into the topics of the plan's labels.
    pub(crate) routes: Vec<usize>,
    /// For a scorer: its main model, `name@version`.
    pub(crate) model: Option<Arc<str>>,
    /// For a scorer: other names of columns.
    pub(crate) columns: BTreeMap<String, String>,
}

/// The models of these stages, each once.
pub(crate) fn models_of<'a>(stages: impl Iterator<Item = &'a StagePlan>) -> Option<Arc<str>> {
    let mut models: Vec<&str> = Vec::new();
    for model in stages.filter_map(|stage| stage.model.as_deref()) {
        if !models.contains(&model) {
            models.push(model);
        }
    }
    (!models.is_empty()).then(|| models.join(", ").into())
}
