//! The three worlds: the calls of an instance of each, and their arguments.

use wasmtime::Store;
use wasmtime::component::Instance;

use super::bindings::extraction::{self, Extracted};
use super::bindings::scoring::{self, Scored};
use super::bindings::transformation::{self, Transformed};
use super::bindings::types::{
    Batch as GuestBatch, ColumnParam, ColumnResult as Column, FieldParam, FieldResult as Field,
    FieldTypeParam, FieldTypeResult as FieldType, Setup, TableParam, TableResult as Table,
    TensorShapeParam, TextParam,
};
use super::check;
use super::component::World;
use super::determinism::CallSeed;
use super::stage::{CallError, Interface, Operator, Stage, StageError};
use super::state::State;
use crate::OutputSchema;
use sandbar_record::Batch;

/// Records to features.
pub type Extractor = Stage<Extraction>;
/// Features to predictions.
pub type Scorer = Stage<Scoring>;
/// Records to records.
pub type Transformer = Stage<Transformation>;

/// A batch as the guest's bindings take it.
fn guest_batch(batch: &Batch) -> GuestBatch<'_> {
    GuestBatch {
        topic: &batch.topic,
        partition: batch.partition,
        offsets: &batch.offsets,
        timestamps: &batch.timestamps,
        bytes: &batch.bytes,
        ends: &batch.ends,
        nulls: &batch.nulls,
    }
}

/// The interface of the world `extractor`.
pub struct Extraction(extraction::GuestIndices);

impl Interface for Extraction {
    type Guest = extraction::Guest;
    type Shape = Vec<Field>;
    const WORLD: World = World::Extractor;

    fn bind(&self, store: &mut Store<State>, instance: &Instance) -> wasmtime::Result<Self::Guest> {
        self.0.load(store, instance)
    }

    fn configure(
        &self,
        guest: &Self::Guest,
        store: &mut Store<State>,
        setup: Setup<'_>,
    ) -> wasmtime::Result<Result<Self::Shape, String>> {
        guest.call_configure(store, setup)
    }

    fn check(fields: &Self::Shape) -> Result<(), check::Violation> {
        check::fields(fields)
    }
}

impl Extractor {
    /// Creates an instance, which declares its features ([`Stage::shape`]).
    ///
    /// # Errors
    /// If the component is of another world, or refuses its configuration.
    pub fn new(operator: Operator) -> Result<Self, StageError> {
        Stage::start(operator, |pre| Ok(Extraction(extraction::GuestIndices::new(pre)?)))
    }

    /// The features of a batch: a row or a failure for each record.
    ///
    /// # Errors
    /// If the call failed for the whole batch.
    pub fn extract(&mut self, batch: &Batch) -> Result<Extracted, CallError> {
        self.at(CallSeed::of(batch)).call(
            batch.len(),
            |guest, store| guest.call_extract(store, guest_batch(batch)),
            |fields, extracted| check::extracted(batch.len(), fields, extracted),
        )
    }
}

/// The interface of the world `scorer`, for features of an extractor.
pub struct Scoring {
    indices: scoring::GuestIndices,
    features: Vec<Field>,
}

impl Interface for Scoring {
    type Guest = scoring::Guest;
    type Shape = OutputSchema;
    const WORLD: World = World::Scorer;

    fn bind(&self, store: &mut Store<State>, instance: &Instance) -> wasmtime::Result<Self::Guest> {
        self.indices.load(store, instance)
    }

    fn configure(
        &self,
        guest: &Self::Guest,
        store: &mut Store<State>,
        setup: Setup<'_>,
    ) -> wasmtime::Result<Result<Self::Shape, String>> {
        let features: Vec<FieldParam<'_>> = self.features.iter().map(borrow_field).collect();
        let declared = guest.call_configure(store, setup, &features)?;
        Ok(declared.map(|output| match output {
            scoring::Output::Classes(names) => OutputSchema::Classes(names),
            scoring::Output::Values(names) => OutputSchema::Values(names),
        }))
    }

    fn check(output: &Self::Shape) -> Result<(), check::Violation> {
        check::output(output)
    }
}

impl Scorer {
    /// Creates an instance for the features of an extractor; it declares what its
    /// predictions are made of ([`Stage::shape`]).
    ///
    /// # Errors
    /// If the component is of another world, or refuses its configuration or
    /// these features.
    pub fn new(operator: Operator, features: Vec<Field>) -> Result<Self, StageError> {
        Stage::start(operator, |pre| {
            Ok(Scoring { indices: scoring::GuestIndices::new(pre)?, features })
        })
    }

    /// The predictions for a table: a prediction or a failure for each row. The table
    /// does not say when its records were written; [`Stage::at`] does.
    ///
    /// # Errors
    /// If the call failed for the whole table.
    pub fn score(&mut self, table: &Table) -> Result<Scored, CallError> {
        self.score_columns(table.rows, table.columns.iter())
    }

    /// The same for the columns of a table, wherever they come from; none is copied before it is
    /// passed.
    ///
    /// # Errors
    /// As [`Scorer::score`].
    pub fn score_columns<'a>(
        &mut self,
        rows: u32,
        columns: impl Iterator<Item = &'a Column>,
    ) -> Result<Scored, CallError> {
        let columns: Vec<ColumnParam<'_>> = columns.map(borrow_column).collect();
        self.call(
            rows as usize,
            |guest, store| guest.call_score(store, TableParam { rows, columns: &columns }),
            |output, scored| check::scored(rows as usize, output, scored),
        )
    }
}

fn borrow_field(field: &Field) -> FieldParam<'_> {
    let ty = match &field.ty {
        FieldType::Number => FieldTypeParam::Number,
        FieldType::Text => FieldTypeParam::Text,
        FieldType::Tensor(shape) => FieldTypeParam::Tensor(TensorShapeParam {
            element: shape.element,
            dimensions: &shape.dimensions,
        }),
    };
    FieldParam { name: &field.name, ty }
}

fn borrow_column(column: &Column) -> ColumnParam<'_> {
    match column {
        Column::Numbers(numbers) => ColumnParam::Numbers(numbers),
        Column::Text(text) => ColumnParam::Text(TextParam { bytes: &text.bytes, ends: &text.ends }),
        Column::Tensor(data) => ColumnParam::Tensor(data),
    }
}

/// The interface of the world `transformer`.
pub struct Transformation(transformation::GuestIndices);

impl Interface for Transformation {
    type Guest = transformation::Guest;
    type Shape = ();
    const WORLD: World = World::Transformer;

    fn bind(&self, store: &mut Store<State>, instance: &Instance) -> wasmtime::Result<Self::Guest> {
        self.0.load(store, instance)
    }

    fn configure(
        &self,
        guest: &Self::Guest,
        store: &mut Store<State>,
        setup: Setup<'_>,
    ) -> wasmtime::Result<Result<Self::Shape, String>> {
        guest.call_configure(store, setup)
    }

    fn check((): &Self::Shape) -> Result<(), check::Violation> {
        Ok(())
    }
}

impl Transformer {
    /// Makes an instance.
    ///
    /// # Errors
    /// If the component is of another world, or refuses its configuration.
    pub fn new(operator: Operator) -> Result<Self, StageError> {
        Stage::start(operator, |pre| Ok(Transformation(transformation::GuestIndices::new(pre)?)))
    }

    /// The outputs of a batch: none, one or several for each record, or
    /// a failure.
    ///
    /// # Errors
    /// If the call failed for the whole batch.
    pub fn transform(&mut self, batch: &Batch) -> Result<Transformed, CallError> {
        let topics = self.operator.grants.topics.len();
        self.at(CallSeed::of(batch)).call(
            batch.len(),
            |guest, store| guest.call_transform(store, guest_batch(batch)),
            |(), transformed| check::transformed(batch.len(), topics, transformed),
        )
    }
}
