//! Components as trees of sections, and changes of them that keep the lengths around right.

use crate::bytes::Bytes;

/// Bytes in front of the sections.
const HEAD: usize = 8;
/// Sections that hold a module or a component with sections of its own.
const NESTED: [u8; 2] = [1, 4];
/// Bytes of a changed component at most.
const LENGTH: usize = 1 << 20;
/// Changes at most.
const CHANGES: usize = 12;

/// A module or component.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    head: Vec<u8>,
    sections: Vec<Section>,
}

#[derive(Debug, Clone, PartialEq)]
struct Section {
    id: u8,
    content: Content,
}

#[derive(Debug, Clone, PartialEq)]
enum Content {
    Bytes(Vec<u8>),
    Tree(Tree),
}

impl Tree {
    /// The sections of a file.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (head, mut bytes) = bytes.split_at_checked(HEAD)?;
        // A component's sections have other numbers than a module's.
        let component = head[4..] != [1, 0, 0, 0];
        let mut sections = Vec::new();
        while let Some((id, mut rest)) = bytes.split_first() {
            let length = super::wire::varint(&mut rest)?;
            let (content, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            bytes = rest;
            let tree = (component && NESTED.contains(id)).then(|| Tree::read(content)).flatten();
            let content = tree.map_or_else(|| Content::Bytes(content.to_vec()), Content::Tree);
            sections.push(Section { id: *id, content });
        }
        Some(Tree { head: head.to_vec(), sections })
    }

    /// The file.
    pub fn write(&self) -> Vec<u8> {
        let mut bytes = self.head.clone();
        for Section { id, content } in &self.sections {
            let content = match content {
                Content::Bytes(content) => content.clone(),
                Content::Tree(tree) => tree.write(),
            };
            bytes.push(*id);
            super::wire::put(&mut bytes, content.len() as u64);
            bytes.extend(content);
        }
        bytes
    }

    /// Changes it as the input says; gives the file.
    pub fn change(mut self, bytes: &mut Bytes<'_>) -> Vec<u8> {
        for _ in 0..CHANGES {
            if bytes.0.is_empty() {
                break;
            }
            self.once(bytes);
        }
        let mut file = self.write();
        file.truncate(LENGTH);
        file
    }

    fn once(&mut self, bytes: &mut Bytes<'_>) {
        let count = self.sections.len();
        if count == 0 {
            return;
        }
        let (kind, at) = (bytes.byte(), usize::from(bytes.byte()) % count);
        match (kind % 8, &mut self.sections[at].content) {
            (0..=4, Content::Tree(tree)) => tree.once(bytes),
            (0..=4, Content::Bytes(content)) => edit(content, bytes),
            (5, _) => {
                let byte = usize::from(bytes.byte());
                let times = if byte > 0xf4 { 1 << (byte - 0xf4) } else { 1 };
                let section = self.sections[at].clone();
                let length = match &section.content {
                    Content::Bytes(content) => content.len(),
                    Content::Tree(tree) => tree.write().len(),
                };
                let times = times.min(LENGTH / (1 + length));
                self.sections.splice(at..at, vec![section; times]);
            }
            (6, _) => drop(self.sections.remove(at)),
            _ => {
                let other = usize::from(bytes.byte()) % count;
                self.sections.swap(at, other);
            }
        }
    }
}

/// Another byte, a large number, or a part once more.
fn edit(content: &mut Vec<u8>, bytes: &mut Bytes<'_>) {
    if content.is_empty() {
        return;
    }
    let place = usize::from(u16::from_le_bytes([bytes.byte(), bytes.byte()])) % content.len();
    match bytes.byte() {
        byte @ 0..=0xbf => content[place] = byte.wrapping_add(content[place]),
        0xc0..=0xdf => {
            let mut number = Vec::new();
            super::wire::put(&mut number, bytes.number().into());
            content.splice(place..=place, number);
        }
        byte => {
            let end = (place + usize::from(byte & 31) + 1).min(content.len());
            let part = content[place..end].to_vec();
            content.splice(place..place, part);
        }
    }
}
