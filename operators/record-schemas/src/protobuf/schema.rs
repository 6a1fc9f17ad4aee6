//! `.proto` files, and the message that a record is.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost_reflect::{DescriptorPool, FileDescriptor, MessageDescriptor};
use protox::Compiler;
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};

/// Brackets in brackets at most: messages in messages, values of options.
const BRACKETS: usize = 100;

/// A schema of Protobuf: a file, with those that it imports.
#[derive(Debug, Clone)]
pub struct Schema {
    file: FileDescriptor,
    /// It is what the file belongs to.
    _pool: DescriptorPool,
}

/// The texts of files, by their names.
struct Files(BTreeMap<String, String>);

impl FileResolver for Files {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match self.0.get(name) {
            Some(text) => match descriptor(text) {
                Some(bytes) => {
                    let file = File::decode_file_descriptor_proto(bytes.as_slice())
                        .map_err(protox::Error::new)?;
                    // It has the name that it had where it was compiled.
                    let mut file = file.file_descriptor_proto().clone();
                    file.name = Some(name.to_owned());
                    Ok(File::from_file_descriptor_proto(file))
                }
                None => File::from_source(name, text),
            },
            None => Err(protox::Error::file_not_found(name)),
        }
    }
}

impl Schema {
    /// Reads a file, with those that it imports, by the names that they are imported by. Google's
    /// own (`google/protobuf/...`) are known.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read<'a>(
        text: &str,
        imports: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Schema, String> {
        let mut files: BTreeMap<String, String> =
            imports.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        let mut name = "schema.proto".to_owned();
        while files.contains_key(&name) {
            name.insert(0, '_');
        }
        files.insert(name.clone(), text.to_owned());
        for (name, text) in &files {
            if !shallow(text) {
                return Err(format!("{name}: brackets are nested more than {BRACKETS} deep"));
            }
        }
        let mut resolver = ChainFileResolver::new();
        resolver.add(Files(files));
        resolver.add(GoogleFileResolver::new());
        let mut compiler = Compiler::with_file_resolver(resolver);
        compiler.include_imports(true);
        compiler.open_file(&name).map_err(|error| one_line(&error.to_string()))?;
        let pool = compiler.descriptor_pool();
        let file = pool.get_file_by_name(&name).ok_or("the file has no descriptor")?;
        Ok(Schema { file, _pool: pool })
    }

    /// The message with these indices: among the file's messages, then among those in that one,
    /// and so on.
    ///
    /// # Errors
    /// If there is none, or it is not clear which one is meant.
    pub fn message(&self, indices: &[u32]) -> Result<MessageDescriptor, String> {
        let none = || format!("the schema has no message with the indices {indices:?}");
        let (first, others) = indices.split_first().ok_or_else(none)?;
        let mut message = self.file.messages().nth(*first as usize).ok_or_else(none)?;
        for index in others {
            // The entries of maps are messages for some serializers, and for others not.
            let all: Vec<MessageDescriptor> = message.child_messages().collect();
            let own = all.iter().filter(|message| !message.is_map_entry());
            let (one, other) = (all.get(*index as usize), own.into_iter().nth(*index as usize));
            let next = match (one, other) {
                (Some(one), Some(other)) if one == other => one.clone(),
                (None, None) => return Err(none()),
                _ => {
                    return Err(format!(
                        "'{}' has maps in front of its messages, of which serializers count \
                         differently: which message is meant by {indices:?} is not clear; move the \
                         message to the file's level",
                        message.full_name()
                    ));
                }
            };
            message = next;
        }
        Ok(message)
    }

    /// The message with a name, with or without its package.
    ///
    /// # Errors
    /// If there is none.
    pub fn message_named(&self, name: &str) -> Result<MessageDescriptor, String> {
        let mut waiting: Vec<MessageDescriptor> = self.file.messages().collect();
        while let Some(message) = waiting.pop() {
            if message.full_name() == name || message.name() == name {
                return Ok(message);
            }
            waiting.extend(message.child_messages().filter(|message| !message.is_map_entry()));
        }
        Err(format!("the schema has no message '{name}'"))
    }
}

/// A file as a descriptor in base64, as Python's serializer registers it.
fn descriptor(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    // A `.proto` file has a semicolon, or is empty.
    if text.is_empty() || text.contains(';') {
        return None;
    }
    STANDARD.decode(text).ok()
}

/// Whether brackets are not nested too deep for who reads them by calling itself.
fn shallow(text: &str) -> bool {
    let mut depth = 0_usize;
    let mut rest = text.bytes();
    let mut before = 0;
    while let Some(byte) = rest.next() {
        match byte {
            b'{' | b'[' | b'(' | b'<' => depth += 1,
            b'}' | b']' | b')' | b'>' => depth = depth.saturating_sub(1),
            // What is in quotation marks or comments has no brackets.
            b'"' | b'\'' => {
                while let Some(inner) = rest.next() {
                    match inner {
                        b'\\' => _ = rest.next(),
                        b'\n' => break,
                        _ if inner == byte => break,
                        _ => {}
                    }
                }
            }
            b'/' if before == b'/' => _ = rest.find(|byte| *byte == b'\n'),
            b'#' => _ = rest.find(|byte| *byte == b'\n'),
            b'*' if before == b'/' => {
                let mut last = 0;
                for inner in rest.by_ref() {
                    if last == b'*' && inner == b'/' {
                        break;
                    }
                    last = inner;
                }
            }
            _ => {}
        }
        if depth > BRACKETS {
            return false;
        }
        before = byte;
    }
    true
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_are_counted_outside_of_comments_and_texts() {
        let open = "{".repeat(BRACKETS + 1);
        for (text, expected) in [
            (open.clone(), false),
            (format!("// {open}\n"), true),
            (format!("/* {open} */"), true),
            (format!("\"{open}\""), true),
            (format!("\"}}\\\"\" {open}"), false),
            (format!("// }}\n{open}"), false),
            ("{}".repeat(1000), true),
        ] {
            assert_eq!(shallow(&text), expected, "{text:?}");
        }
    }
}
