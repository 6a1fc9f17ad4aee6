//! Half an hour of everything that the other tests break, at a low rate, and the memory of a
//! runner that lives through it. `cargo xtask faults --soak MINUTES` runs it; it is skipped
//! otherwise.

use std::time::{Duration, Instant};

use sandbar_tests::checker::{Mix, Times};
use sandbar_tests::flow::Flow;
use sandbar_tests::proxy::Proxy;
use sandbar_tests::site::{Process, Site};
use sandbar_tests::{Broker, cluster, in_both_ways};
use xtask::kafka::Options;

/// Records a second.
const RATE: u64 = 1000;
/// Records between two looks at the memory: five seconds of them.
const STRIDE: u64 = 5 * RATE;
/// What a runner may have more of at the end than soon after the beginning, in KiB.
const ROOM: u64 = 8 << 10;

in_both_ways! {
    /// The first runner stays; others come, leave and are killed; one record in a hundred is
    /// bad; the network fails for seconds, and the broker is stopped and killed.
    fn half_an_hour(times: Times) {
        let Some(minutes) = minutes() else { return };
        let proxy = Proxy::start();
        let name = format!("soak-{times:?}").to_lowercase();
        let Some(mut cluster) = cluster(&name, 1, Options { proxy: Some(proxy.port()), ..Options::default() }) else {
            return;
        };
        proxy.lead_to(cluster.behind_proxy().unwrap());
        let address = cluster.bootstrap().to_owned();
        let through = format!("127.0.0.1:{}", proxy.port());
        let site = Site::new(&Broker::Apache(address.clone()), times);
        let end = Instant::now() + Duration::from_secs(60 * minutes);
        let mut memory = Vec::new();
        let counts = Flow::new(&site, &address, Mix::Soak, Some(RATE)).run(|flow| {
            let mut runners = vec![site.runner(&through, "steady")];
            for round in 1_u64.. {
                flow.more(STRIDE, &format!("round {round}"), &mut runners);
                memory.push(runners[0].resident());
                println!("{times:?} {round}: {} KiB, {:?}", memory[memory.len() - 1], flow.counts());
                if Instant::now() > end {
                    break;
                }
                match round % 24 {
                    // Two minutes are a round of these.
                    4 => runners.push(site.runner(&through, &round.to_string())),
                    8 => leave(&mut runners, Process::kill),
                    12 => runners.push(site.runner(&through, &round.to_string())),
                    16 => leave(&mut runners, |runner| drop(runner.stop())),
                    20 => proxy.storm(200_000),
                    21 => proxy.calm(),
                    // The broker every four; see `the_broker_comes_back`.
                    0 if times == Times::ExactlyOnce => {}
                    0 if round % 48 == 0 && round % 96 != 0 => {
                        cluster.stop_broker(0).unwrap();
                        cluster.restart_broker(0).unwrap();
                    }
                    0 if round % 96 == 0 => {
                        cluster.kill_broker(0);
                        cluster.restart_broker(0).unwrap();
                    }
                    _ => {}
                }
            }
            proxy.calm();
            runners
        });
        let quarter = memory.len() / 4;
        let most: Vec<u64> =
            memory.chunks(quarter.max(1)).map(|part| *part.iter().max().unwrap()).collect();
        println!(
            "{times:?}, {minutes} minutes, {:?}: {counts:?}; the most KiB of each quarter {most:?}",
            proxy.faults()
        );
        // The first is for warming up.
        assert!(most[3] <= most[1] + most[1] / 10 + ROOM, "the memory grows: {memory:?}");
    }
}

fn minutes() -> Option<u64> {
    match std::env::var("SANDBAR_SOAK_MINUTES") {
        Ok(minutes) => Some(minutes.parse().unwrap()),
        Err(_) => {
            eprintln!("skipped: `cargo xtask faults --soak 30` runs it");
            None
        }
    }
}

/// One that is not the first goes.
fn leave(runners: &mut Vec<Process>, how: impl FnOnce(Process)) {
    how(runners.pop().unwrap());
}
