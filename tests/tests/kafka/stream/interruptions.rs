//! Brokers that go away, runners that stop, and back pressure: nothing is lost.

use super::*;

/// A broker that goes away for a while is waited for; so is one that is not there yet.
#[test]
fn a_broker_that_is_away_is_waited_for() {
    let broker = Broker::mock();
    let Broker::Mock(mock) = &broker else { unreachable!() };
    let topics = topics(&broker, 1);
    broker.send(&topics[0], &["one", "two"].map(Sent::value));
    mock.set_away(true).unwrap();
    let runner = Runner::start(&broker, &mischief(names(&topics), ""));
    mock.set_away(false).unwrap();
    runner.await_stats("it runs", |now| now.outputs == 2);
    mock.set_away(true).unwrap();
    mock.set_away(false).unwrap();
    broker.send(&topics[0], &["three"].map(Sent::value));
    let received = broker.receive(&topics[1], 3);
    runner.stop().unwrap();
    assert_eq!(received.len(), 3);
}

/// A stop in the middle of a stream, and a new start: everything once.
#[test]
fn a_restart_goes_on_where_it_stopped() {
    let broker = Broker::mock();
    let topics = topics(&broker, 2);
    let manifest = mischief(names(&topics), "batch-records = 10");
    let records = (0..5000)
        .map(|number| Sent { partition: Some(number % 2), ..Sent::value(format!("{number}")) });
    broker.send(&topics[0], &records.collect::<Vec<_>>());
    let first = Runner::start(&broker, &manifest);
    first.await_stats("some are through", |now| now.outputs > 100);
    let first = first.stop().unwrap();
    assert!(first.failed() == 0);
    let second = Runner::start(&broker, &manifest);
    let received = broker.receive(&topics[1], 5000);
    second.stop().unwrap();
    assert_eq!(received.len(), 5000);
}

/// A stop while the broker is away ends at the drain deadline, and loses nothing.
#[test]
fn a_stop_without_a_broker_loses_nothing() {
    let broker = Broker::mock();
    let Broker::Mock(mock) = &broker else { unreachable!() };
    let topics = topics(&broker, 1);
    let manifest = mischief(names(&topics), "drain-deadline = \"1s\"");
    let records: Vec<Sent> = (0..100).map(|number| Sent::keyed(number, "x")).collect();
    broker.send(&topics[0], &records);
    let runner = Runner::start(&broker, &manifest);
    runner.await_stats("it runs", |now| now.outputs > 0);
    mock.set_away(true).unwrap();
    let stopped = runner.stop();
    mock.set_away(false).unwrap();
    assert!(stopped.is_ok(), "{stopped:?}");
    let next = Runner::start(&broker, &manifest);
    broker.receive_keys(&topics[1], 100);
    next.stop().unwrap();
}

/// Small limits of bytes on their way pause the source; nothing is lost by it.
#[test]
fn back_pressure_loses_nothing() {
    let broker = Broker::mock();
    let topics = topics(&broker, 4);
    let manifest = mischief(names(&topics), "in-flight = \"16 KiB\"\nbatch-bytes = \"8 KiB\"");
    let records = (0..4000)
        .map(|number| Sent { partition: Some(number % 4), ..Sent::value("z".repeat(200)) });
    broker.send(&topics[0], &records.collect::<Vec<_>>());
    let runner = Runner::start(&broker, &manifest);
    let received = broker.receive(&topics[1], 4000);
    runner.stop().unwrap();
    assert_eq!(received.len(), 4000);
}
