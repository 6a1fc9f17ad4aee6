//! The guide, executed from its text: commands are run, what they print is compared, files
//! and changes are written.

use std::path::{Path, PathBuf};

use sandbar_tests::project;
use sandbar_tests::projects::{Projects, output};

/// A fenced block: what stands behind the fence, and the lines.
struct Block {
    line: usize,
    info: String,
    lines: Vec<String>,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((line, start)) = lines.next() {
        if let Some(info) = start.strip_prefix("```") {
            let body = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
            let lines = body.map(str::to_owned).collect();
            blocks.push(Block { line: line + 1, info: info.to_owned(), lines });
        }
    }
    blocks
}

/// The person who follows the guide.
struct Reader {
    projects: Projects,
    folder: PathBuf,
}

impl Reader {
    fn follow(&mut self, block: &Block) {
        match block.info.split_once(' ').unwrap_or((&block.info, "")) {
            ("console", "") => self.type_in(block),
            // What is for Kafka, and examples of other things.
            ("sh", "") | ("text", "") => {}
            ("diff", file) => change(&self.path(file), &block.lines),
            (_, file) if !file.is_empty() => {
                std::fs::write(self.path(file), block.lines.join("\n") + "\n").unwrap();
            }
            _ => panic!("line {}: what is '{}'?", block.line, block.info),
        }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.projects.folder().join(&self.folder).join(file)
    }

    /// Runs the commands of a block one after the other.
    fn type_in(&mut self, block: &Block) {
        let mut lines = block.lines.iter().peekable();
        while let Some(line) = lines.next() {
            let command = line.strip_prefix("$ ").unwrap();
            let mut expected = Vec::new();
            while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
                expected.push(line.as_str());
            }
            if let Some(to) = command.strip_prefix("cd ") {
                self.folder = if to == ".." { PathBuf::new() } else { self.folder.join(to) };
                continue;
            }
            let mut shell = self.projects.command("sh", &self.folder.to_string_lossy());
            let printed = output(shell.args(["-c", command]));
            let printed: Vec<&str> = printed.lines().collect();
            assert!(
                matches(&expected, &printed),
                "line {}: $ {command}\nexpected:\n{}\nprinted:\n{}",
                block.line,
                expected.join("\n"),
                printed.join("\n")
            );
        }
    }
}

/// Whether lines are those expected, where `...` stands for any number of lines, and within
/// a line for anything.
fn matches(expected: &[&str], lines: &[&str]) -> bool {
    match expected.split_first() {
        None => lines.is_empty(),
        Some((&"...", rest)) => (0..=lines.len()).any(|skip| matches(rest, &lines[skip..])),
        Some((first, rest)) => lines
            .split_first()
            .is_some_and(|(line, lines)| line_matches(first, line) && matches(rest, lines)),
    }
}

fn line_matches(expected: &str, line: &str) -> bool {
    let Some((start, end)) = expected.split_once("...") else { return expected == line };
    let Some(rest) = line.strip_prefix(start) else { return false };
    let mut ends = rest.char_indices().map(|(at, _)| &rest[at..]).chain([""]);
    ends.any(|rest| line_matches(end, rest))
}

/// Changes a file as a diff without line numbers says; what it shows must be there once.
fn change(path: &Path, diff: &[String]) {
    let text = std::fs::read_to_string(path).unwrap();
    let side = |sign: char| -> String {
        let lines = diff.iter().filter_map(|line| line.strip_prefix([' ', sign]));
        lines.flat_map(|line| [line, "\n"]).collect()
    };
    let (old, new) = (side('-'), side('+'));
    assert_eq!(text.matches(&old).count(), 1, "{}:\n{old}", path.display());
    std::fs::write(path, text.replace(&old, &new)).unwrap();
}

fn follow(guide: &str, projects: Projects) {
    let text = std::fs::read_to_string(project().join("docs/guide").join(guide)).unwrap();
    let mut reader = Reader { projects, folder: PathBuf::new() };
    let blocks = blocks(&text);
    assert!(blocks.len() > 5);
    for block in &blocks {
        reader.follow(block);
    }
}

#[test]
fn first_operator() {
    follow("first-operator.md", Projects::rust("guide"));
}

#[test]
fn your_model() {
    let projects = Projects::rust("your-model");
    for (file, model) in [
        ("churn.zip", "churn/model.zip"),
        ("customers.csv", "churn/records.csv"),
        ("iris.onnx", "iris/model.onnx"),
        ("flowers.jsonl", "iris/records.jsonl"),
    ] {
        std::fs::copy(project().join("models").join(model), projects.folder().join(file)).unwrap();
    }
    follow("your-model.md", projects);
}
