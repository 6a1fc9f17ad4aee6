//! Operators that do whatever they can to the host, called directly.

use sandbar::record::Code;
use sandbar::sandbox::{CallError, Component, Extractor, Scorer, StageError, Transformer, World};
use sandbar_tests::component;
use sandbar_tests::operators::{batch, mischief, operator, texts};
use sandbar_tests::runner::sandbox;

/// The extractor still works: a new instance took the place of the spoilt one.
fn assert_works(extractor: &mut Extractor) {
    let extracted = extractor.extract(&batch(&["one", "four"])).unwrap();
    assert_eq!(extracted.table.rows, 2);
    assert_eq!(texts(&extracted), ["one", "four"]);
}

fn error_of(value: &str) -> CallError {
    let mut extractor = mischief("{}");
    assert_works(&mut extractor);
    let error = extractor.extract(&batch(&["fine", value])).unwrap_err();
    assert_works(&mut extractor);
    error
}

#[test]
fn a_panic_is_a_trap_with_its_reason() {
    for value in ["trap", "abort", "recurse"] {
        let error = error_of(value);
        assert_eq!(error.code, Code::Trap, "{value}: {error}");
        assert!(error.message.len() > 10, "{value}: {error}");
    }
}

#[test]
fn an_exit_does_not_end_the_host() {
    let error = error_of("exit");
    assert_eq!(error.code, Code::Trap);
    assert!(error.message.contains("exited with status 0"), "{error}");
}

#[test]
fn a_loop_ends_at_the_deadline() {
    let error = error_of("loop");
    assert_eq!((error.code, error.message.as_str()), (Code::Deadline, "no result within 300ms"));
}

#[test]
fn a_sleep_is_refused() {
    let error = error_of("sleep");
    assert_eq!(error.code, Code::Trap);
    assert!(error.message.contains("sleep or wait"), "{error}");
}

#[test]
fn memory_has_an_end() {
    assert_eq!(error_of("allocate").code, Code::Memory);
}

#[test]
fn a_gigabyte_of_output_does_no_harm() {
    for value in ["print", "print-line"] {
        let mut extractor = mischief("{}");
        // Whether it gets through a gigabyte in time is the machine's affair.
        match extractor.extract(&batch(&[value])) {
            Ok(extracted) => assert_eq!(extracted.table.rows, 1),
            Err(error) => assert_eq!(error.code, Code::Deadline, "{error}"),
        }
        assert_works(&mut extractor);
    }
}

#[test]
fn an_ordinary_failure_is_of_its_record_alone() {
    let mut extractor = mischief("{}");
    let extracted = extractor.extract(&batch(&["a", "fail", "b"])).unwrap();
    assert_eq!(texts(&extracted), ["a", "b"]);
    let [failure] = extracted.failures.as_slice() else { panic!("{:?}", extracted.failures) };
    assert_eq!((failure.index, Code::from(failure.code)), (1, Code::Malformed));
}

#[test]
fn lies_about_a_table_are_found() {
    let lies = [
        "short-column",
        "long-column",
        "non-monotone-ends",
        "ends-out-of-range",
        "wrong-column-type",
        "missing-column",
        "failure-out-of-range",
        "failures-unordered",
        "failure-twice",
        "rows-too-many",
        "non-utf8",
    ];
    for lie in lies {
        let mut extractor = mischief(&format!(r#"{{"lie": "{lie}"}}"#));
        let error = extractor.extract(&batch(&["lie", "a", "b"])).unwrap_err();
        assert_eq!(error.code, Code::Contract, "{lie}: {error}");
        assert!(
            error.message.starts_with("the operator violates the contract: "),
            "{lie}: {error}"
        );
        assert_works(&mut extractor);
    }
}

#[test]
fn lies_about_predictions_are_found() {
    let fields = mischief("{}").shape().clone();
    let table = mischief("{}").extract(&batch(&["a", "a long, long value"])).unwrap().table;
    let scorer = |lie: &str| {
        let config = format!(r#"{{"lie": "{lie}"}}"#);
        Scorer::new(operator("mischief-scorer", &config), fields.clone())
    };
    let mut honest = Scorer::new(operator("mischief-scorer", "{}"), fields.clone()).unwrap();
    assert_eq!(honest.score(&table).unwrap().labels, [0, 1]);
    for lie in ["label-out-of-range", "too-few-values", "too-many-labels"] {
        let error = scorer(lie).unwrap().score(&table).unwrap_err();
        assert_eq!(error.code, Code::Contract, "{lie}: {error}");
    }
    for lie in ["duplicate-classes", "no-classes"] {
        let error = scorer(lie).err().unwrap().to_string();
        assert!(error.contains("violates the contract"), "{lie}: {error}");
    }
    assert!(scorer("nan").unwrap().score(&table).unwrap().values[0].is_nan());
}

#[test]
fn a_configuration_that_fails_says_how() {
    let error = |config: &str| {
        Extractor::new(operator("mischief-extractor", config)).err().unwrap().to_string()
    };
    let refused = error(r#"{"lie": "configure-error"}"#);
    assert_eq!(
        refused,
        "stage 'test': the operator refuses its configuration: this operator refuses everything"
    );
    assert!(error(r#"{"lie": "configure-trap"}"#).contains("stage 'test': trap: "));
    assert!(error(r#"{"lie": "configure-loop"}"#).contains("deadline: no result within 2s"));
    assert!(error(r#"{"typo": 1}"#).contains("unknown field `typo`"));
}

#[test]
fn a_huge_message_is_cut() {
    let mut extractor = mischief(r#"{"lie": "huge-message"}"#);
    match extractor.extract(&batch(&["lie"])) {
        // Cut where it becomes a failure of the pipeline.
        Ok(extracted) => assert!(!extracted.failures.is_empty()),
        Err(error) => assert!(error.message.len() <= 1024, "{}", error.message.len()),
    }
}

#[test]
fn a_component_in_the_wrong_place_is_named() {
    let error = Transformer::new(operator("mischief-extractor", "{}")).err().unwrap();
    assert!(matches!(
        error,
        StageError::World { found: World::Extractor, expected: World::Transformer, .. }
    ));
    assert!(error.to_string().contains("mischief_extractor.wasm is extractor"), "{error}");
}

/// Loads bytes as a component file and returns what is wrong with them.
fn load_error(wasm: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wasm");
    std::fs::write(&path, wasm).unwrap();
    Component::load(&sandbox(), &path).err().unwrap().to_string()
}

#[test]
fn another_version_of_the_contract_is_named() {
    // Names in a component are plain text: this one claims to be of version 0.9.0.
    let (ours, other) =
        (b"sandbar:operator/extraction@0.1.0", b"sandbar:operator/extraction@0.9.0");
    let mut wasm = std::fs::read(component("mischief-extractor")).unwrap();
    let mut found = 0;
    for start in 0..wasm.len() - ours.len() {
        if wasm[start..].starts_with(ours) {
            wasm[start..start + other.len()].copy_from_slice(other);
            found += 1;
        }
    }
    assert!(found > 0);
    let error = load_error(&wasm);
    assert!(
        error.contains("built for sandbar:operator@0.9.0, but this runner speaks 0.1.0"),
        "{error}"
    );
}

#[test]
fn what_is_not_a_component_is_told_apart() {
    assert!(load_error(b"PK\x03\x04").contains("not a WebAssembly component"));
    assert!(load_error(b"\0asm\x01\0\0\0").contains("a core WebAssembly module, not a component"));
    assert!(load_error(b"\0asm\x0d\0\x01\0").contains("not an operator"));
    let wasm = std::fs::read(component("mischief-extractor")).unwrap();
    assert!(load_error(&wasm[..wasm.len() / 2]).contains("not a valid component"));
    let missing = Component::load(&sandbox(), "nowhere.wasm".as_ref()).err().unwrap().to_string();
    assert!(missing.starts_with("component nowhere.wasm: No such file"), "{missing}");
}
