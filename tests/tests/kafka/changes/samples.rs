//! Models that bring sample rows along, in the place of others, while a pipeline runs.

use std::collections::BTreeMap;
use std::path::Path;

use flight_records::{CLASSIC, Flights};
use sandbar::pipeline::swap::{SwapError, SwapSpec};
use sandbar_tests::flights::{golden, pipeline, topics};
use sandbar_tests::process::Process;
use sandbar_tests::{Broker, Received, Runner, Sent, project, sandbar};

/// What the models look at, and where a flight as CSV has it.
const FEATURES: [(&str, usize); 8] = [
    ("Year", 0),
    ("Month", 1),
    ("DayofMonth", 2),
    ("DayOfWeek", 3),
    ("CRSDepTime", 5),
    ("UniqueCarrier", 8),
    ("Origin", 16),
    ("Dest", 17),
];

/// Sample rows of the first flights of the generator, with what H2O says of them.
fn table(model: &str, rows: usize) -> String {
    let mut text = FEATURES.map(|(name, _)| name).join(",") + ",label,probabilities.YES\n";
    for (flight, (label, probability)) in Flights::new(1).zip(golden(model)).take(rows) {
        let cells: Vec<&str> = flight.split(',').collect();
        for (_, place) in FEATURES {
            let cell = cells[place];
            text += if cell == "NA" { "" } else { cell };
            text.push(',');
        }
        text += &format!("{label},{probability}\n");
    }
    text
}

/// A folder of `flights-dl` with these sample rows.
fn folder(place: &Path, table: impl AsRef<[u8]>) {
    let from = project().join("models/flights-dl");
    std::fs::copy(from.join("model.zip"), place.join("model.zip")).unwrap();
    let text = std::fs::read_to_string(from.join("model.toml")).unwrap();
    let text: String =
        text.split("[samples]").next().unwrap().split("[provenance]").next().unwrap().into();
    std::fs::write(place.join("model.toml"), text + "[samples]\nfile = \"rows.csv\"\n").unwrap();
    std::fs::write(place.join("rows.csv"), table).unwrap();
}

fn change(place: &Path) -> SwapSpec {
    let models = BTreeMap::from([("flights".into(), place.to_owned().into())]);
    SwapSpec { models, ..SwapSpec::default() }
}

/// What the sample rows say against a model leaves the old one serving.
#[test]
fn samples_decide() {
    let broker = Broker::mock();
    let topics = topics(&broker);
    // So that the model is asked for all that it was made of.
    let manifest = pipeline(&topics, "flights-gbm", "");
    let strict = manifest.replace(
        "unknown_category = \"missing\"",
        "unknown_category = \"missing\", missing_column = \"fail\"",
    );
    assert_ne!(strict, manifest);
    let runner = Runner::start(&broker, &strict);
    broker.send(&topics[0], &CLASSIC.map(Sent::value));
    broker.receive(&topics[1], 2);
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let deployment = runner.deployment();
    let good = table("flights-dl", 20);
    let line = |number: usize| good.lines().nth(number - 1).unwrap().to_owned();
    let (third, answer) = (line(3), golden("flights-dl")[1].clone());
    let instead = |from: &str, to: &str| {
        assert!(third.contains(from), "{third}");
        good.replace(&third, &third.replace(from, to)).into_bytes()
    };
    let without_origin = good.replacen("Origin,", "", 1);
    let without_origin: String = without_origin
        .lines()
        .enumerate()
        .map(|(row, line)| {
            let cells = line.split(',').enumerate().filter(|(at, _)| row == 0 || *at != 6);
            cells.map(|(_, cell)| cell).collect::<Vec<_>>().join(",") + "\n"
        })
        .collect();
    let wrong_number = instead(&answer.1.to_string(), &(answer.1 + 1e-4).to_string());
    let other = if answer.0 == "YES" { "NO" } else { "YES" };
    let mut garbage = std::fs::read(project().join("models/flights-dl/model.zip")).unwrap();
    garbage.truncate(1000);
    for (table, due) in [
        (wrong_number, "row 2 (line 3): 'probabilities.YES' is "),
        (instead(&format!(",{},", answer.0), &format!(",{other},")), "row 2 (line 3): 'label' is "),
        (instead(third.split(',').next().unwrap(), "soon"), "'Year' is 'soon', expected a number"),
        (without_origin.into_bytes(), "the operator refuses its configuration"),
        (
            good.replacen("Origin", "Orign", 1).into_bytes(),
            "features Origin: no such columns from the extractor",
        ),
        (
            good.replacen("ies.YES", "ies.MAYBE", 1).into_bytes(),
            "'probabilities.MAYBE' is not part of the predictions",
        ),
        (b"label\nYES\n".to_vec(), "no column is a feature"),
        (garbage, "is not UTF-8"),
        (b"Year,Month\n1987\n".to_vec(), "line 2: expected 2 cells"),
    ] {
        folder(place, table);
        for result in [
            deployment.swap(&change(place)).map(drop),
            deployment.validate(&change(place)).map(drop),
        ] {
            let error = result.unwrap_err();
            assert!(matches!(error, SwapError::Plan(_)), "{error}");
            let error = error.to_string();
            assert!(error.contains(due) && error.contains("rows.csv"), "{due}: {error}");
            assert!(error.contains("flights"), "{error}");
        }
    }
    assert_eq!(deployment.revision().number, 1);
    broker.send(&topics[0], &CLASSIC.map(Sent::value));
    let received = broker.receive(&topics[1], 4);
    assert!(received.iter().all(|record| record.header("sandbar-model") == "flights-gbm@1"));

    // Those that hold; also where nothing is expected of some.
    folder(place, instead(&format!(",{},{}", answer.0, answer.1), ",,"));
    assert_eq!(deployment.validate(&change(place)).unwrap().samples, 20);
    let swap = deployment.swap(&change(place)).unwrap();
    assert_eq!((swap.samples, swap.revision.number), (20, 2));
    assert_eq!(swap.trial.map(|trial| (trial.failed_before, trial.failed)), Some((0, 0)));
    // The model serves what its samples said.
    broker.send(&topics[0], &CLASSIC.map(Sent::value));
    let labels: Vec<String> =
        broker.receive(&topics[1], 6)[4..].iter().map(Received::text).collect();
    assert!(labels.iter().all(|label| label.contains("\"label\":\"YES\"")), "{labels:?}");
    let end = runner.stop().unwrap();
    assert_eq!((end.failed(), end.swaps, end.refused_swaps), (0, 1, 9));
}

/// A version of the registry has its samples; the command says that they were tried; and
/// what they say against a model keeps a pipeline from starting.
#[test]
fn samples_are_of_the_version() {
    let broker = Broker::mock();
    let topics = topics(&broker);
    let [registry, place] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    folder(place.path(), table("flights-dl", 7));
    let mut add = sandbar();
    add.args(["models", "add"]).arg(place.path()).arg("--registry").arg(registry.path());
    let output = add.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let text = pipeline(&topics, "flights-gbm", "");
    let text = text.replace("\"../", "\"{project}/");
    let text = text.replace("{project}", &project().display().to_string());
    let location = registry.path().display();
    let text = format!("{text}\n[registry]\nlocation = \"{location}\"\n");
    let manifest = place.path().join("flights.toml");
    std::fs::write(&manifest, &text).unwrap();
    let mut command = sandbar();
    command.arg("run").arg(&manifest).args(["--brokers", &broker.address()]);
    command.args(["--admin", "127.0.0.1:0", "--admin-token", "secret"]);
    let mut runner = Process::start(&mut command);
    let address = runner.admin_address();
    broker.send(&topics[0], &CLASSIC.map(Sent::value));
    broker.receive(&topics[1], 2);
    let ask = |arguments: &[&str]| {
        let mut command = sandbar();
        command.args(arguments).args(["--admin", &address]).env("SANDBAR_ADMIN_TOKEN", "secret");
        let output = command.output().unwrap();
        (
            output.status.success(),
            String::from_utf8([output.stdout, output.stderr].concat()).unwrap(),
        )
    };
    let (done, said) = ask(&["swap", "--model", "flights=flights-dl@1"]);
    assert!(done && said.contains("tried on 7 sample rows of the model: as expected"), "{said}");
    folder(place.path(), "Year,label\n1987,MAYBE\n");
    let (done, said) = ask(&["swap", "--model", &format!("flights={}", place.path().display())]);
    assert!(!done && said.contains("row 1 (line 2)") && said.contains("'MAYBE'"), "{said}");

    let bad = text.replace(
        &format!("{}/models/flights-gbm", project().display()),
        &place.path().display().to_string(),
    );
    std::fs::write(&manifest, bad).unwrap();
    let output = sandbar().arg("check").arg(&manifest).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("row 1 (line 2)"), "{said}");
}
