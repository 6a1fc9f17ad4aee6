#![allow(clippy::disallowed_methods, reason = "files that the test made or the repository has")]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::pull::State;
use super::samples::{Array, NumberType, npz};
use super::{ApprovedFiles, FileDigests, Kind, Model, SampleContent, Sha256};

/// The digest of `abc`, from FIPS 180-2, appendix B.1.
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// A folder that goes when the test ends.
struct Folder(PathBuf);

impl Folder {
    /// A model folder with `model.zip` of `abc`.
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("sandbar-models-{}-{number}", std::process::id());
        let folder = Folder(std::env::temp_dir().join(name));
        fs::create_dir_all(&folder.0).unwrap();
        folder.write("model.zip", "abc");
        folder.describe("", "");
        folder
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.0.join(name), text).unwrap();
    }

    /// A description in which `from` is replaced by `to`.
    fn describe(&self, from: &str, to: &str) {
        let text = format!(
            "name = \"flights-gbm\"\nversion = 1\nkind = \"h2o-mojo\"\nfile = \"model.zip\"\nsize = 3\nsha256 = \"{ABC}\"\nlicence = \"Apache-2.0\"\ndescription = \"Is the flight delayed?\"\n\n[provenance]\ntool = \"h2o 3.46.0.6\"\n"
        );
        assert!(text.contains(from), "{from}");
        self.write("model.toml", text.replacen(from, to, 1));
    }

    /// The error of opening or reading, the folder's own path taken out of it.
    fn error(&self) -> String {
        let result = Model::open(&self.0).and_then(|model| model.read());
        let error = result.expect_err("this folder is not in order").to_string();
        error.replace(&self.0.display().to_string(), "FOLDER")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[test]
fn what_is_approved_is_known_by_its_content() {
    let folder = Folder::new();
    let path = |name: &str| folder.0.join(name);
    let (a, b) = (Sha256::of(b"a"), Sha256::of(b"b"));
    folder.write("one", "a");
    folder.write("other", "b");
    let known = FileDigests::from([(path("one"), a)]);

    let unasked = ApprovedFiles::default();
    unasked.check(&path("one"), &a).unwrap();
    unasked.check(&path("one"), &b).unwrap();
    assert_eq!(unasked.read(), FileDigests::new());

    let any = ApprovedFiles::expecting(FileDigests::new());
    any.check(&path("one"), &a).unwrap();
    any.clone().check(&path("one"), &b).unwrap_err();
    any.check(&path("other"), &a).unwrap();

    let expecting = ApprovedFiles::expecting(known.clone());
    expecting.check(&path("one"), &b).unwrap_err();
    expecting.check(&path("other"), &b).unwrap();
    assert_eq!(expecting.read(), FileDigests::from([(path("other"), b)]));

    let only = ApprovedFiles::only(known.clone());
    only.check(&path("other"), &b).unwrap_err();
    only.check_rest().unwrap();
    folder.write("one", "b");
    assert_eq!(only.check_rest().unwrap_err().0, path("one"));
    // What was read is not read again.
    only.check(&path("one"), &a).unwrap();
    only.check_rest().unwrap();
    fs::remove_file(path("one")).unwrap();
    assert_eq!(ApprovedFiles::only(known).check_rest().unwrap_err().0, path("one"));
}

#[test]
fn a_model_is_read_from_approved_files_alone() {
    let folder = Folder::new();
    let seen = ApprovedFiles::expecting(FileDigests::new());
    Model::open_approved(&folder.0, &seen).unwrap().read().unwrap();
    let names: Vec<_> = seen.read().into_keys().collect();
    assert_eq!(names, ["model.toml", "model.zip"].map(|name| folder.0.join(name)));

    let approved = || ApprovedFiles::only(seen.read());
    let model = Model::open_approved(&folder.0, &approved()).unwrap();
    model.read().unwrap();
    // Both say the same of each other, but it is another model.
    folder.write("model.zip", "abd");
    folder.describe(ABC, &Sha256::of(b"abd").to_string());
    let open = |approved: ApprovedFiles| Model::open_approved(&folder.0, &approved).map(|_| ());
    open(ApprovedFiles::default()).unwrap();
    for error in [open(approved()).unwrap_err(), model.read().map(|_| ()).unwrap_err()] {
        assert!(error.to_string().contains("it was changed meanwhile"), "{error}");
    }
}

#[test]
fn a_model_in_order() {
    let folder = Folder::new();
    let model = Model::open(&folder.0).unwrap();
    assert_eq!((model.id().as_str(), model.kind), ("flights-gbm@1", Kind::H2oMojo));
    assert_eq!(&*model.read().unwrap(), b"abc");
    assert_eq!(model.folder(), folder.0);
}

#[test]
fn the_digest_is_read_in_either_case() {
    let digest: Sha256 = ABC.to_uppercase().parse().unwrap();
    assert_eq!(digest.to_string(), ABC);
    for wrong in ["", "abc", &ABC[1..], &ABC.replace('b', "g"), &format!("{ABC}0")] {
        assert!(wrong.parse::<Sha256>().is_err(), "{wrong}");
    }
}

#[test]
fn a_changed_file_is_noticed() {
    let folder = Folder::new();
    folder.write("model.zip", "abd");
    let error = folder.error();
    let expected = format!(
        "FOLDER/model.toml: the sha256 of model.zip is a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9, but model.toml says {ABC}; the file was changed or its download is incomplete: download it again, or correct model.toml"
    );
    assert_eq!(error, expected);
    folder.write("model.zip", "ab");
    assert!(
        folder
            .error()
            .starts_with("FOLDER/model.toml: the size of model.zip is 2, but model.toml says 3; ")
    );
}

#[test]
fn a_file_that_changes_after_opening_is_noticed() {
    let folder = Folder::new();
    let model = Model::open(&folder.0).unwrap();
    folder.write("model.zip", "abd");
    assert!(model.read().unwrap_err().to_string().contains("the sha256 of model.zip is a52d"));
    folder.write("model.zip", "abcd");
    assert!(model.read().unwrap_err().to_string().contains("the size of model.zip is 4"));
}

#[test]
fn what_is_wrong_with_a_description_is_said_with_its_line() {
    let folder = Folder::new();
    let cases = [
        ("kind =", "knid =", "FOLDER/model.toml:3: unknown key 'knid'; did you mean 'kind'?"),
        (
            "h2o-mojo",
            "onyx",
            "FOLDER/model.toml:3: kind: unknown value 'onyx'; did you mean 'onnx'?",
        ),
        (
            "sha256 =",
            "url =",
            "FOLDER/model.toml: sha256: the key 'sha256' is missing; write the file's digest",
        ),
        (
            "[provenance]",
            "[[inputs]]\nname = \"data\"\nshape = [1, 0]\n[provenance]",
            "FOLDER/model.toml:10: inputs: a model of kind h2o-mojo has no inputs; leave them out\nFOLDER/model.toml:10: inputs: 'data' has a dimension of 0; write a string such as \"N\" for a dimension that the caller chooses",
        ),
        ("version = 1", "version = 0", "FOLDER/model.toml:2: version: versions start at 1"),
        (
            "size = 3",
            "size = 0",
            "FOLDER/model.toml:5: size: 0 bytes is out of range; a model's file has 1 to 1073741824 bytes",
        ),
        (
            "flights-gbm",
            "flights@gbm",
            "FOLDER/model.toml:1: name: 'flights@gbm' is not a valid name; use letters, digits, '-', '_' and '.', as in 'flights-eu'",
        ),
        (
            ABC,
            "abc",
            "FOLDER/model.toml:6: sha256: 'abc' is not a SHA-256 digest; write its 64 hexadecimal digits",
        ),
    ];
    for (from, to, expected) in cases {
        folder.describe(from, to);
        assert_eq!(folder.error(), expected);
    }
}

#[test]
fn a_file_stays_in_its_folder() {
    let folder = Folder::new();
    for name in ["../model.zip", "/etc/hosts", "sub/model.zip", "..", ".", "", "a\\\\b", "c:d"] {
        folder.describe("model.zip", name);
        assert!(folder.error().contains("is not a plain file name"), "{name}");
    }
    folder.describe("model.zip", "absent.zip");
    assert!(folder.error().starts_with("FOLDER/absent.zip: "));
    fs::create_dir(folder.0.join("folder.zip")).unwrap();
    folder.describe("model.zip", "folder.zip");
    assert!(folder.error().contains("not a regular file"));
}

#[test]
fn labels_are_lines() {
    let folder = Folder::new();
    folder
        .describe("[provenance]", "[labels]\nfile = \"labels.txt\"\nskip-words = 1\n[provenance]");
    let labels_of = |text: &[u8]| {
        folder.write("labels.txt", text);
        Model::open(&folder.0).unwrap().read_labels().map_err(|error| error.to_string())
    };
    let labels = |text: &str| labels_of(text.as_bytes());
    let read = labels("n1 crane\r\nn2 tench, Tinca tinca\nn3 crane\n").unwrap().unwrap();
    assert_eq!(read, ["crane", "tench, Tinca tinca", "crane #3"]);
    assert!(labels("n1 crane\nn2\n").unwrap_err().contains("line 2 has no label"));
    assert!(labels("").unwrap_err().ends_with("labels.txt: the file has no labels"));
    let twice = labels("n1 a\nn2 a #3\nn3 a").unwrap_err();
    assert!(twice.contains("line 3: duplicate label 'a #3'"), "{twice}");
    // A byte order mark is no part of the first label; old lists may be in Latin-1.
    assert_eq!(labels("\u{feff}n1 crane\r\n"), Ok(Some(vec!["crane".into()])));
    assert_eq!(labels_of(b"n1 Z\xfcrich"), Ok(Some(vec!["Z\u{fffd}rich".into()])));
    for utf16 in [&b"\xff\xfea\0"[..], b"\xfe\xff\0a", b"n\x001\0 \0a\0", b"\xfe\xff"] {
        let error = labels_of(utf16).unwrap_err();
        assert!(error.contains("save it as UTF-8"), "{error}");
    }
}

#[test]
fn labels_fit_the_classes() {
    let folder = Folder::new();
    let model = |incomplete: &str| {
        folder.write("labels.txt", "a\nb\n");
        folder.describe(
            "[provenance]",
            &format!("[labels]\nfile = \"labels.txt\"\n{incomplete}[provenance]"),
        );
        Model::open(&folder.0).unwrap()
    };
    let fit = |model: &Model, classes| {
        let mut labels = model.read_labels().unwrap().unwrap();
        model.fit_labels(Some(&mut labels), &[Some(classes)]).map(|()| labels)
    };
    assert_eq!(fit(&model("incomplete = true\n"), 4).unwrap(), ["a", "b", "#3", "#4"]);
    assert_eq!(fit(&model("incomplete = true\n"), 2).unwrap(), ["a", "b"]);
    assert!(fit(&model("incomplete = true\n"), 1).unwrap_err().to_string().contains("got 2"));
    assert!(fit(&model(""), 3).unwrap_err().to_string().contains("expected 3 labels"));
    // They may be those of another output than the first.
    let mut labels = vec!["a".to_owned(), "b".to_owned()];
    let outputs = [Some(1), Some(2)];
    assert!(model("").fit_labels(Some(&mut labels), &outputs).is_ok());
    assert!(model("").fit_labels(Some(&mut labels), &outputs[..1]).is_err());
    assert!(model("").fit_labels(Some(&mut labels), &[Some(1), None]).is_ok());
}

#[test]
fn an_operator_is_told_what_the_folder_says() {
    let folder = Folder::new();
    folder.describe(
        "[provenance]",
        "[[inputs]]\nname = \"x\"\nshape = [\"N\", 3]\n[preprocessing]\nscale = 0.5\n[provenance]",
    );
    let text = fs::read_to_string(folder.0.join("model.toml")).unwrap();
    folder.write("model.toml", text.replace("h2o-mojo", "onnx"));
    let json = Model::open(&folder.0).unwrap().to_json(Some(&["a".to_owned()]));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let expected = serde_json::json!({
        "name": "flights-gbm",
        "version": 1,
        "kind": "onnx",
        "inputs": [{ "name": "x", "type": "fp32", "shape": ["N", 3] }],
        "labels": ["a"],
        "preprocessing": { "scale": 0.5 },
    });
    assert_eq!(json, expected);
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_may_not_lead_out() {
    use std::os::unix::fs::symlink;
    let (folder, other) = (Folder::new(), Folder::new());
    folder.describe("model.zip", "link.zip");
    symlink(other.0.join("model.zip"), folder.0.join("link.zip")).unwrap();
    assert!(folder.error().contains("points outside the model folder"));
    fs::remove_file(folder.0.join("link.zip")).unwrap();
    symlink("model.zip", folder.0.join("link.zip")).unwrap();
    assert_eq!(&*Model::open(&folder.0).unwrap().read().unwrap(), b"abc");
}

#[test]
fn a_folder_without_description_says_what_one_is() {
    let error = Model::open(Path::new("no/such")).unwrap_err().to_string();
    assert!(error.starts_with("no/such/model.toml: "), "{error}");
    assert!(error.ends_with("a model is a folder with a model.toml in it"), "{error}");
}

#[test]
fn the_models_of_this_project_are_in_order() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let Ok(entries) = fs::read_dir(models) else { return };
    for entry in entries {
        let folder = entry.unwrap().path();
        if folder.join("model.toml").exists() {
            let model = Model::describe(&folder).unwrap();
            // The large ones are described here and pulled by whoever wants them.
            if folder.join(&model.file).exists() {
                Model::open(&folder).and_then(|model| model.read()).unwrap();
                model.read_labels().unwrap();
            }
        }
    }
}

#[test]
fn samples_are_read_and_bounded() {
    let folder = Folder::new();
    let section = |text: &str| {
        folder.describe("\n[provenance]", &format!("\n[samples]\n{text}\n[provenance]"));
        Model::open(&folder.0)
    };
    folder.write("s.csv", "a,label\n1,YES\n");
    let model = section("file = \"s.csv\"").unwrap();
    let samples = model.read_samples().unwrap().unwrap();
    let SampleContent::Table(table) = &samples.content else { panic!("{samples:?}") };
    assert_eq!((table.rows.len(), samples.tolerance(false)), (1, 1e-5));
    assert_eq!(State::of(&model).as_str(), "present");
    let other = section(&format!("file = \"s.csv\"\nsha256 = \"{ABC}\"")).unwrap();
    let error = other.read_samples().unwrap_err().to_string();
    assert!(error.contains("the sha256 of s.csv is"), "{error}");

    folder.write("s.csv", format!("a\n{}", "1".repeat(1 << 20)));
    let error = model.read_samples().unwrap_err().to_string();
    assert!(error.contains("s.csv: larger than the limit of 1048576 bytes"), "{error}");
    assert_eq!(State::of(&model).as_str(), "wrong");
    fs::remove_file(folder.0.join("s.csv")).unwrap();
    assert_eq!(State::of(&model).as_str(), "absent");

    for (text, due) in [
        ("file = \"../s.csv\"", "is not a plain file name"),
        ("file = \"s.csv\"\ntolerance = -1.0", "invalid tolerance -1"),
        ("file = \"s.csv\"\ntolerance = nan", "invalid tolerance NaN"),
        ("file = \"s.csv\"\ntolerance = 1", "invalid tolerance 1"),
        ("file = \"s.npz\"", "takes features and not tensors"),
        ("file = \"s.csv\"\nanswers = \"mine\"", "mine"),
        ("file = \"s.csv\"\nrows = 1", "rows"),
    ] {
        let error = section(text).unwrap_err().to_string();
        assert!(error.contains(due), "{error}");
    }
    folder.describe("kind = \"h2o-mojo\"", "kind = \"h2o-mojo\"\nunverified = true");
    let error = Model::open(&folder.0).unwrap_err().to_string();
    assert!(error.contains("a model of kind h2o-mojo is no graph; leave it out"), "{error}");
    for samples in [
        "",
        "\nsamples = { file = \"s.npz\", answers = \"runner\" }",
        "\nsamples = { file = \"s.csv\" }",
    ] {
        let kind = format!("kind = \"onnx\"\nunverified = true{samples}");
        folder.describe("kind = \"h2o-mojo\"", &kind);
        let error = Model::open(&folder.0).unwrap_err().to_string();
        assert!(error.contains("must be shown by samples: declare [samples] too"), "{error}");
    }
}

/// A graph's samples may be tensors, or a table that names pictures.
#[test]
fn samples_of_graphs_are_tensors_or_pictures() {
    let folder = Folder::new();
    let open = |samples: &str| {
        folder.describe("kind = \"h2o-mojo\"", &format!("kind = \"onnx\"\nsamples = {samples}"));
        Model::open(&folder.0).unwrap()
    };
    let array =
        Array { name: "x".into(), ty: NumberType::Float(4), shape: vec![1], data: vec![0; 4] };
    folder.write("s.npz", npz::write(std::slice::from_ref(&array)).unwrap());
    let samples = open("{ file = \"s.npz\" }").read_samples().unwrap().unwrap();
    assert_eq!(samples.content, SampleContent::Tensors(vec![array]));
    folder.write("s.npz", "x");
    let error = open("{ file = \"s.npz\" }").read_samples().unwrap_err().to_string();
    assert!(error.contains("s.npz: not a zip archive"), "{error}");

    fs::create_dir(folder.0.join("seen")).unwrap();
    folder.write("seen/a.png", "abc");
    let model = open("{ file = \"s.csv\" }");
    let read = |table: &str| {
        folder.write("s.csv", table);
        model.read_samples()
    };
    let samples =
        read(&format!("picture,sha256,label\nseen/a.png,{ABC},A\nseen/a.png,,A\n")).unwrap();
    let SampleContent::Pictures(table, files) = samples.unwrap().content else { panic!("a table") };
    assert_eq!((table.rows.len(), files), (2, vec![b"abc"[..].into(); 2]));
    for (table, due) in [
        ("picture\n../a.png\n", "line 2: column 'picture': '../a.png' is not a path"),
        ("picture\n/a.png\n", "is not a path"),
        ("picture,a\n,1\n", "'' is not a path"),
        ("picture,sha256\nseen/a.png,abc\n", "line 2: column 'sha256'"),
        ("picture\nseen/b.png\n", "seen/b.png: No such file"),
        (&format!("picture,sha256\ns.csv,{ABC}\n"), "s.csv: its sha256 is"),
    ] {
        let error = read(table).unwrap_err().to_string();
        assert!(error.contains(due), "{error}");
    }
    assert_eq!(State::of(&model).as_str(), "wrong");
}

#[test]
fn a_files_kind_is_told_by_its_first_bytes() {
    let cases: [(&[u8], Option<&str>, Option<Kind>); 10] = [
        (b"PK\x03\x04", Some("onnx"), Some(Kind::H2oMojo)),
        (b"tree\nversion=v4\n", None, Some(Kind::Lightgbm)),
        (b"trees\n", Some("txt"), None),
        (b"{\"learner\":{", Some("json"), Some(Kind::Xgboost)),
        (b"{\n  \"version\": [2, 1, 4],", None, Some(Kind::Xgboost)),
        (b"{L\0\0\0\0\0\0\0\x07learner{", Some("ubj"), Some(Kind::Xgboost)),
        (b"{\"trees\":[]}", Some("json"), None),
        (b"\x08\x07", Some("onnx"), Some(Kind::Onnx)),
        (b"\x0a\x07", Some("pb"), Some(Kind::Tensorflow)),
        (b"", None, None),
    ];
    for (bytes, extension, due) in cases {
        assert_eq!(Kind::of_file(bytes, extension), due, "{}", bytes.escape_ascii());
    }
}
