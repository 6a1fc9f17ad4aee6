//! What fuzzing begins with: seeds and dictionaries, from files.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Suite, Target};

/// The folders and files with which a target's fuzzing begins, those that exist.
pub fn files(suite: &Suite, target: &Target) -> Result<Vec<PathBuf>, String> {
    let folder = Path::new(suite.folder);
    let own = folder.join("corpus").join(target.name);
    let mut files = if own.is_dir() { listed(&own, "")? } else { Vec::new() };
    for (seeds, ending) in target.seeds {
        files.extend(listed(&folder.join(seeds), ending)?);
    }
    files.sort();
    Ok(files)
}

fn listed(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, String> {
    let wrong = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if path.is_file() && path.to_string_lossy().ends_with(ending) {
            files.push(path);
        }
    }
    Ok(files)
}

/// The seeds of a target that are not too long.
///
/// # Errors
/// Where there are none, or a file cannot be read.
pub fn seeds(suite: &Suite, target: &Target) -> Result<Vec<(PathBuf, Vec<u8>)>, String> {
    let mut seeds = Vec::new();
    for path in files(suite, target)? {
        let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        if bytes.len() <= target.max_len {
            seeds.push((path, bytes));
        }
    }
    if seeds.is_empty() {
        return Err(format!("{}: there are no seeds in corpus/{0}", target.name));
    }
    Ok(seeds)
}

/// The file of a target's dictionary, if it has one.
pub fn dictionary_file(suite: &Suite, target: &Target) -> Option<PathBuf> {
    let file = Path::new(suite.folder).join("dictionaries").join(format!("{}.dict", target.name));
    file.is_file().then_some(file)
}

/// The words of a target's dictionary.
///
/// # Errors
/// Where the file cannot be read, or a line is not as libFuzzer has them.
pub fn dictionary(suite: &Suite, target: &Target) -> Result<Vec<Vec<u8>>, String> {
    let Some(file) = dictionary_file(suite, target) else { return Ok(Vec::new()) };
    let wrong = |reason: String| format!("{}: {reason}", file.display());
    let text = fs::read_to_string(&file).map_err(|error| wrong(error.to_string()))?;
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| word(line).ok_or_else(|| wrong(format!("{line}: not a word in quotes"))))
        .collect()
}

/// A line of libFuzzer's: `"..."` or `name="..."`, with `\\`, `\"` and `\xAB`.
fn word(line: &str) -> Option<Vec<u8>> {
    let (_, quoted) = line.split_once('"')?;
    let mut rest = quoted.strip_suffix('"')?.as_bytes();
    let mut word = Vec::new();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'\\' {
            word.push(*byte);
            continue;
        }
        match rest {
            [escaped @ (b'\\' | b'"'), after @ ..] => {
                word.push(*escaped);
                rest = after;
            }
            [b'x', high, low, after @ ..] => {
                let digit = |digit: u8| char::from(digit).to_digit(16);
                word.push(u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?);
                rest = after;
            }
            _ => return None,
        }
    }
    Some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_libfuzzer() {
        assert_eq!(word(r#""NA""#), Some(b"NA".to_vec()));
        assert_eq!(word(r#"name="a\"b\\c\x0d""#), Some(b"a\"b\\c\r".to_vec()));
        for wrong in ["NA", r#""NA"#, r#""\n""#, r#""\xg0""#, r#""\x0""#] {
            assert_eq!(word(wrong), None, "{wrong}");
        }
    }
}
