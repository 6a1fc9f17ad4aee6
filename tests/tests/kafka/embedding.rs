//! A pipeline in a program of one's own, as docs/guide/embed.md has it: the guide's text is
//! the code of this test.

use std::path::{Path, PathBuf};

use sandbar_tests::{Broker, Sent, project};

// Begin of the guide's code.
use sandbar::Runner;
use sandbar::manifest::Manifest;
use sandbar::record::Shutdown;

fn run(manifest: &Path, brokers: &str, cache: PathBuf, shutdown: &Shutdown) -> anyhow::Result<()> {
    let manifest = Manifest::load(manifest)?;
    let runner = Runner::new(manifest).brokers(brokers).cache(Some(cache));
    runner.run(shutdown)?;
    Ok(())
}
// End of the guide's code.

/// The code of the guide runs, ends when it is asked to, and has delivered everything then.
#[test]
fn a_program_runs_a_pipeline() {
    let broker = Broker::mock();
    for topic in ["flights", "flight-predictions", "flights.dead-letter"] {
        broker.make_topic(topic, 1, &[]);
    }
    broker.send("flights", &[Sent::value(flight_records::CLASSIC[0]), Sent::value("not a flight")]);
    let manifest = project().join("pipelines/flights.toml");
    let (shutdown, address) = (Shutdown::default(), broker.address());
    let cache = project().join("target/component-cache");
    let running = {
        let shutdown = shutdown.clone();
        std::thread::spawn(move || run(&manifest, &address, cache, &shutdown))
    };
    let predictions = broker.receive("flight-predictions", 1);
    assert!(predictions[0].text().contains("\"label\":\"YES\""), "{}", predictions[0].text());
    assert_eq!(broker.receive("flights.dead-letter", 1)[0].text(), "not a flight");
    shutdown.request();
    running.join().unwrap().unwrap();
}

#[test]
fn the_guide_has_the_code_of_this_test() {
    let code = include_str!("embedding.rs");
    let (_, code) = code.split_once("// Begin of the guide's code.\n").unwrap();
    let (code, _) = code.split_once("// End of the guide's code.").unwrap();
    let guide = std::fs::read_to_string(project().join("docs/guide/embed.md")).unwrap();
    assert!(guide.contains(code.trim()), "docs/guide/embed.md does not contain:\n{code}");
}
