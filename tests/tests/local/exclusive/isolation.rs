//! What an operator gets that reaches for more than it was given: nothing; and what its
//! neighbours notice of it: nothing either.

use std::net::{TcpListener, UdpSocket};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sandbar::inference::Artifact;
use sandbar::model::Model;
use sandbar::pipeline::harness::Harness;
use sandbar::record::Code;
use sandbar::record::Input;
use sandbar::sandbox::{Clock, Extractor, Grants, Operator};
use sandbar_tests::operators::{batch, batch_at, mischief, operator, texts};
use sandbar_tests::{project, runner};

/// What the guest answers to a request.
fn ask(extractor: &mut Extractor, request: &str) -> String {
    texts(&extractor.extract(&batch(&[request])).unwrap()).concat()
}

fn extractor(change: impl FnOnce(&mut Operator, &mut Grants)) -> Extractor {
    let mut operator = operator("mischief-extractor", "{}");
    let mut grants = Grants { config: "{}".into(), ..Grants::default() };
    change(&mut operator, &mut grants);
    operator.grants = Arc::new(grants);
    Extractor::new(operator).unwrap()
}

#[test]
fn there_are_no_files_and_no_environment() {
    let mut extractor = mischief("{}");
    for request in ["read-file", "write-file"] {
        assert!(ask(&mut extractor, request).starts_with("refused: "), "{request}");
    }
    assert_eq!(ask(&mut extractor, "env"), "variables:   ");
}

#[test]
fn there_is_no_network() {
    let mut extractor = mischief("{}");
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    tcp.set_nonblocking(true).unwrap();
    udp.set_nonblocking(true).unwrap();
    let connect = format!("connect {}", tcp.local_addr().unwrap());
    let send = format!("send {}", udp.local_addr().unwrap());
    for request in [connect.as_str(), send.as_str(), "listen", "resolve localhost"] {
        let answer = ask(&mut extractor, request);
        assert!(answer.starts_with("refused: "), "{request}: {answer}");
    }
    assert!(tcp.accept().is_err(), "somebody has connected");
    assert!(udp.recv_from(&mut [0; 8]).is_err(), "somebody has sent something");
}

#[test]
fn the_time_is_that_of_the_newest_record() {
    let mut extractor = mischief("{}");
    assert_eq!(ask(&mut extractor, "clock"), "0", "no record has a time");
    let mut batch = batch_at(5, Some(1_700_000_000_123), &["clock", "clock"]);
    batch.timestamps[0] = 1_600_000_000_000;
    let seen = texts(&extractor.extract(&batch).unwrap());
    assert_eq!(seen, ["1700000000123"; 2]);
    batch.timestamps = vec![-1, i64::MIN];
    assert_eq!(texts(&extractor.extract(&batch).unwrap()), ["0"; 2]);
    // Who waits for time to pass is not held up.
    assert_eq!(ask(&mut extractor, "wait"), "waited");
}

#[test]
fn who_is_granted_the_clock_has_the_machines() {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let mut extractor = extractor(|_, grants| grants.clock = Some(Clock::default()));
    let before = now();
    let seen: u128 = ask(&mut extractor, "clock").parse().unwrap();
    assert!((before..=now()).contains(&seen), "{before} {seen}");
    assert_eq!(ask(&mut extractor, "wait"), "waited");
}

/// The same batch gives the same, in whatever instance and after whatever calls; and
/// std, which counts the seeds that it has taken, gives instances the same ones.
#[test]
fn chance_follows_from_the_batch() {
    let requests = ["random", "random"];
    let of = |extractor: &mut Extractor, offset| {
        texts(&extractor.extract(&batch_at(offset, None, &requests)).unwrap())
    };
    let (mut one, mut other) = (mischief("{}"), mischief("{}"));
    let seen = of(&mut one, 7);
    assert_ne!(seen[0], seen[1]);
    assert_ne!(seen, of(&mut one, 8));
    assert_eq!(seen, of(&mut one, 7));
    of(&mut other, 1);
    assert_eq!(seen, of(&mut other, 7));
    assert_eq!(ask(&mut one, "hash x"), ask(&mut other, "hash x"));

    let granted = || extractor(|_, grants| grants.random = true);
    let (mut one, mut other) = (granted(), granted());
    let (seen, others) = (of(&mut one, 7), of(&mut other, 7));
    for (seen, others) in seen.iter().zip(&others) {
        assert_ne!(seen, others);
    }
    assert_ne!(ask(&mut one, "hash x"), ask(&mut other, "hash x"));
}

#[test]
fn a_manifest_grants_clock_and_chance_to_a_stage() {
    let harness = |grants: &str| {
        let manifest = format!(
            "name = \"p\"\nsource = {{ topics = [\"in\"] }}\nsink = {{ topic = \"out\" }}\n\
             [[stages]]\nname = \"extract\"\ncomponent = \"{{component:mischief-extractor}}\"\n\
             {grants}\n\
             [[stages]]\nname = \"score\"\ncomponent = \"{{component:mischief-scorer}}\"\n"
        );
        runner::plan(&manifest, "").map(|plan| Harness::new(&plan).unwrap())
    };
    let answer = |harness: &mut Harness, request: &str| {
        let written = harness.pipe([Input::value(request).at(1_600_000_000_000)]).unwrap();
        written.dead_letters[0].message.clone()
    };

    let error = harness("grants = [\"clocks\"]").err().unwrap().to_string();
    assert!(error.contains("'extract' grants[0]: unknown value 'clocks'"), "{error}");

    let mut granted = harness("grants = [\"clock\", \"random\"]").unwrap();
    granted.set_time(1_700_000_000_000);
    assert_eq!(answer(&mut granted, "fail clock"), "1700000000000");
    granted.advance_time(Duration::from_millis(1500));
    assert_eq!(answer(&mut granted, "fail clock"), "1700000001500");

    let (mut one, mut other) = (harness("").unwrap(), harness("").unwrap());
    one.set_time(1_700_000_000_000);
    assert_eq!(answer(&mut one, "fail clock"), "1600000000000");
    assert_eq!(answer(&mut other, "fail clock"), "1600000000000");
    assert_eq!(answer(&mut one, "fail random"), answer(&mut other, "fail random"));
    assert_ne!(answer(&mut one, "fail random"), answer(&mut granted, "fail random"));
}

/// A model that two stages are granted: what one does to its copy does not reach the other.
#[test]
fn a_model_is_granted_by_name_and_cannot_be_changed() {
    let folder = project().join("models/flights-gbm");
    let model = Artifact::load(Model::open(&folder).unwrap()).unwrap();
    let mut without = mischief("{}");
    let refused = "refused: model 'flights' is not granted to this stage; name it in the stage's \
                   `models`";
    assert_eq!(ask(&mut without, "model flights"), refused);

    let granted = || {
        let model = model.clone();
        extractor(|_, grants| grants.models = vec![("flights".into(), model)])
    };
    let (mut one, mut other) = (granted(), granted());
    assert_eq!(ask(&mut one, "model other"), refused.replace("flights", "other"));
    let due = ask(&mut other, "model flights");
    ask(&mut one, "deface flights");
    assert_eq!(ask(&mut one, "model flights"), due);
    assert_eq!(ask(&mut other, "model flights"), due);
}

/// While one operator does its worst, again and again, another works beside it.
#[test]
fn a_neighbour_goes_on() {
    let misdeeds = [
        ("allocate", Code::Memory),
        ("loop", Code::Deadline),
        ("trap", Code::Trap),
        ("recurse", Code::Trap),
        ("exit", Code::Trap),
    ];
    let mut good = mischief("{}");
    std::thread::scope(|scope| {
        let bad = scope.spawn(|| {
            let mut bad = mischief("{}");
            for (request, code) in misdeeds.iter().cycle().take(3 * misdeeds.len()) {
                assert_eq!(bad.extract(&batch(&[request])).unwrap_err().code, *code);
            }
        });
        let mut rounds = 0;
        while !bad.is_finished() {
            let values = [format!("record {rounds}"), "another".to_owned()];
            let extracted = good.extract(&batch(&[&values[0], &values[1]])).unwrap();
            assert_eq!(texts(&extracted), values);
            rounds += 1;
        }
        assert!(rounds > 0);
    });
}

#[test]
fn an_instance_is_retired_after_its_calls() {
    let hoarded = |extractor: &mut Extractor| ask(extractor, "hoard");
    let mut staying = mischief("{}");
    let mut retired = extractor(|operator, _| {
        operator.limits.retire_after = NonZeroU32::new(2);
    });
    let both = |_| (hoarded(&mut staying), hoarded(&mut retired));
    let (staying, retired): (Vec<_>, Vec<_>) = (0..5).map(both).unzip();
    assert_eq!(staying, ["1", "2", "3", "4", "5"]);
    assert_eq!(retired, ["1", "2", "1", "2", "1"]);
}

/// An instance that leaks loses a call at its memory limit, and its successor begins anew.
#[test]
fn a_leak_ends_at_the_memory_limit() {
    let mut extractor = mischief("{}");
    let mut most = 0;
    let error = loop {
        match extractor.extract(&batch(&["hoard"])) {
            Ok(extracted) => most = texts(&extracted)[0].parse().unwrap(),
            Err(error) => break error,
        }
    };
    assert_eq!(error.code, Code::Memory);
    assert!((16..32).contains(&most), "{most} MB of 32 MiB");
    assert_eq!(ask(&mut extractor, "hoard"), "1");
}

/// An operator that floods its log fills nobody's disk: of a megabyte some lines are
/// logged, under the stage's name, and the rest is counted.
#[test]
fn a_flood_of_words_is_cut_off_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let component = |name| sandbar_tests::component(name).display().to_string();
    let manifest = format!(
        "name = \"p\"\nsource = {{ topics = [\"in\"] }}\nsink = {{ topic = \"out\" }}\n\
         limits = {{ log = \"5 kB\" }}\n\
         [[stages]]\nname = \"chatter\"\ncomponent = \"{}\"\n\
         [[stages]]\nname = \"score\"\ncomponent = \"{}\"\n",
        component("mischief-extractor"),
        component("mischief-scorer"),
    );
    std::fs::write(place("p.toml"), manifest).unwrap();
    let line = format!("print {}\n", "x".repeat(99));
    std::fs::write(place("lines"), line.repeat(10_000)).unwrap();

    let start = Instant::now();
    let output = sandbar_tests::sandbar()
        .arg("run")
        .args([place("p.toml"), "--file".into(), place("lines")])
        .output()
        .unwrap();
    let seconds = start.elapsed().as_secs() as usize + 1;
    let (outputs, log) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{log}");
    assert_eq!(outputs.lines().count(), 10_000);

    let logged = log.lines().filter(|line| line.contains("xxx")).count();
    assert!(log.lines().filter(|line| line.contains("xxx")).all(|line| line.contains("chatter")));
    assert!(logged >= 50, "5 kB at once: {logged}");
    assert!(logged <= 50 * (1 + seconds), "and as much every second: {logged} in {seconds} s");
    let dropped = log.lines().filter_map(|line| {
        let (_, after) = line.split_once("dropped_bytes=")?;
        after.split(|c: char| !c.is_ascii_digit()).next()?.parse::<usize>().ok()
    });
    assert_eq!(dropped.sum::<usize>(), 100 * (10_000 - logged), "{log}");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
