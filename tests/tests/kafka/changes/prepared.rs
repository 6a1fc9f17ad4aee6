//! Changes of what was prepared before, and of files that change meanwhile.

use std::path::PathBuf;
use std::sync::Arc;

use sandbar::pipeline::Deployment;
use sandbar::pipeline::swap::SwapSpec;
use sandbar_tests::preparing::{Preparing, copy};
use sandbar_tests::{Broker, Runner, Sent, component, project};

/// The flights pipeline with two models, of which one serves.
struct Flights {
    preparing: Preparing,
    runner: Runner,
    broker: Broker,
    topics: [String; 2],
}

impl Flights {
    fn start() -> Self {
        let (broker, preparing) = (Broker::mock(), Preparing::new());
        for name in ["flights-gbm", "flights-dl"] {
            copy(&project().join("models").join(name), &preparing.path(name));
        }
        std::fs::copy(component("tabular-score"), preparing.path("tabular-score")).unwrap();
        let topics = ["flights", "predictions"].map(|name| broker.topic(name, 1));
        let manifest = format!(
            "name = \"{}\"\nkafka = {{ brokers = \"{}\" }}\n\
             source = {{ topics = [\"{}\"] }}\nsink = {{ topic = \"{}\" }}\n\
             models = {{ flights = \"flights-gbm\" }}\n\
             [[stages]]\nname = \"features\"\ncomponent = {:?}\n\
             [[stages]]\nname = \"score\"\ncomponent = \"tabular-score\"\nmodels = [\"flights\"]\n",
            topics[0],
            broker.address(),
            topics[0],
            topics[1],
            component("flight-features"),
        );
        let path = preparing.path("p.toml");
        std::fs::write(&path, manifest).unwrap();
        let definition = preparing.definition(&path);
        let deployment = Deployment::new(definition, &preparing.sandbox(), Arc::default());
        let runner = Runner::of(deployment.unwrap_or_else(|error| panic!("{error}")));
        let flights = Flights { preparing, runner, broker, topics };
        flights.flies(1);
        flights
    }

    /// A flight comes through; the pipeline has a recent batch then.
    fn flies(&self, total: usize) {
        let flight = Sent::value(flight_records::CLASSIC[1].as_bytes());
        self.broker.send(&self.topics[0], &[flight]);
        self.broker.receive(&self.topics[1], total);
    }

    fn swap(&self, change: SwapSpec) -> Result<(String, bool), String> {
        let swap = self.runner.deployment().swap(&change).map_err(|error| error.to_string())?;
        Ok((swap.revision.models["flights"].clone(), swap.trial.is_some()))
    }

    fn model(&self, folder: &str) -> SwapSpec {
        let folder = self.preparing.path(folder);
        let models = [("flights".to_owned(), sandbar::registry::ArtifactSource::Path(folder))];
        SwapSpec { models: models.into(), ..SwapSpec::default() }
    }

    fn scorer(&self, file: PathBuf) -> SwapSpec {
        let components = [("score".to_owned(), sandbar::registry::ArtifactSource::Path(file))];
        SwapSpec { components: components.into(), ..SwapSpec::default() }
    }
}

#[test]
fn what_has_served_comes_back_without_being_prepared() {
    let flights = Flights::start();
    assert_eq!(flights.preparing.count(), 1);
    assert_eq!(flights.swap(flights.model("flights-dl")), Ok(("flights-dl@1".into(), true)));
    assert_eq!(flights.preparing.count(), 2);

    // A recent batch is tried all the same.
    let back = flights.runner.deployment().rollback(None).unwrap();
    assert_eq!(back.revision.models["flights"], "flights-gbm@1");
    assert!(back.trial.is_some());
    assert_eq!(back.samples, 20);
    assert_eq!(flights.swap(flights.model("flights-dl")), Ok(("flights-dl@1".into(), true)));
    assert_eq!(flights.preparing.count(), 2);
    flights.flies(2);

    // With a file that is another, it has not served.
    let description = flights.preparing.path("flights-gbm/model.toml");
    let text = std::fs::read_to_string(&description).unwrap();
    std::fs::write(&description, text.replace("version = 1", "version = 2")).unwrap();
    assert_eq!(flights.swap(flights.model("flights-gbm")), Ok(("flights-gbm@2".into(), true)));
    assert_eq!(flights.preparing.count(), 3);
}

#[test]
fn what_was_prepared_but_has_not_served_is_tried_on_records_first() {
    let flights = Flights::start();
    let change = flights.model("flights-dl");
    flights.runner.deployment().validate(&change).unwrap();
    assert_eq!(flights.preparing.count(), 2);
    assert_eq!(flights.swap(change), Ok(("flights-dl@1".into(), true)));
    assert_eq!(flights.preparing.count(), 3);
}

#[test]
fn a_change_of_what_changes_meanwhile_is_refused() {
    let flights = Flights::start();
    let file = flights.preparing.path("other-score");
    std::fs::copy(component("tabular-score"), &file).unwrap();
    let other = component("constant-scorer");
    flights.preparing.after(&format!("cp {} other-score", other.display()));
    let refused = flights.swap(flights.scorer(file)).unwrap_err();
    assert!(refused.contains("other-score: it was changed meanwhile"), "{refused}");
    flights.preparing.undisturbed();

    // What serves was changed on the disk: the other stages were tried with what does not serve.
    let description = flights.preparing.path("flights-gbm/model.toml");
    let text = std::fs::read_to_string(&description).unwrap();
    std::fs::write(&description, text.replace("version = 1", "version = 2")).unwrap();
    let scorer = flights.preparing.path("tabular-score");
    let refused = flights.swap(flights.scorer(scorer.clone())).unwrap_err();
    assert!(refused.contains("model 'flights'"), "{refused}");
    assert!(refused.contains("model.toml: it was changed since it was loaded"), "{refused}");
    let mut both = flights.model("flights-gbm");
    both.components = flights.scorer(scorer).components;
    assert_eq!(flights.swap(both), Ok(("flights-gbm@2".into(), true)));
    flights.flies(2);
}
