//! Files that are none: a pipe holds nothing up, a device is not read without end, and what
//! was planted in the cache does not run.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sandbar_tests::{component as built, project, sandbar};

/// What may not take longer, whatever it is given.
const PATIENCE: Duration = Duration::from_secs(60);

/// The end of a command, which must come, and what it said.
fn ended(command: &mut Command) -> (bool, String) {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("{command:?} does not end");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let output = child.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// A pipeline of its own files in a folder: manifest, component, model, cases.
struct Site(tempfile::TempDir);

impl Site {
    fn new() -> Self {
        let site = Site(tempfile::tempdir().unwrap());
        let text = std::fs::read_to_string(project().join("pipelines/flights.toml")).unwrap();
        let absolute = format!("\"{}/", project().display());
        std::fs::write(site.file("p.toml"), text.replace("\"../", &absolute)).unwrap();
        site
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The manifest with another text in place of the first `from`.
    fn change(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.file("p.toml")).unwrap();
        assert!(text.contains(from), "{from}");
        std::fs::write(self.file("p.toml"), text.replacen(from, to, 1)).unwrap();
    }
}

/// Puts a pipe, a device and a link to one in place of a file, and asks `command`.
#[track_caller]
fn refuses(file: &Path, command: &dyn Fn() -> Command) {
    for (expected, put) in [
        ("a named pipe", &(|| pipe(file)) as &dyn Fn()),
        ("a device", &|| symlink("/dev/zero", file).unwrap()),
    ] {
        let _ = std::fs::remove_file(file);
        put();
        let (ok, said) = ended(&mut command());
        assert!(!ok && said.contains(expected), "{}: {said}", file.display());
        assert!(said.contains(file.file_name().unwrap().to_str().unwrap()), "{said}");
    }
}

#[test]
fn check_waits_for_no_pipe_and_reads_no_device() {
    let site = Site::new();
    let check = || {
        let mut command = sandbar();
        command.arg("check").arg(site.file("p.toml"));
        command
    };
    let component = built("flight_features");
    site.change(component.to_str().unwrap(), site.file("own.wasm").to_str().unwrap());
    refuses(&site.file("own.wasm"), &check);
    std::fs::remove_file(site.file("own.wasm")).unwrap();
    std::fs::copy(component, site.file("own.wasm")).unwrap();
    assert!(ended(&mut check()).0);

    let manifest = std::fs::read(site.file("p.toml")).unwrap();
    refuses(&site.file("p.toml"), &check);
    std::fs::remove_file(site.file("p.toml")).unwrap();
    std::fs::write(site.file("p.toml"), manifest).unwrap();

    // Its model: description and file.
    let model = site.file("model");
    std::fs::create_dir(&model).unwrap();
    for entry in std::fs::read_dir(project().join("models/flights-gbm")).unwrap() {
        let from = entry.unwrap().path();
        if from.is_file() {
            std::fs::copy(&from, model.join(from.file_name().unwrap())).unwrap();
        }
    }
    let place = project().join("models/flights-gbm");
    site.change(place.to_str().unwrap(), model.to_str().unwrap());
    assert!(ended(&mut check()).0, "{}", ended(&mut check()).1);
    refuses(&model.join("model.toml"), &check);
}

#[test]
fn a_planted_component_does_not_run() {
    let site = Site::new();
    let cache = site.file("cache");
    let inspect = |component: &Path| {
        let mut command = sandbar();
        command.arg("inspect").arg(component).arg("--cache").arg(&cache).arg("--json");
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        said[0]["compiled"]["from"].as_str().unwrap().to_owned()
    };
    let (one, other) = (built("constant_scorer"), built("flight_features"));
    let entries = || -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|it| it.extension().is_some_and(|it| it == "cwasm")).collect()
    };
    assert_eq!(inspect(&one), "compiler");
    let [entry] = entries().try_into().unwrap();
    assert_eq!(inspect(&other), "compiler");
    let of_other = entries().into_iter().find(|it| *it != entry).unwrap();
    assert_eq!(inspect(&one), "cache");

    let spoil: [(&str, &dyn Fn()); 5] = [
        ("another component's", &|| {
            std::fs::copy(&of_other, &entry).unwrap();
        }),
        ("a byte flipped", &|| {
            let mut bytes = std::fs::read(&entry).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(&entry, bytes).unwrap();
        }),
        ("others could write it", &|| {
            std::fs::set_permissions(&entry, PermissionsExt::from_mode(0o666)).unwrap();
        }),
        ("two names", &|| std::fs::hard_link(&entry, site.file("name")).unwrap()),
        ("a pipe", &|| {
            std::fs::remove_file(&entry).unwrap();
            pipe(&entry);
        }),
    ];
    for (what, spoil) in spoil {
        spoil();
        assert_eq!(inspect(&one), "compiler", "{what}");
        assert_eq!(inspect(&one), "cache", "{what}");
    }
    // Another key: everything is made anew.
    std::fs::remove_file(cache.join(".key")).unwrap();
    assert_eq!([inspect(&one), inspect(&other)], ["compiler", "compiler"]);
    // A folder that others could put another in place of.
    std::fs::set_permissions(site.0.path(), PermissionsExt::from_mode(0o777)).unwrap();
    assert_eq!(inspect(&one), "compiler");
}
