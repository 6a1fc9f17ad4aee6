//! What is promised, while brokers and the network break. Each test has brokers of its own.

use sandbar_tests::checker::{Mix, Times};
use sandbar_tests::flow::{Flow, is_long};
use sandbar_tests::proxy::Proxy;
use sandbar_tests::random::Random;
use sandbar_tests::site::Site;
use sandbar_tests::{Broker, cluster, in_both_ways};
use xtask::kafka::Options;

/// Records a second: those who start brokers need the machine too.
const RATE: Option<u64> = Some(3000);

/// Clients that try again soon, so that the tests do not take for ever.
const EAGER: &str = "[kafka]\nproperties = { \"reconnect.backoff.max.ms\" = 1000 }";

/// Impatient too: a connection through which nothing comes is given up after seconds.
const IMPATIENT: &str = "[kafka]\nproperties = { \"reconnect.backoff.max.ms\" = 300, \
    \"socket.timeout.ms\" = 3000 }";

/// The only broker is stopped and killed, and comes back on the same port with its data.
///
/// Not for exactly once: while a partition has no leader at all, Kafka's coordinator leaves
/// out the marks that end a transaction in it ("likely deleted already and hence can be
/// skipped"), so that what was aborted becomes part of the next commit.
#[test]
fn the_broker_comes_back() {
    let times = Times::AtLeastOnce;
    let Some(mut cluster) = cluster("away", 1, Options::default()) else { return };
    let address = cluster.bootstrap().to_owned();
    let rounds = if is_long() { 20 } else { 1 };
    let site = Site::with(&Broker::Apache(address.clone()), times, &[], EAGER);
    let counts = Flow::new(&site, &address, Mix::Usual, RATE).run(|flow| {
        let mut runners = vec![site.runner(&address, "one"), site.runner(&address, "two")];
        for round in 1..=rounds {
            flow.more(1000, &format!("before stop {round}"), &mut runners);
            cluster.stop_broker(0).unwrap();
            cluster.restart_broker(0).unwrap();
            flow.more(1000, &format!("before kill {round}"), &mut runners);
            cluster.kill_broker(0);
            cluster.restart_broker(0).unwrap();
        }
        flow.more(1000, "after the last kill", &mut runners);
        runners
    });
    println!("{times:?}, a broker stopped {rounds} and killed {rounds} times: {counts:?}");
}

in_both_ways! {
    /// Three brokers, of which one after the other is stopped or killed, so that the leaders
    /// of partitions and the coordinators of groups and transactions move; the next goes when
    /// the replicas of the one before are in sync again, as in a rolling restart. The first is
    /// the only controller: without it nothing moves until it is back.
    fn leaders_move(times: Times) {
        let name = format!("three-{times:?}").to_lowercase();
        let Some(mut cluster) = cluster(&name, 3, Options::default()) else { return };
        let address = cluster.bootstrap().to_owned();
        let broker = Broker::Replicated(address.clone());
        let rounds = if is_long() { 20 } else { 1 };
        let mut random = Random::new();
        let seed = random.seed();
        let site = Site::with(&broker, times, &[("min.insync.replicas", "2")], EAGER);
        let mut moves = 0;
        let counts = Flow::new(&site, &address, Mix::Usual, RATE).run(|flow| {
            let mut runners = vec![site.runner(&address, "one"), site.runner(&address, "two")];
            for round in 1..=rounds {
                let first = random.below(3) as usize;
                for index in (0..3).map(|index| (first + index) % 3) {
                    flow.more(700, &format!("round {round}, broker {index}"), &mut runners);
                    let before = broker.leaders(&site.sink);
                    if random.below(2) == 0 {
                        cluster.stop_broker(index).unwrap();
                    } else {
                        cluster.kill_broker(index);
                    }
                    if index > 0 {
                        // The two that are left do the work.
                        flow.more(700, &format!("without broker {index}"), &mut runners);
                    }
                    cluster.restart_broker(index).unwrap();
                    let after = broker.leaders(&site.sink);
                    moves += before.iter().zip(&after).filter(|(old, new)| old != new).count();
                }
            }
            runners
        });
        assert!(moves > 0, "no leader has moved");
        println!(
            "{times:?}, three brokers, each away {rounds} times, {moves} leaders of the sink \
             moved (seed {seed}): {counts:?}"
        );
    }

    /// A network that refuses, cuts, holds up and slows down connections.
    fn the_network_fails(times: Times) {
        let proxy = Proxy::start();
        let name = format!("network-{times:?}").to_lowercase();
        let options = Options { proxy: Some(proxy.port()), ..Options::default() };
        let Some(cluster) = cluster(&name, 1, options) else { return };
        proxy.lead_to(cluster.behind_proxy().unwrap());
        let address = cluster.bootstrap().to_owned();
        let through = format!("127.0.0.1:{}", proxy.port());
        // Of each kind of fault.
        let wanted = if is_long() { 100 } else { 5 };
        let site = Site::with(&Broker::Apache(address.clone()), times, &[], IMPATIENT);
        let counts = Flow::new(&site, &address, Mix::Usual, RATE).run(|flow| {
            let mut runners = vec![site.runner(&through, "one"), site.runner(&through, "two")];
            flow.more(500, "before the storm", &mut runners);
            proxy.storm(200_000);
            while proxy.faults().least() < wanted {
                flow.more(50, &format!("in the storm: {:?}", proxy.faults()), &mut runners);
            }
            proxy.calm();
            flow.more(500, "after the storm", &mut runners);
            runners
        });
        println!("{times:?}, {:?} (seed {}): {counts:?}", proxy.faults(), proxy.seed());
    }
}
