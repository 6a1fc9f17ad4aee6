//! Schemas in files, without a registry.

use sandbar::record::Input;
use sandbar_tests::runner::plan;

use super::stand_in::{Golden, failures, harness, manifest, texts};

#[test]
fn records_are_read_by_files() {
    let folder = tempfile::tempdir().unwrap();
    let golden = Golden::read();
    for (format, order, money) in
        [("avro", "orders-value", "shop.Money"), ("protobuf", "messages-value", "money.proto")]
    {
        let extension = if format == "avro" { "avsc" } else { "proto" };
        let mut schemas = "[schemas.files]\n".to_owned();
        for subject in [order, money] {
            let schema = golden.schemas.iter().find(|schema| schema.subject == subject).unwrap();
            let path = folder.path().join(format!("{subject}.{extension}"));
            std::fs::write(&path, &schema.schema).unwrap();
            schemas += &format!("\"{subject}\" = \"{}\"\n", path.display());
        }
        let record = golden.of_format(format)[0];
        // Behind the id, and the indices of the message, is what the file is about.
        let value = record.input().value.unwrap();
        let body = &value[if format == "avro" { 5 } else { 7 }..];
        let config = match format {
            "avro" => format!(", file = \"{order}\""),
            _ => format!(", file = \"{order}\", message = \"Order\""),
        };
        let mut harness = harness(&manifest(format, &record.places, &config, &schemas));
        let written = harness.pipe([Input::value(body)]).unwrap();
        assert_eq!(failures(&written), []);
        assert_eq!(texts(&written), [record.expected.as_str()], "{format}");
    }
}

#[test]
fn a_file_that_is_missing_is_told_when_the_pipeline_is_planned() {
    let places = ["a".to_owned()];
    let schemas = "[schemas.files]\norder = \"no-such.avsc\"\n";
    let reason = plan(&manifest("avro", &places, ", file = \"order\"", schemas), "").err().unwrap();
    let reason = format!("{reason:#}");
    assert!(
        reason.contains("[schemas] files.order") && reason.contains("no-such.avsc"),
        "{reason}"
    );
}
