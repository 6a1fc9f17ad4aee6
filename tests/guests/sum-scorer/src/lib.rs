//! Adds up what it is given, for chains of several scorers: `sum` of the numbers of a row, missing
//! ones left out, and `columns`, how many it has. `{"of": [...]}` names the columns that it takes,
//! all of which must be there; by default it takes all. A row in which a text is that of `fail`
//! fails, and one in which it is that of `trap` traps.

use sandbar_operator::{Column, Error, Failure, Field, Output, Predictions, Scorer, Setup, Table};

/// The scorer.
pub struct Sum {
    config: Config,
    /// Where the columns stand.
    places: Vec<usize>,
}

/// Its configuration.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    of: Vec<String>,
    fail: Option<String>,
    trap: Option<String>,
}

impl Scorer for Sum {
    type Config = Config;

    fn configure(config: Config, _: &Setup, features: &[Field]) -> Result<Self, Error> {
        let place = |name: &String| {
            let known = features.iter().map(|field| field.name.as_str());
            let place = known.clone().position(|known| known == name);
            let known = || known.collect::<Vec<_>>().join(", ");
            place.ok_or_else(|| Error::from(format!("no column '{name}' among {}", known())))
        };
        let places = match config.of.as_slice() {
            [] => (0..features.len()).collect(),
            of => of.iter().map(place).collect::<Result<_, _>>()?,
        };
        Ok(Sum { config, places })
    }

    fn output(&self) -> Output {
        Output::Values(vec!["sum".into(), "columns".into()])
    }

    fn score(&mut self, table: &Table<'_>, predictions: &mut Predictions) {
        let columns = self.places.iter().filter_map(|place| table.column(*place));
        let columns: Vec<Column<'_>> = columns.collect();
        for row in 0..table.rows() {
            let mut sum = 0.0;
            let mut failure = None;
            for column in &columns {
                match column {
                    Column::Numbers(numbers) if !numbers[row].is_nan() => sum += numbers[row],
                    Column::Text(texts) => {
                        let text = Some(texts.get(row));
                        assert!(text != self.config.trap.as_deref(), "the text asked for a trap");
                        if text == self.config.fail.as_deref() {
                            failure = Some(Failure::invalid("the text asked to fail"));
                        }
                    }
                    _ => {}
                }
            }
            match failure {
                Some(failure) => predictions.fail(failure),
                None => predictions.values(&[sum, columns.len() as f64]),
            }
        }
    }
}

sandbar_operator::scorer!(Sum);
