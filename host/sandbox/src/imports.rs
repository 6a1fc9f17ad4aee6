//! Import support: what components import, and what this runner provides for it.
//!
//! The linker decides whether a component can be linked
//! ([`engine`](super::engine)); this module describes it.

use serde::Serialize;
use wasmtime::Engine;
use wasmtime::component::Component as Compiled;
use wasmtime::component::types::ComponentItem;

use crate::capabilities::CAPABILITIES;
pub use crate::offer::ImportSupport;
use crate::offer::Offer;

/// A group of imports, for display.
#[derive(Debug, Serialize)]
pub struct Group {
    /// The name of the group.
    pub name: &'static str,
    /// What this runner provides.
    pub behind: ImportSupport,
    /// The same as a sentence; if missing, the remedy.
    pub about: &'static str,
    /// The names of the interfaces, with their versions.
    pub interfaces: Vec<String>,
}

/// One import of a component.
#[derive(Debug)]
pub(super) struct Import {
    /// An interface with its version, as a rule.
    pub name: String,
    /// The functions of the interface that the component uses.
    pub functions: Vec<String>,
    /// Whether it must be provided: it is more than types.
    needed: bool,
}

/// Every import of a component.
pub(super) fn of(engine: &Engine, compiled: &Compiled) -> Vec<Import> {
    let ty = compiled.component_type();
    let import = |(name, import): (&str, wasmtime::component::types::ComponentExtern<'_>)| {
        let mut functions = Vec::new();
        let mut needed = true;
        if let ComponentItem::ComponentInstance(instance) = &import.ty {
            needed = false;
            for (name, export) in instance.exports(engine) {
                needed |= !matches!(export.ty, ComponentItem::Type(_));
                if matches!(export.ty, ComponentItem::ComponentFunc(_)) {
                    functions.push(name.to_owned());
                }
            }
        }
        Import { name: name.to_owned(), functions, needed }
    };
    ty.imports(engine).map(import).collect()
}

const TYPES: Offer = Offer {
    name: "types",
    behind: ImportSupport::Types,
    about: "the types that other interfaces are about; nothing can be called",
    interfaces: &[],
};

/// What the linker provides of WASI, in the order in which it is shown: first what the manifest
/// has a say in. What every guest of std asks for is at the end.
const WASI: [Offer; 11] = [
    Offer {
        name: "output",
        behind: ImportSupport::Virtual,
        about: "stdout and stderr become log events, so many bytes a second (`log`)",
        interfaces: &["wasi:cli/stdout@0.2.12", "wasi:cli/stderr@0.2.12"],
    },
    Offer {
        name: "clocks",
        behind: ImportSupport::Virtual,
        about: "the time of the batch's newest record; the machine's if the stage's `grants` \
                has \"clock\"",
        interfaces: &["wasi:clocks/monotonic-clock@0.2.12", "wasi:clocks/wall-clock@0.2.12"],
    },
    Offer {
        name: "random numbers",
        behind: ImportSupport::Virtual,
        about: "the same for the same batch; unforeseeable if the stage's `grants` has \
                \"random\"",
        interfaces: &[
            "wasi:random/random@0.2.12",
            "wasi:random/insecure@0.2.12",
            "wasi:random/insecure-seed@0.2.12",
        ],
    },
    Offer {
        name: "streams",
        behind: ImportSupport::Works,
        about: "what input, output and files are read and written with",
        interfaces: &["wasi:io/error@0.2.12", "wasi:io/streams@0.2.12"],
    },
    Offer {
        name: "environment",
        behind: ImportSupport::Nothing,
        about: "no variables, no arguments; an operator's settings are the stage's `config`",
        interfaces: &["wasi:cli/environment@0.2.12"],
    },
    Offer {
        name: "input",
        behind: ImportSupport::Nothing,
        about: "stdin is empty",
        interfaces: &["wasi:cli/stdin@0.2.12"],
    },
    Offer {
        name: "terminals",
        behind: ImportSupport::Nothing,
        about: "stdin, stdout and stderr are none",
        interfaces: &[
            "wasi:cli/terminal-input@0.2.12",
            "wasi:cli/terminal-output@0.2.12",
            "wasi:cli/terminal-stdin@0.2.12",
            "wasi:cli/terminal-stdout@0.2.12",
            "wasi:cli/terminal-stderr@0.2.12",
        ],
    },
    Offer {
        name: "files",
        behind: ImportSupport::Nothing,
        about: "no folder is open, so there is no file that it could reach",
        interfaces: &["wasi:filesystem/types@0.2.12", "wasi:filesystem/preopens@0.2.12"],
    },
    Offer {
        name: "network",
        behind: ImportSupport::Refused,
        about: "no connection, no listening, no names looked up",
        interfaces: &[
            "wasi:sockets/network@0.2.12",
            "wasi:sockets/instance-network@0.2.12",
            "wasi:sockets/ip-name-lookup@0.2.12",
            "wasi:sockets/tcp@0.2.12",
            "wasi:sockets/tcp-create-socket@0.2.12",
            "wasi:sockets/udp@0.2.12",
            "wasi:sockets/udp-create-socket@0.2.12",
        ],
    },
    Offer {
        name: "waiting",
        behind: ImportSupport::Refused,
        about: "sleeping, or waiting for anything but inference, ends the call with a trap",
        interfaces: &["wasi:io/poll@0.2.12"],
    },
    Offer {
        name: "exit",
        behind: ImportSupport::Refused,
        about: "it ends the call like a trap, not the runner",
        interfaces: &["wasi:cli/exit@0.2.12"],
    },
];

/// The imports by group, in the order of [`offers`]; then what is missing, unless the
/// component was `linked`: then nothing is.
pub(super) fn groups(imports: &[Import], linked: bool) -> Vec<Group> {
    let gather = |offer: &Offer, belongs: &dyn Fn(&Import) -> bool| {
        let interfaces: Vec<String> = imports
            .iter()
            .filter(|import| belongs(import))
            .map(|import| import.name.clone())
            .collect();
        let group =
            Group { name: offer.name, behind: offer.behind, about: offer.about, interfaces };
        Some(group).filter(|group| !group.interfaces.is_empty())
    };
    let mut groups: Vec<Group> =
        offers().filter_map(|offer| gather(offer, &|import| offer.has(&import.name))).collect();
    let types = |import: &Import| !offered(&import.name) && (linked || !import.needed);
    groups.extend(gather(&TYPES, &types));
    if !linked {
        groups.extend(imports.iter().filter(|import| import.missing()).map(|import| Group {
            name: "missing",
            behind: ImportSupport::Missing,
            about: way_out(&import.name),
            interfaces: vec![import.name.clone()],
        }));
    }
    groups
}

/// What an operator imports that this runner does not have, with the remedy; `None`
/// if there is nothing of the kind.
pub(super) fn missing(imports: &[Import]) -> Option<String> {
    let missing: Vec<String> = imports
        .iter()
        .filter(|import| import.missing())
        .map(|import| format!("{} ({})", import.name, way_out(&import.name)))
        .collect();
    (!missing.is_empty()).then(|| missing.join(", "))
}

impl Import {
    fn missing(&self) -> bool {
        self.needed && !offered(&self.name)
    }
}

/// Everything that the linker provides: the capabilities, then WASI.
fn offers() -> impl Iterator<Item = &'static Offer> {
    CAPABILITIES.iter().map(|capability| &capability.offer).chain(&WASI)
}

/// The interfaces that a guest may import, with their versions: ours, then WASI's.
#[doc(hidden)] // for host/fuzz
pub fn offered_interfaces() -> impl Iterator<Item = &'static str> {
    offers().flat_map(|offer| offer.interfaces).copied()
}

fn offered(name: &str) -> bool {
    offers().any(|offer| offer.has(name))
}

/// What to do about an import that this runner does not have.
fn way_out(name: &str) -> &'static str {
    let package = name.split_once('/').map_or(name, |(package, _)| package);
    match package {
        "wasi:http" => {
            "no operator has a network; let `[references]` get what records refer to, or put it \
             into the records"
        }
        "wasi:nn" => "this runner has wasi:nn@0.2.0-rc-2024-10-28: build it against that",
        "sandbar:operator" => "build it with the SDK of this version of Sandbar",
        "wasi:cli" | "wasi:clocks" | "wasi:filesystem" | "wasi:io" | "wasi:random"
        | "wasi:sockets" => "this runner has WASI 0.2: build it for the target wasm32-wasip2",
        _ if package.starts_with("wasi:") => {
            "this runner does not have this part of WASI: build it without what uses that"
        }
        _ => {
            "take it out of the component's world, or compose the component with one that \
             exports it"
        }
    }
}

/// The version of the contract that an import or export is of, if it is of the contract.
pub(super) fn contract(name: &str) -> Option<&str> {
    name.strip_prefix("sandbar:operator/")?.split_once('@').map(|(_, version)| version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sandbox;
    use crate::component::CONTRACT;
    use crate::offer::compatible;

    /// The linker refuses a name that it has already.
    #[test]
    fn what_is_offered_is_what_the_linker_has() -> wasmtime::Result<()> {
        let sandbox = Sandbox::new(None)?;
        let names = || offers().flat_map(|offer| offer.interfaces);
        let defined = |name| {
            let mut linker = (*sandbox.linker).clone();
            linker.root().func_wrap(name, |_, (): ()| Ok(())).is_err()
        };
        for name in names() {
            assert!(defined(name), "{name} is not in the linker");
        }
        assert!(!defined("wasi:io/poll@0.3.0"));
        let ours = names().filter_map(|name| contract(name));
        assert_eq!(ours.collect::<Vec<_>>(), [CONTRACT]);
        Ok(())
    }

    #[test]
    fn versions_are_compatible_as_in_the_linker() {
        let ours = "wasi:io/poll@0.2.12";
        for (name, fits) in [
            ("wasi:io/poll@0.2.12", true),
            ("wasi:io/poll@0.2.0", true),
            ("wasi:io/poll@0.2.99+build-7", true),
            ("wasi:io/poll@0.2.12-rc", false),
            ("wasi:io/poll@0.3.0", false),
            ("wasi:io/poll@1.2.0", false),
            ("wasi:io/poll", false),
            ("wasi:io/polls@0.2.12", false),
            ("wasi:io/poll@0.2", false),
            ("@", false),
        ] {
            assert_eq!(compatible(ours, name), fits, "{name}");
        }
        assert!(compatible("a:b/c@2.0.0", "a:b/c@2.7.1"));
        assert!(!compatible("a:b/c@0.0.1", "a:b/c@0.0.2"));
        assert!(!compatible("a:b/c@0.2.0-rc", "a:b/c@0.2.0"));
    }
}
