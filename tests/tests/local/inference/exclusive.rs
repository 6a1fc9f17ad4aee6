//! What must be done, or must not be, within milliseconds.

use super::*;

/// The time of a guest's own work does not run while it waits.
#[test]
fn a_deadline_is_for_the_guests_own_time() {
    // About 30 ms each on a fast machine: together far more than the stage's 500 ms.
    let slow = graph("slow", graphs::products(4, 768));
    let mut scorer = scorer(&sandbox(), vec![slow], PATIENT);
    let done = obey(&mut scorer, "again 150 slow x 768x768 fp32 0");
    assert_eq!(done, Ok([768.0 * 768.0, 0.0, 0.0]));
}

#[test]
fn a_computation_past_its_deadline_is_a_timeout_and_the_stage_goes_on() {
    let sandbox = sandbox();
    // A hundred operations, between which it can be stopped; and one that takes seconds.
    let models = vec![
        graph("steps", graphs::products(400, 1024)),
        graph("one", graphs::products(1, 3584)),
        digits(),
    ];
    let limits = NnLimits { deadline: Duration::from_millis(200), load: 0, apart: false };
    let mut scorer = scorer(&sandbox, models, limits);
    let steps = obey(&mut scorer, "named steps x 1024x1024 fp32 0").unwrap_err();
    assert_eq!(steps, "Timeout: model 'steps': no result within 200ms");
    let one = obey(&mut scorer, "named one x 3584x3584 fp32 0").unwrap_err();
    assert_eq!(one, "Timeout: model 'one': no result within 200ms");
    assert!((1..=2).contains(&sandbox.threads().late()), "{}", sandbox.threads().late());
    // A call has its deadline once for each record: what comes second gets nothing left.
    let used_up = obey(&mut scorer, "again 2 steps x 1024x1024 fp32 0").unwrap_err();
    assert_eq!(
        used_up,
        "Timeout: model 'steps': the call has exceeded its total inference deadline"
    );
    // With a row of its own it does; so a slow row takes nothing from its neighbours.
    let rows = ["named steps x 1024x1024 fp32 0", "named digits image 1x1x8x8 fp32 1"];
    let scored = scorer.score(&table(&rows)).unwrap();
    assert_eq!((scored.failures.len(), scored.failures[0].index, scored.values.len()), (1, 0, 3));
    while sandbox.threads().late() > 0 {
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

#[test]
fn tensors_in_the_host_are_the_guests_memory() {
    let mut scorer = scorer_within(&sandbox(), vec![], PATIENT, Duration::from_secs(30));
    let hoard = |scorer: &mut Scorer, times| obey(scorer, &format!("hoard {times} 1000000"));
    assert_eq!(hoard(&mut scorer, 40), Ok([40.0, 0.0, 0.0]));
    // What is dropped is given back.
    assert_eq!(hoard(&mut scorer, 40), Ok([40.0, 0.0, 0.0]));
    let error = scorer.score(&table(&["hoard 300 1000000"])).unwrap_err();
    assert_eq!(error.code, Code::Memory, "{error}");
    // Nor can very many small ones be kept.
    let error = scorer.score(&table(&["hoard 4000000 1"])).unwrap_err();
    assert!(matches!(error.code, Code::Memory | Code::Trap), "{error}");
    assert_eq!(hoard(&mut scorer, 40), Ok([40.0, 0.0, 0.0]));
}
