//! Downloads Apache Kafka's jars, and finds a Java to run them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};

use super::home::home;
use crate::cargo;

/// What Maven resolves. It is also copied beside the jars: see
/// [`is_complete`].
const POM: &str = include_str!("../../kafka/pom.xml");

/// The oldest Java that Apache Kafka 4's server runs on.
const OLDEST_JAVA: u32 = 17;

/// The archive of its classes, beside the jars.
const ARCHIVE: &str = "classes.jsa";

/// An Apache Kafka that can be started.
#[derive(Clone)]
pub struct Installation {
    java: PathBuf,
    jars: PathBuf,
    version: String,
    classes: Classes,
}

/// How a JVM gets Kafka's classes: from an archive of them it starts with a third of the work.
#[derive(Clone)]
pub(super) enum Classes {
    /// From their jars.
    Jars,
    /// From this archive. A JVM that cannot use it goes to the jars.
    Archive(PathBuf),
    /// From their jars, and writes those it has loaded to this archive when it ends.
    Record(PathBuf),
}

/// Why there is no [`Installation`].
#[derive(Debug)]
pub enum Unavailable {
    /// A program that is missing on this machine; which, as half a sentence.
    Missing(String),
    /// An unexpected failure.
    Failed(anyhow::Error),
}

impl Installation {
    /// Finds Java and the jars of one version, by default the one in
    /// `xtask/kafka/pom.xml`. Jars that are not there yet are resolved with
    /// Maven; once they are, neither Maven nor a network is needed.
    ///
    /// # Errors
    /// [`Unavailable::Missing`] without Java or, the first time, Maven;
    /// [`Unavailable::Failed`] when Maven fails.
    pub fn resolve(version: Option<&str>) -> Result<Self, Unavailable> {
        let version = match version {
            Some(version) => {
                check_version(version).map_err(Unavailable::Failed)?;
                version.to_owned()
            }
            None => default_version().map_err(Unavailable::Failed)?.to_owned(),
        };
        let java = find_java().map_err(Unavailable::Missing)?;
        let jars = home().join(format!("jars-{version}"));
        if !is_complete(&jars) {
            if !answers(Command::new("mvn").arg("--version")) {
                return Err(Unavailable::Missing("Maven (`mvn`) is missing".to_owned()));
            }
            resolve_jars(&version, &jars).map_err(Unavailable::Failed)?;
        }
        let archive = jars.join(ARCHIVE);
        let classes = if archive.is_file() { Classes::Archive(archive) } else { Classes::Jars };
        Ok(Self { java, jars, version, classes })
    }

    /// The same, with Kafka's classes from elsewhere.
    pub(super) fn with_classes(&self, classes: Classes) -> Self {
        Self { classes, ..self.clone() }
    }

    /// Where the archive of classes is, or shall be; `None` if there is one.
    pub(super) fn missing_archive(&self) -> Option<PathBuf> {
        matches!(self.classes, Classes::Jars).then(|| self.jars.join(ARCHIVE))
    }

    /// The version of Apache Kafka.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// A Java process that will have Kafka's classes; the main class and its
    /// arguments are for the caller to add.
    ///
    /// `scratch` is where the JVM puts its temporary files, the native
    /// libraries of Kafka's compressors among them: a JVM that is killed
    /// leaves them behind, so they belong where the caller cleans up.
    pub fn java(&self, scratch: &Path) -> Command {
        let mut command = Command::new(&self.java);
        command
            .args([
                // A broker for tests fits in this; it takes 340 MB when idle.
                "-Xmx512m",
                "-Xms128m",
                // One thread collects a small heap best, and starts fastest.
                "-XX:+UseSerialGC",
                // Else each JVM leaves a file in the system's temporary folder.
                "-XX:-UsePerfData",
                "-Djava.awt.headless=true",
                // The binding is slf4j-simple, which takes its settings here.
                "-Dorg.slf4j.simpleLogger.showDateTime=true",
                "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
                "-Dorg.slf4j.simpleLogger.showShortLogName=true",
                // It prints all 300 settings, three times over.
                "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn",
            ])
            .arg(format!("-Djava.io.tmpdir={}", scratch.display()))
            .arg("-cp")
            .arg(self.jars.join("*"))
            .stdin(Stdio::null());
        match &self.classes {
            Classes::Jars => {}
            Classes::Archive(archive) => {
                command.arg(format!("-XX:SharedArchiveFile={}", archive.display()));
            }
            Classes::Record(archive) => {
                command.arg(format!("-XX:ArchiveClassesAtExit={}", archive.display()));
            }
        }
        command
    }
}

/// Whether a folder holds all jars of today's `pom.xml`. The copy of it is
/// written last, so an interrupted copy or a changed pom shows.
fn is_complete(jars: &Path) -> bool {
    fs::read_to_string(jars.join("pom.xml")).is_ok_and(|resolved| resolved == POM)
}

fn resolve_jars(version: &str, jars: &Path) -> Result<()> {
    let what = format!("Apache Kafka {version}");
    let resolved = fill(&what, jars, &|filling| {
        vec![
            format!("-Dkafka.version={version}"),
            "dependency:copy-dependencies".to_owned(),
            "-DincludeScope=runtime".to_owned(),
            format!("-DoutputDirectory={}", filling.display()),
        ]
    });
    match resolved {
        // Another process may have created it just now, which is as good.
        Err(_) if is_complete(jars) => Ok(()),
        outcome => outcome,
    }
}

/// Fills a folder by Maven, with the goals and settings for the folder that they fill.
///
/// # Errors
/// [`Unavailable::Missing`] without Maven, [`Unavailable::Failed`] when it fails.
pub(super) fn resolve_with_maven(
    what: &str,
    folder: &Path,
    goals: &dyn Fn(&Path) -> Vec<String>,
) -> Result<(), Unavailable> {
    if !answers(Command::new("mvn").arg("--version")) {
        return Err(Unavailable::Missing("Maven (`mvn`) is missing".to_owned()));
    }
    fill(what, folder, goals).map_err(Unavailable::Failed)
}

fn fill(what: &str, folder: &Path, goals: &dyn Fn(&Path) -> Vec<String>) -> Result<()> {
    eprintln!("resolving {what} with Maven (once)");
    let home = home();
    fs::create_dir_all(&home).with_context(|| format!("cannot create {}", home.display()))?;
    // Another process may do the same at this moment: each fills a folder of
    // its own, and the last rename wins.
    let filling = folder.with_added_extension(std::process::id().to_string());
    let log = home.join("maven.log");
    let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let mut command = Command::new("mvn");
    command
        .args(["--batch-mode", "--strict-checksums", "--file"])
        .arg(cargo::root().join("xtask/kafka/pom.xml"))
        .args(goals(&filling))
        .stdout(output.try_clone().context("cannot share the log file")?)
        .stderr(output);
    let outcome = crate::process::run(&mut command)
        .with_context(|| {
            format!("Maven cannot download {what}; its output is in {}", log.display())
        })
        .and_then(|()| {
            fs::write(filling.join("pom.xml"), POM)
                .and_then(|()| remove_if_there(folder))
                .and_then(|()| fs::rename(&filling, folder))
                .with_context(|| format!("cannot fill {}", folder.display()))
        });
    if outcome.is_err() {
        // Nothing else uses it. If it cannot be deleted, the
        // earlier error matters more.
        let _ = remove_if_there(&filling);
    }
    outcome
}

fn remove_if_there(folder: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The version that the pom names.
fn default_version() -> Result<&'static str> {
    POM.split_once("<kafka.version>")
        .and_then(|(_, rest)| rest.split_once("</kafka.version>"))
        .map(|(version, _)| version)
        .context("xtask/kafka/pom.xml names no kafka.version")
}

/// A version becomes part of a path and of Maven's arguments, and must be one
/// whose server needs no ZooKeeper and knows our settings.
fn check_version(version: &str) -> Result<()> {
    let major = version.split('.').next().and_then(|it| it.parse().ok());
    let plain = version.chars().all(|it| it.is_ascii_alphanumeric() || it == '.' || it == '-');
    match major {
        Some(4..=99_u32) if plain => Ok(()),
        _ => bail!("`{version}` is not a version of Apache Kafka 4 or newer, such as 4.0.0"),
    }
}

/// The Java of `JAVA_HOME`, else the one in the path; an error says what is
/// wrong, as half a sentence.
pub(super) fn find_java() -> Result<PathBuf, String> {
    let java = match std::env::var_os("JAVA_HOME").filter(|home| !home.is_empty()) {
        Some(home) => Path::new(&home).join("bin/java"),
        None => PathBuf::from("java"),
    };
    let output = Command::new(&java)
        .arg("-version")
        .output()
        .map_err(|_| format!("Java (`{}`) is missing", java.display()))?;
    // It has always written this to standard error.
    let text = String::from_utf8_lossy(&output.stderr);
    match java_version(&text) {
        Ok(version) if version >= OLDEST_JAVA => Ok(java),
        Ok(version) => Err(format!(
            "Java (`{}`) is version {version}, and Apache Kafka needs {OLDEST_JAVA} or newer",
            java.display()
        )),
        Err(error) => Err(format!("Java (`{}`) does not work: {error}", java.display())),
    }
}

/// The feature version in what `java -version` prints: 17 for both
/// `version "17.0.15"` and `version "17-ea"`, 1 for the old `version "1.8.0"`.
fn java_version(text: &str) -> Result<u32> {
    text.split_once("version \"")
        .and_then(|(_, rest)| {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().ok()
        })
        .ok_or_else(|| anyhow!("`java -version` says {:?}", text.lines().next().unwrap_or("")))
}

fn answers(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_java() -> Result<()> {
        // First lines of real ones.
        for (line, version) in [
            ("openjdk version \"17.0.15\" 2025-04-15", 17),
            ("openjdk version \"21\" 2023-09-19", 21),
            ("java version \"1.8.0_401\"", 1),
            ("openjdk version \"25-ea\" 2025-09-16", 25),
            ("Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version \"17.0.1\"", 17),
        ] {
            assert_eq!(java_version(line)?, version, "{line}");
        }
        assert!(java_version("The operation couldn't be completed.").is_err());
        Ok(())
    }

    #[test]
    fn versions_of_kafka() {
        for good in ["4.0.0", "4.1.1", "5.0.0-rc1"] {
            assert!(check_version(good).is_ok(), "{good}");
        }
        for bad in ["3.9.1", "", "4.0/../..", "latest", "4.0 -X"] {
            assert!(check_version(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_pom_names_a_version_that_we_accept() -> Result<()> {
        check_version(default_version()?)
    }
}
