//! `sandbar watch`: what is changed in an editor is what runs.

use sandbar_tests::process::Process;
use sandbar_tests::projects::{Projects, output};
use sandbar_tests::{Broker, Sent, project};

const SWAPPED: &str = "swapped in;";

/// The line that says how the last change went, once there are so many.
fn await_swaps(watch: &mut Process, count: usize) -> String {
    while watch.said().matches(SWAPPED).count() < count {
        watch.await_said(SWAPPED);
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
    let said = watch.said();
    said.lines().rfind(|line| line.contains(SWAPPED)).unwrap().to_owned()
}

#[test]
fn a_change_is_built_and_swapped_in() {
    let projects = Projects::rust("watch");
    let sdk = project().join("operators/sdk");
    output(projects.sandbar(".").args(["new", "transformer", "watched", "--sdk"]).arg(sdk));
    output(projects.sandbar("watched").arg("build"));
    let broker = Broker::mock();
    for topic in ["in", "out", "long", "in.dead-letter", "dead-letter"] {
        broker.make_topic(&format!("watched.{topic}"), 1, &[]);
    }
    let mut run = projects.sandbar("watched");
    run.args(["run", "pipeline.toml", "--admin", "127.0.0.1:0", "--brokers", &broker.address()]);
    let mut runner = Process::start(run.env("SANDBAR_LOG", "info"));
    let admin = runner.admin_address();
    runner.await_said("running");

    let mut watch = projects.sandbar("watched");
    let mut watch = Process::start(watch.args(["watch", "--admin", &admin]));
    await_swaps(&mut watch, 1);
    broker.send("watched.in", &[Sent::value("one two")]);
    assert_eq!(broker.receive("watched.out", 1)[0].header("words"), "2");

    // What does not compile leaves what serves, and the next change is taken up.
    let source = projects.folder().join("watched/src/lib.rs");
    let good = std::fs::read_to_string(&source).unwrap();
    let counted = "text.split_whitespace().count()";
    assert!(good.contains(counted));
    std::fs::write(&source, good.replace(counted, "no such thing")).unwrap();
    watch.await_said("failed: exit status: 101");
    broker.send("watched.in", &[Sent::value("one two")]);
    assert_eq!(broker.receive("watched.out", 2)[1].header("words"), "2");

    std::fs::write(&source, good.replace(counted, "text.chars().count()")).unwrap();
    let line = await_swaps(&mut watch, 2);
    println!("{line}");
    broker.send("watched.in", &[Sent::value("one two")]);
    assert_eq!(broker.receive("watched.out", 3)[2].header("words"), "7");

    // Nothing is built for what a build writes, nor without a runner taken for swapped in.
    drop(runner);
    std::fs::write(&source, &good).unwrap();
    watch.await_said("no runner answers at");
    assert_eq!(watch.said().matches(SWAPPED).count(), 2, "{}", watch.said());
}
