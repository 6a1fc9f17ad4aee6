//! Follows an instantiation.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use wasmparser::ComponentExternalKind as Kind;

use super::definition::{Definition, ENTITIES, Footprint, INSTANCE, Item, Named, space};

/// Instances of components in it, and how deep they may be nested.
const COMPONENTS: usize = 1000;
const DEPTH: usize = 100;
/// Steps of an instantiation that are followed.
const STEPS: usize = 1 << 20;

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

/// An instantiation, as far as it is followed.
#[derive(Default)]
pub(super) struct Run {
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
    /// What it takes until now.
    pub(super) fn total(&self) -> Footprint {
        self.total
    }

    /// Follows a component in nothing else.
    pub(super) fn outermost(&mut self, definition: Rc<Definition>) -> Result<(), String> {
        self.instantiate(&Closure { definition, outer: None }, HashMap::new(), 0).map(drop)
    }

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
