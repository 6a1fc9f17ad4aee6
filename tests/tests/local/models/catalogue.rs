//! Listing, showing and verifying what there is.

use super::*;

#[test]
fn list_show_and_verify_say_what_there_is() {
    let models = Models::new();
    models.describe("absent", "url = \"https://host.invalid/cat.bin\"", Some(weights().len()));
    models.describe("present", "[labels]\nfile = \"labels.txt\"\n[provenance]\nseed = 7\n", None);
    fs::write(models.path("present").join("cat.bin"), weights()).unwrap();
    fs::write(models.path("present").join("labels.txt"), "crane\ntench\n").unwrap();
    models.describe("wrong", "", Some(weights().len()));
    fs::write(models.path("wrong").join("cat.bin"), "otherwise").unwrap();
    fs::create_dir(models.path("no-model")).unwrap();

    assert_eq!(
        models.says(&["list"]),
        "MODEL      KIND           SIZE  FILES    LICENCE\n\
         absent@2   h2o-mojo  390.6 KiB  absent   MIT\n\
         present@2  h2o-mojo  390.6 KiB  present  MIT\n\
         wrong@2    h2o-mojo  390.6 KiB  wrong    MIT\n"
    );
    let digest = Sha256::of(&weights()).to_string();
    assert_eq!(
        models.says(&["show", "present"]),
        format!(
            "present@2\nIs it a cat?\n\
             kind           h2o-mojo\n\
             folder         MODELS/present\n\
             file           cat.bin\n\
             files          present\n\
             sha256         {digest}\n\
             licence        MIT\n\
             labels         2, in labels.txt\n\
             provenance     seed = 7\n"
        )
    );
    let json: serde_json::Value =
        serde_json::from_str(&models.says(&["show", "absent", "--json"])).unwrap();
    assert_eq!(
        (&json["state"], &json["name"], &json["sha256"]),
        (&"absent".into(), &"absent".into(), &digest.into())
    );
    assert_eq!(models.says(&["verify", "present"]), "present: ok (its labels have no digest)\n");
    let said = models.complains(&["verify"]);
    assert!(
        said.contains("absent: cat.bin is absent; download it with `sandbar models pull absent`\n"),
        "{said}"
    );
    assert!(
        said.contains(
            "wrong: MODELS/wrong/model.toml: the size of cat.bin is 9, but model.toml says 400000"
        ),
        "{said}"
    );
    assert!(said.ends_with("error: 2 of 3 models are missing or wrong\n"), "{said}");
    let said = models.complains(&["show", "presnt"]);
    assert_eq!(said, "error: 'presnt' is not a model folder in MODELS; did you mean 'present'?\n");
    let path = models.path("present");
    assert_eq!(
        models.says(&["verify", path.to_str().unwrap()]),
        "MODELS/present: ok (its labels have no digest)\n"
    );
    fs::write(models.path("wrong").join("model.toml"), "nmae = 1\n").unwrap();
    let said = models.complains(&["list"]);
    assert!(said.contains("MODELS/wrong/model.toml:1: unknown key 'nmae'"), "{said}");
}

#[test]
fn the_catalogue_of_the_project_is_in_order() {
    let mut command = sandbar();
    let output = command
        .args(["models", "list", "--models"])
        .arg(sandbar_tests::project().join("models"))
        .output();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for model in [
        "googlenet-12@1",
        "googlenet-9@1",
        "inception-v1-12@1",
        "squeezenet-1.1-7@1",
        "inception5h@1",
    ] {
        assert!(said.contains(model), "{said}");
    }
}
