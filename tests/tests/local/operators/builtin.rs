//! Operators that come with the command.

use flight_records::CLASSIC;
use sandbar::pipeline::harness::Harness;
use sandbar::record::Input;
use sandbar_tests::runner::{plan, sandbox};

/// What a pipeline makes of a flight with the pipeline's stages being these.
fn outputs(scorer: &str) -> Vec<String> {
    let manifest = format!(
        "name = \"p\"\nsource = {{ topics = [\"a\"] }}\nsink = {{ topic = \"b\" }}\n\
         models = {{ flights = \"{{project}}/models/flights-gbm\" }}\n\
         [[stages]]\nname = \"extract\"\ncomponent = \"{{component:flight-features}}\"\n\
         [[stages]]\nname = \"score\"\ncomponent = \"{scorer}\"\nmodels = [\"flights\"]\n"
    );
    let mut harness = Harness::new(&plan(&manifest, "").unwrap()).unwrap();
    let written = harness.pipe([Input::value(CLASSIC[0])]).unwrap();
    written.outputs.iter().map(|output| output.text().into_owned()).collect()
}

#[test]
fn one_does_what_its_file_does() {
    let of_file = outputs("{component:h2o-score}");
    assert_eq!(of_file.len(), 1);
    assert_eq!(outputs("builtin:h2o-score"), of_file);
}

#[test]
fn each_can_run_here() {
    for operator in sandbar::builtin::operators() {
        let path = format!("{}{}", sandbar::builtin::SCHEME, operator.name);
        let inspection = sandbar::sandbox::Inspection::of(&sandbox(), path.as_ref());
        assert!(inspection.runnable, "{path}: {:?}", inspection.reason);
    }
}
