//! What wasmtime keeps for an instance of a component, before anything is compiled: how many
//! instances of modules it makes, with how many memories, tables, globals and functions.
//!
//! A component of a few bytes may make an instance of a component that makes ten of another,
//! and so on: so it is followed as an instantiation would, and given up where that leads to more
//! than is accepted. Nothing here decides whether a file is right, which the compiler does: what
//! cannot be followed is left out.
//!
//! - `definition`: what a component does when it is instantiated, and what that takes.
//! - `read`: that from the bytes of its file.
//! - `follow`: the instantiation.

mod definition;
mod follow;
mod read;

pub(super) use definition::{ENTITIES, Footprint};
use follow::Run;

/// Follows the instantiation of a component.
///
/// # Errors
/// If it makes more than is accepted.
pub(super) fn of(wasm: &[u8]) -> Result<Footprint, String> {
    let mut run = Run::default();
    // A file that cannot be read is refused by the compiler, which says why.
    if let Ok(Some(definition)) = read::read(wasm) {
        run.outermost(definition)?;
    }
    Ok(run.total())
}

#[cfg(test)]
mod tests {
    use super::definition::INSTANCE;
    use super::read::SMALL;
    use super::*;

    /// A number in LEB128.
    fn number(mut value: usize, out: &mut Vec<u8>) {
        while value >= 0x80 {
            out.push(value as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
    }

    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        let mut section = vec![id];
        number(content.len(), &mut section);
        section.extend_from_slice(content);
        section
    }

    fn component(sections: &[Vec<u8>]) -> Vec<u8> {
        [b"\0asm\x0d\0\x01\0".to_vec(), sections.concat()].concat()
    }

    /// A module with so many globals.
    fn module(globals: usize) -> Vec<u8> {
        let mut content = Vec::new();
        number(globals, &mut content);
        (0..globals).for_each(|_| content.extend([0x7f, 0, 0x41, 0, 0x0b]));
        [b"\0asm\x01\0\0\0".to_vec(), section(6, &content)].concat()
    }

    /// So many instances of the first module, or component.
    fn instances(id: u8, count: usize) -> Vec<u8> {
        let mut content = Vec::new();
        number(count, &mut content);
        (0..count).for_each(|_| content.extend([0, 0, 0]));
        section(id, &content)
    }

    #[test]
    fn globals_count_for_each_instance() -> Result<(), String> {
        let wasm = component(&[section(1, &module(1000)), instances(2, 10)]);
        let footprint = of(&wasm)?;
        assert_eq!(footprint.entities, 10);
        assert_eq!(footprint.bytes, INSTANCE + 10 * (INSTANCE + 1000 * SMALL));
        Ok(())
    }

    #[test]
    fn more_instances_than_are_accepted_are_refused() {
        let wasm = component(&[section(1, &module(0)), instances(2, ENTITIES)]);
        assert!(of(&wasm).is_ok());
        let wasm = component(&[section(1, &module(0)), instances(2, ENTITIES + 1)]);
        assert!(of(&wasm).is_err_and(|error| error.contains("more than 100 instances")));
    }

    /// Ten of ten of ten, and so on: a few hundred bytes, ten million instances.
    #[test]
    fn nested_components_are_followed_to_the_limit() {
        let mut wasm = component(&[section(1, &module(0)), instances(2, 1)]);
        for _ in 0..7 {
            wasm = component(&[section(4, &wasm), instances(5, 10)]);
        }
        assert!(wasm.len() < 500);
        assert!(of(&wasm).is_err());
        // The same without a module.
        let mut wasm = component(&[]);
        for _ in 0..7 {
            wasm = component(&[section(4, &wasm), instances(5, 10)]);
        }
        assert!(of(&wasm).is_err());
    }

    /// A module of the outer component: an alias by its index.
    #[test]
    fn modules_of_outer_components_count() -> Result<(), String> {
        let alias = section(6, &[1, 0, 0x11, 2, 1, 0]);
        let inner = component(&[alias, instances(2, 3)]);
        let wasm = component(&[section(1, &module(5)), section(4, &inner), instances(5, 2)]);
        assert_eq!(of(&wasm)?.entities, 6);
        Ok(())
    }

    #[test]
    fn what_cannot_be_read_is_the_compilers() {
        assert_eq!(of(b"nothing"), Ok(Footprint::default()));
        assert_eq!(of(&module(5)), Ok(Footprint::default()));
        let cut = component(&[section(1, &module(5)), instances(2, 3)]);
        assert_eq!(of(&cut[..cut.len() - 1]), Ok(Footprint::default()));
    }
}
