//! The demonstration as the README has it, for a few hundred flights. That everything
//! came back is for the demonstration itself to find: its exit status says so.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::process::Command;

#[test]
fn all_that_is_fed_comes_back() {
    let demo = Command::new(env!("CARGO_BIN_EXE_sandbar-demo"))
        .args(["--records", "400", "--garbage", "100"])
        .output()
        .unwrap();
    let shown = String::from_utf8(demo.stdout).unwrap();
    let log = String::from_utf8_lossy(&demo.stderr);
    assert!(demo.status.success(), "{shown}\n{log}");
    for line in [
        "400 flights fed; 396 predictions and 4 dead letters came back",
        " pictures fed; ",
        r#""model":"digits@1"}"#,
        r#""model":"flights-gbm@1"}"#,
        "sandbar-message: expected 31 columns, got 1",
        "<- the classic flight, in 1987",
    ] {
        assert!(shown.contains(line), "no '{line}' in:\n{shown}");
    }
}
