//! Operators that come with the command.

use flight_records::CLASSIC;
use sandbar::pipeline::harness::Harness;
use sandbar::record::{Code, Input};
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
    let of_file = outputs("{component:tabular-score}");
    assert_eq!(of_file.len(), 1);
    assert_eq!(outputs("builtin:tabular-score"), of_file);
}

#[test]
fn each_can_run_here() {
    for operator in sandbar::builtin::operators() {
        let path = format!("{}{}", sandbar::builtin::SCHEME, operator.name);
        let inspection = sandbar::sandbox::Inspection::of(&sandbox(), path.as_ref());
        assert!(inspection.runnable, "{path}: {:?}", inspection.reason);
    }
}

/// What is made of this record with an extractor of these columns, or why there is no such pipeline.
fn predicted(record: &str, config: &str) -> Result<Vec<String>, String> {
    let manifest = format!(
        "name = \"p\"\nsource = {{ topics = [\"a\"] }}\nsink = {{ topic = \"b\" }}\n\
         models = {{ flights = \"{{project}}/models/flights-gbm\" }}\n\
         [[stages]]\nname = \"features\"\ncomponent = \"builtin:record-features\"\n\
         limits = {{ memory = \"64 MiB\" }}\nconfig = {{ {config} }}\n\
         [[stages]]\nname = \"score\"\ncomponent = \"builtin:tabular-score\"\nmodels = [\"flights\"]\n"
    );
    let mut harness = Harness::new(&plan(&manifest, "").map_err(|it| it.to_string())?)
        .map_err(|it| it.to_string())?;
    let written = harness.pipe([Input::value(record)]).map_err(|it| it.to_string())?;
    Ok(written.outputs.iter().map(|output| output.text().into_owned()).collect())
}

#[test]
fn a_derived_column_is_the_model_s() {
    let record = |carrier: &str| {
        format!(
            r#"{{"Year":1987,"Month":10,"DayofMonth":14,"DayOfWeek":3,"CRSDepTime":730,{carrier},
                "Origin":"SAN","Dest":"SFO"}}"#
        )
    };
    let of_model = predicted(&record(r#""UniqueCarrier":"PS""#), "").unwrap();
    assert_eq!(of_model.len(), 1);
    let derived = |expression: &str| {
        let config = format!(
            "columns = [{{ name = \"UniqueCarrier\", expression = \"{expression}\" }}], \
             inputs = [{{ name = \"carrier\", type = \"text\" }}]"
        );
        predicted(&record(r#""carrier":" ps""#), &config)
    };
    assert_eq!(derived("carrier.trim().upperAscii()"), Ok(of_model));
    let refused = derived("carier.trim()").unwrap_err();
    let place = "column 'UniqueCarrier': `expression`: line 1, column 1: unknown variable 'carier'";
    assert!(refused.contains(place), "{refused}");
}

#[test]
fn a_filter_keeps_the_records_of_its_expression() {
    let filtered = |keep: &str| {
        let manifest = format!(
            "name = \"p\"\nsource = {{ topics = [\"a\"] }}\nsink = {{ topic = \"b\" }}\n\
             [[stages]]\nname = \"filter\"\ncomponent = \"builtin:record-filter\"\n\
             config = {{ keep = \"{keep}\", columns = [\"amount\"] }}\n"
        );
        let mut harness = Harness::new(&plan(&manifest, "").map_err(|it| it.to_string())?)
            .map_err(|it| it.to_string())?;
        let values =
            [r#"{"amount":7}"#, r#"{"amount":70}"#, r#"{"amount":"x"}"#, " {\"amount\":8}"];
        let written = harness.pipe(values.map(Input::value)).map_err(|it| it.to_string())?;
        Ok::<_, String>(written)
    };
    let written = filtered("amount < 10").unwrap();
    let kept: Vec<_> = written.outputs.iter().map(|output| output.text().into_owned()).collect();
    assert_eq!(kept, [r#"{"amount":7}"#, " {\"amount\":8}"]);
    let [failed] = written.dead_letters.as_slice() else { panic!("{written:?}") };
    let why = "amount: expected a number, got \"x\"";
    assert_eq!((failed.code, failed.message.as_str()), (Code::Invalid, why));
    let refused = filtered("amont < 10").map(drop).unwrap_err();
    let place = "`keep`: line 1, column 1: unknown variable 'amont'; did you mean 'amount'?";
    assert!(refused.contains(place), "{refused}");
}
