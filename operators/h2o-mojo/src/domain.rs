//! The categories of a column and the way from a category's name to its number.

use crate::archive::Archive;
use crate::error::Error;
use crate::info::DomainEntry;
use crate::names::Names;

/// The categories of one column, numbered from 0 in the order of the MOJO.
#[derive(Debug, Clone, Default)]
pub struct Domain {
    levels: Vec<String>,
    indices: Names,
}

impl Domain {
    /// Makes a domain whose levels are found by their names only.
    pub(crate) fn exact(levels: Vec<String>) -> Self {
        let mut indices = Names::default();
        for (index, level) in levels.iter().enumerate() {
            indices.insert(level.as_bytes(), index as u32);
        }
        Self { levels, indices }
    }

    /// Makes the domain of the column `name`.
    ///
    /// Where a level is named `column.level`, its bare name finds it too, unless another
    /// level has that name: so H2O's own wrapper looks levels up.
    pub(crate) fn new(name: &str, levels: Vec<String>) -> Self {
        let Self { levels, mut indices } = Self::exact(levels);
        for (index, level) in levels.iter().enumerate() {
            let bare = level.strip_prefix(name).and_then(|rest| rest.strip_prefix('.'));
            if let Some(bare) = bare.filter(|bare| indices.get(bare.as_bytes()).is_none()) {
                indices.insert(bare.as_bytes(), index as u32);
            }
        }
        Self { levels, indices }
    }

    /// Reads the file that `entry` names. The caller has checked the size that it declares.
    pub(crate) fn read(
        archive: &mut Archive<'_>,
        name: &str,
        entry: &DomainEntry<'_>,
        escaped: bool,
    ) -> Result<Self, Error> {
        let file = format!("domains/{}", entry.file);
        let bytes = archive.get(&file)?;
        let text = String::from_utf8_lossy(&bytes);
        let mut levels = Vec::new();
        for (index, line) in lines(&text).enumerate() {
            if index as u64 == entry.size {
                let reason = format!("expected {index} categories as in model.ini, got more");
                return Err(Error::Line { entry: file, line: index + 1, reason });
            }
            levels.push(if escaped { unescape(line) } else { line.into() });
        }
        if (levels.len() as u64) < entry.size {
            let reason = format!("expected {} categories, got {}", entry.size, levels.len());
            return Err(Error::Line { entry: file, line: levels.len() + 1, reason });
        }
        Ok(Self::new(name, levels))
    }

    /// The number of the category with this name; `None` where the model does not know it.
    pub fn index(&self, level: &[u8]) -> Option<u32> {
        self.indices.get(level)
    }

    /// The names of the categories: the one at `index` is category `index`.
    pub fn levels(&self) -> &[String] {
        &self.levels
    }
}

/// Lines as Java reads them: ended by LF, CR or CR LF.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        rest = after.strip_prefix("\r\n").unwrap_or_else(|| after.get(1..).unwrap_or(""));
        Some(line)
    })
}

/// Undoes the writer's escapes: `\n`, `\r`, and a backslash before anything else.
pub(crate) fn unescape(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n') => text.push('\n'),
                Some('r') => text.push('\r'),
                Some(other) => text.push(other),
                None => {}
            },
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Domain, lines, unescape};

    #[test]
    fn lines_end_as_in_java() {
        assert_eq!(lines("a\nb\r\nc\rd").collect::<Vec<_>>(), ["a", "b", "c", "d"]);
        assert_eq!(lines("\n\na\n").collect::<Vec<_>>(), ["", "", "a"]);
        assert_eq!(lines("").count(), 0);
    }

    #[test]
    fn escapes_are_undone() {
        assert_eq!(unescape(r"a\nb\\n\r\x\"), "a\nb\\n\rx");
    }

    #[test]
    fn a_level_is_found_by_its_name_and_without_the_name_of_its_column() {
        let levels = ["day.mon", "tue", "day.tue"].map(String::from);
        let domain = Domain::new("day", levels.into());
        assert_eq!(domain.index(b"day.mon"), Some(0));
        assert_eq!(domain.index(b"mon"), Some(0));
        assert_eq!(domain.index(b"tue"), Some(1));
        assert_eq!(domain.index(b"day.tue"), Some(2));
        assert_eq!(domain.index(b"wed"), None);
    }
}
