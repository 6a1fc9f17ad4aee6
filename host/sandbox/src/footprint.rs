//! What wasmtime keeps for an instance of a component, before anything is compiled: how many
//! instances of modules it makes, with how many memories, tables, globals and functions.
//!
//! A component of a few bytes may make an instance of a component that makes ten of another,
//! and so on: so it is followed as an instantiation would, and given up where that leads to more
//! than is accepted. Nothing here decides whether a file is right, which the compiler does: what
//! cannot be followed is left out.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use wasmparser::{
    ComponentAlias, ComponentExternalKind as Kind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, ElementItems, ElementKind, Instance, Parser, Payload,
};

/// Instances of modules, memories and tables that a component may have together.
pub(super) const ENTITIES: usize = 100;
/// Instances of components in it, and how deep they may be nested.
const COMPONENTS: usize = 1000;
const DEPTH: usize = 100;
/// Steps of an instantiation that are followed.
const STEPS: usize = 1 << 20;
/// Bytes that an instance takes besides what its module declares.
const INSTANCE: u64 = 4 << 10;
/// Bytes for a global, an element of a passive segment, an export; for an import, a
/// function that is referred to, a memory or a table (`VMOffsets` of wasmtime-environ: 16, 16,
/// and at most 40).
const SMALL: u64 = 16;
const LARGE: u64 = 48;

/// What an instance of a component takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Footprint {
    /// Instances of modules, memories and tables.
    entities: usize,
    /// Bytes of wasmtime's own state for them.
    pub(super) bytes: u64,
}

/// Follows the instantiation of a component.
///
/// # Errors
/// If it makes more than is accepted.
pub(super) fn of(wasm: &[u8]) -> Result<Footprint, String> {
    let mut run = Run::default();
    // A file that cannot be read is refused by the compiler, which says why.
    if let Ok(Some(definition)) = read(wasm) {
        run.instantiate(&Closure { definition, outer: None }, HashMap::new(), 0)?;
    }
    Ok(run.total)
}

/// What happens when a component is instantiated, as far as it matters here, in order.
enum Item {
    Module(Rc<Footprint>),
    Component(Rc<Definition>),
    MakeModule(u32),
    MakeComponent(u32, Vec<Named>),
    Bundle(Vec<Named>),
    FromInstance(Kind, u32, Rc<str>),
    FromOuter(Kind, u32, u32),
    Import(Rc<str>, Kind),
    Export(Rc<str>, Kind, u32),
}

type Definition = Vec<Item>;

/// A name, and the item that it is of.
type Named = (Rc<str>, Kind, u32);

/// A component with the one that it is defined in.
struct Closure {
    definition: Rc<Definition>,
    outer: Option<Rc<Scope>>,
}

#[derive(Clone)]
enum Value {
    Module(Rc<Footprint>),
    Component(Rc<Closure>),
    Instance(Rc<HashMap<Rc<str>, Value>>),
    /// An import of the outermost, or what the compiler refuses.
    Unknown,
}

/// The index spaces of an instance of a component.
#[derive(Default)]
struct Scope {
    spaces: RefCell<[Vec<Value>; 3]>,
    outer: Option<Rc<Scope>>,
}

/// The index space of a kind, if it matters here.
fn space(kind: Kind) -> Option<usize> {
    match kind {
        Kind::Module => Some(0),
        Kind::Component => Some(1),
        Kind::Instance => Some(2),
        _ => None,
    }
}

impl Scope {
    fn push(&self, kind: Kind, value: Value) {
        if let Some(space) = space(kind) {
            self.spaces.borrow_mut()[space].push(value);
        }
    }

    fn get(&self, kind: Kind, index: u32) -> Value {
        let spaces = self.spaces.borrow();
        let found = space(kind).and_then(|space| spaces[space].get(index as usize));
        found.cloned().unwrap_or(Value::Unknown)
    }
}

#[derive(Default)]
struct Run {
    total: Footprint,
    components: usize,
    steps: usize,
    scopes: Vec<Rc<Scope>>,
}

impl Drop for Run {
    /// Components refer to the scope that they are defined in, which has them.
    fn drop(&mut self) {
        self.scopes.iter().for_each(|scope| *scope.spaces.borrow_mut() = Default::default());
    }
}

impl Run {
    /// Follows one component; returns what it exports.
    fn instantiate(
        &mut self,
        closure: &Closure,
        args: HashMap<Rc<str>, Value>,
        depth: usize,
    ) -> Result<HashMap<Rc<str>, Value>, String> {
        self.components += 1;
        self.total.bytes = self.total.bytes.saturating_add(INSTANCE);
        if self.components > COMPONENTS || depth > DEPTH {
            return Err(format!(
                "it makes more than {COMPONENTS} instances of components, or nests more than \
                 {DEPTH}"
            ));
        }
        let scope = Rc::new(Scope { outer: closure.outer.clone(), ..Scope::default() });
        self.scopes.push(scope.clone());
        let mut exports = HashMap::new();
        for item in closure.definition.iter() {
            self.step(1)?;
            match item {
                Item::Module(module) => scope.push(Kind::Module, Value::Module(module.clone())),
                Item::Component(definition) => {
                    let outer = Some(scope.clone());
                    let closure = Closure { definition: definition.clone(), outer };
                    scope.push(Kind::Component, Value::Component(Rc::new(closure)));
                }
                Item::MakeModule(index) => self.module(&scope.get(Kind::Module, *index))?,
                Item::MakeComponent(index, args) => {
                    let args = self.gather(&scope, args)?;
                    let made = match scope.get(Kind::Component, *index) {
                        Value::Component(closure) => {
                            let made = self.instantiate(&closure, args, depth + 1)?;
                            Value::Instance(Rc::new(made))
                        }
                        _ => Value::Unknown,
                    };
                    scope.push(Kind::Instance, made);
                }
                Item::Bundle(exports) => {
                    let bundle = self.gather(&scope, exports)?;
                    scope.push(Kind::Instance, Value::Instance(Rc::new(bundle)));
                }
                Item::FromInstance(kind, index, name) => {
                    let found = match scope.get(Kind::Instance, *index) {
                        Value::Instance(exports) => exports.get(name).cloned(),
                        _ => None,
                    };
                    scope.push(*kind, found.unwrap_or(Value::Unknown));
                }
                Item::FromOuter(kind, count, index) => {
                    let mut place = Some(scope.clone());
                    for _ in 0..(*count as usize).min(DEPTH + 1) {
                        place = place.and_then(|scope| scope.outer.clone());
                    }
                    let found = place.map(|scope| scope.get(*kind, *index));
                    scope.push(*kind, found.unwrap_or(Value::Unknown));
                }
                Item::Import(name, kind) => {
                    scope.push(*kind, args.get(name).cloned().unwrap_or(Value::Unknown));
                }
                Item::Export(name, kind, index) => {
                    let value = scope.get(*kind, *index);
                    scope.push(*kind, value.clone());
                    exports.insert(name.clone(), value);
                }
            }
        }
        Ok(exports)
    }

    fn module(&mut self, module: &Value) -> Result<(), String> {
        let Value::Module(module) = module else { return Ok(()) };
        self.total.entities = self.total.entities.saturating_add(module.entities);
        self.total.bytes = self.total.bytes.saturating_add(module.bytes);
        if self.total.entities > ENTITIES {
            return Err(format!(
                "it makes more than {ENTITIES} instances of modules, memories and tables together"
            ));
        }
        Ok(())
    }

    fn gather(&mut self, scope: &Scope, all: &[Named]) -> Result<HashMap<Rc<str>, Value>, String> {
        self.step(all.len())?;
        let value = |(name, kind, index): &Named| {
            space(*kind).map(|_| (name.clone(), scope.get(*kind, *index)))
        };
        Ok(all.iter().filter_map(value).collect())
    }

    fn step(&mut self, steps: usize) -> Result<(), String> {
        self.steps += steps;
        if self.steps > STEPS {
            return Err(format!("it takes more than {STEPS} steps to instantiate"));
        }
        Ok(())
    }
}

/// Reads a component and those in it. `None` if it is something else.
fn read(wasm: &[u8]) -> wasmparser::Result<Option<Rc<Definition>>> {
    // The components that are open, and the module in the last of them, if one is.
    let mut open: Vec<Definition> = Vec::new();
    let mut module: Option<Module> = None;
    let mut whole = None;
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        if let Some(reading) = &mut module {
            if let Payload::End(_) = payload {
                let footprint = Rc::new(reading.footprint());
                module = None;
                open.last_mut().into_iter().for_each(|it| it.push(Item::Module(footprint.clone())));
            } else {
                reading.read(payload)?;
            }
            continue;
        }
        match payload {
            Payload::Version { encoding: wasmparser::Encoding::Component, .. } => {
                open.push(Vec::new());
            }
            Payload::ModuleSection { .. } => module = Some(Module::default()),
            Payload::End(_) => {
                let Some(done) = open.pop().map(Rc::new) else { continue };
                match open.last_mut() {
                    Some(outer) => outer.push(Item::Component(done)),
                    None => whole = Some(done),
                }
            }
            other => {
                if let Some(items) = open.last_mut() {
                    read_items(other, items)?;
                }
            }
        }
    }
    Ok(whole)
}

fn read_items(payload: Payload<'_>, items: &mut Definition) -> wasmparser::Result<()> {
    match payload {
        Payload::InstanceSection(section) => {
            for instance in section {
                if let Instance::Instantiate { module_index, .. } = instance? {
                    items.push(Item::MakeModule(module_index));
                }
            }
        }
        Payload::ComponentInstanceSection(section) => {
            for instance in section {
                items.push(match instance? {
                    ComponentInstance::Instantiate { component_index, args } => {
                        let args = args.iter().map(|it| (it.name.into(), it.kind, it.index));
                        Item::MakeComponent(component_index, args.collect())
                    }
                    ComponentInstance::FromExports(exports) => {
                        let exports = exports.iter();
                        let exports = exports.map(|it| (it.name.name.into(), it.kind, it.index));
                        Item::Bundle(exports.collect())
                    }
                });
            }
        }
        Payload::ComponentAliasSection(section) => {
            for alias in section {
                match alias? {
                    ComponentAlias::InstanceExport { kind, instance_index, name } => {
                        items.push(Item::FromInstance(kind, instance_index, name.into()));
                    }
                    ComponentAlias::Outer { kind, count, index } => match kind {
                        ComponentOuterAliasKind::CoreModule => {
                            items.push(Item::FromOuter(Kind::Module, count, index));
                        }
                        ComponentOuterAliasKind::Component => {
                            items.push(Item::FromOuter(Kind::Component, count, index));
                        }
                        _ => {}
                    },
                    ComponentAlias::CoreInstanceExport { .. } => {}
                }
            }
        }
        Payload::ComponentImportSection(section) => {
            for import in section {
                let import = import?;
                let kind = match import.ty {
                    ComponentTypeRef::Module(_) => Kind::Module,
                    ComponentTypeRef::Component(_) => Kind::Component,
                    ComponentTypeRef::Instance(_) => Kind::Instance,
                    _ => continue,
                };
                items.push(Item::Import(import.name.name.into(), kind));
            }
        }
        Payload::ComponentExportSection(section) => {
            for export in section {
                let export = export?;
                if space(export.kind).is_some() {
                    let name = export.name.name.into();
                    items.push(Item::Export(name, export.kind, export.index));
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// A module while it is read.
#[derive(Default)]
struct Module {
    /// Memories and tables.
    entities: usize,
    functions: u64,
    /// Functions that are referred to, at the most.
    referred: u64,
    bytes: u64,
}

impl Module {
    fn read(&mut self, payload: Payload<'_>) -> wasmparser::Result<()> {
        match payload {
            Payload::ImportSection(section) => {
                self.functions += u64::from(section.count());
                self.bytes += LARGE * u64::from(section.count());
            }
            Payload::FunctionSection(section) => self.functions += u64::from(section.count()),
            Payload::GlobalSection(section) => self.bytes += SMALL * u64::from(section.count()),
            Payload::TagSection(section) => self.bytes += SMALL * u64::from(section.count()),
            Payload::DataSection(section) => self.bytes += SMALL * u64::from(section.count()),
            Payload::TableSection(section) => self.entities += section.count() as usize,
            Payload::MemorySection(section) => self.entities += section.count() as usize,
            Payload::ExportSection(section) => self.referred += u64::from(section.count()),
            Payload::ElementSection(section) => {
                for element in section {
                    let element = element?;
                    let items = u64::from(match &element.items {
                        ElementItems::Functions(items) => items.count(),
                        ElementItems::Expressions(_, items) => items.count(),
                    });
                    self.referred += items;
                    if matches!(element.kind, ElementKind::Passive) {
                        self.bytes += SMALL * items;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn footprint(&self) -> Footprint {
        let kept = LARGE * (self.referred.min(self.functions) + self.entities as u64);
        Footprint { entities: self.entities + 1, bytes: INSTANCE + self.bytes + kept }
    }
}

#[cfg(test)]
mod tests {
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
