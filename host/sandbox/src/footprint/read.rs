//! Reads what a component does when it is instantiated.

use std::rc::Rc;

use wasmparser::{
    ComponentAlias, ComponentExternalKind as Kind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, ElementItems, ElementKind, Instance, Parser, Payload,
};

use super::definition::{Definition, Footprint, INSTANCE, Item, space};

/// Bytes for a global, an element of a passive segment, an export; for an import, a
/// function that is referred to, a memory or a table (`VMOffsets` of wasmtime-environ: 16, 16,
/// and at most 40).
pub(super) const SMALL: u64 = 16;
const LARGE: u64 = 48;

/// Reads a component and those in it. `None` if it is something else.
pub(super) fn read(wasm: &[u8]) -> wasmparser::Result<Option<Rc<Definition>>> {
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
