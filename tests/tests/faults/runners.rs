//! What is promised, while runners and their machine break: every record that goes in is
//! known, and so is every one that comes out. SANDBAR_TEST_LONG=1 makes it last
//! (`cargo xtask faults --long`). What brokers and the network do is in `brokers`.

use std::time::Duration;

use nix::sys::signal::Signal;
use sandbar_tests::checker::{Mix, Times};
use sandbar_tests::flow::{Flow, is_long};
use sandbar_tests::random::Random;
use sandbar_tests::shim::{Clock, Shim};
use sandbar_tests::site::Site;
use sandbar_tests::{Broker, in_both_ways};

in_both_ways! {
    /// Two runners of which one is killed at a random moment, again and again.
    fn kills(times: Times) {
        let Some(broker) = Broker::apache() else { return };
        let count = if is_long() { 100 } else { 10 };
        let (site, address) = (Site::new(&broker, times), broker.address());
        let mut random = Random::new();
        let seed = random.seed();
        let counts = Flow::new(&site, &address, Mix::Usual, None).run(|flow| {
            let mut runners = vec![site.runner(&address, "0"), site.runner(&address, "00")];
            for number in 1..=count {
                flow.more(400, &format!("kill {number}"), &mut runners);
                // A random moment, not a time to wait for something.
                std::thread::sleep(Duration::from_millis(random.below(300)));
                runners.swap_remove(random.below(2) as usize).kill();
                runners.push(site.runner(&address, &number.to_string()));
            }
            runners
        });
        println!("{times:?}, {count} kills (seed {seed}): {counts:?}");
    }

    /// A runner that is held up in the middle of its work, for so long that the group gives
    /// its partitions to another, and that then goes on where it was.
    fn a_zombie(times: Times) {
        let Some(broker) = Broker::apache() else { return };
        let (site, address) = (Site::new(&broker, times), broker.address());
        let counts = Flow::new(&site, &address, Mix::Usual, None).run(|flow| {
            let mut runners = vec![site.runner(&address, "first")];
            flow.more(2000, "before", &mut runners);
            runners[0].signal(Signal::SIGSTOP);
            runners.push(site.runner(&address, "second"));
            runners[1].await_log("partitions assigned");
            flow.more(5000, "without the first", &mut runners);
            runners[0].signal(Signal::SIGCONT);
            flow.more(5000, "with a zombie", &mut runners);
            runners
        });
        println!("{times:?}, a zombie: {counts:?}");
    }

    /// Runners that join and leave, again and again.
    fn rebalances(times: Times) {
        let Some(broker) = Broker::apache() else { return };
        let count = if is_long() { 100 } else { 10 };
        let (site, address) = (Site::new(&broker, times), broker.address());
        let mut random = Random::new();
        let seed = random.seed();
        let counts = Flow::new(&site, &address, Mix::Usual, None).run(|flow| {
            let mut runners = vec![site.runner(&address, "0")];
            for number in 1..=count {
                // One to four, who leave in any order.
                if runners.len() == 1 || runners.len() < 4 && random.below(2) == 0 {
                    runners.push(site.runner(&address, &number.to_string()));
                } else {
                    runners.swap_remove(random.below(runners.len() as u64) as usize).stop();
                }
                flow.more(random.below(600), &format!("change {number}"), &mut runners);
            }
            runners
        });
        println!("{times:?}, {count} runners joined or left (seed {seed}): {counts:?}");
    }

    /// One record in a hundred does what it can to its operator.
    fn poison(times: Times) {
        let Some(broker) = Broker::apache() else { return };
        let count = if is_long() { 100_000 } else { 9_000 };
        let (site, address) = (Site::new(&broker, times), broker.address());
        let counts = Flow::new(&site, &address, Mix::Poison, None).run(|flow| {
            let mut runners = vec![site.runner(&address, "one")];
            flow.more(count, "poison", &mut runners);
            runners
        });
        println!("{times:?}, poison in 1 %: {counts:?}");
    }

    /// An operator that traps by chance. Which records become dead letters is chance too;
    /// each comes out somewhere.
    fn chance(times: Times) {
        let Some(broker) = Broker::apache() else { return };
        let count = if is_long() { 100_000 } else { 5_000 };
        let (site, address) = (Site::new(&broker, times), broker.address());
        let counts = Flow::new(&site, &address, Mix::Chance, None).run(|flow| {
            let mut runners = vec![site.runner(&address, "one")];
            flow.more(count, "traps by chance", &mut runners);
            runners
        });
        assert!(counts.letters > 0, "nothing has trapped: {counts:?}");
        println!("{times:?}, traps by chance: {counts:?}");
    }

    /// A wall clock that is put forward and back while records flow, and while none do.
    fn clocks(times: Times) {
        let Some(broker) = Broker::apache() else { return };
        let count = if is_long() { 100 } else { 10 };
        let (site, address) = (Site::new(&broker, times), broker.address());
        let (shim, clock) = (Shim::compile(site.folder()), Clock::new(site.folder()));
        let mut random = Random::new();
        let seed = random.seed();
        let counts = Flow::new(&site, &address, Mix::Usual, None).run(|flow| {
            let runner = |name| site.runner_with(&address, name, |it| shim.clock(it, &clock));
            let mut runners = vec![runner("one"), runner("two")];
            for number in 1..=count {
                flow.more(300, &format!("step {number}"), &mut runners);
                if random.below(3) == 0 {
                    // Until nothing is on its way any more: then all of them wait.
                    flow.rest(&mut runners);
                }
                clock.set(random.below(20_000) as i64 - 10_000);
            }
            runners
        });
        println!("{times:?}, {count} steps of the clock (seed {seed}): {counts:?}");
    }
}

/// The disk of the folder of compiled components is full, and later it is not.
#[test]
fn a_full_disk_costs_a_compilation() {
    let Some(broker) = Broker::apache() else { return };
    let (site, address) = (Site::new(&broker, Times::AtLeastOnce), broker.address());
    let shim = Shim::compile(site.folder());
    let cache = site.folder().join("cache");
    // The key is beside them, and what is remembered of a start.
    let files = || {
        let entries = std::fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|it| it == "cwasm")).count()
    };
    let counts = Flow::new(&site, &address, Mix::Usual, None).run(|flow| {
        let mut runners = vec![site.runner_with(&address, "full", |command| {
            command.env("SANDBAR_CACHE", &cache);
            shim.full(command, &cache);
        })];
        flow.more(1000, "a full disk", &mut runners);
        let log = runners.remove(0).stop();
        let warnings = log.matches("cannot cache a compiled component").count();
        assert_eq!(warnings, 2, "one of each component: {log}");
        assert!(log.contains("No space left on device"), "{log}");
        assert_eq!(files(), 0, "nothing is left of what did not fit");

        let roomy = |name| {
            site.runner_with(&address, name, |it| {
                it.env("SANDBAR_CACHE", &cache);
            })
        };
        let mut runners = vec![roomy("roomy")];
        flow.more(1000, "room on the disk", &mut runners);
        assert_eq!(files(), 2);
        runners
    });
    println!("AtLeastOnce, a full disk: {counts:?}");
}
