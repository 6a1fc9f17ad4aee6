//! Every function that a guest may import, from the WIT.

use std::path::Path;

use sandbar::sandbox::imports::offered_interfaces;
use wit_parser::abi::{AbiVariant, WasmSignature, WasmType};
use wit_parser::{
    InterfaceId, LiftLowerAbi, ManglingAndAbi, Resolve, ResourceIntrinsic, SizeAlign, Type,
    TypeDefKind, TypeId, WasmImport, WorldId, WorldItem, WorldKey,
};

/// WASI, as published for the version that the linker has.
const WASI: [(&str, &str); 6] = [
    ("io.wit", include_str!("../../wit/wasi/io.wit")),
    ("clocks.wit", include_str!("../../wit/wasi/clocks.wit")),
    ("random.wit", include_str!("../../wit/wasi/random.wit")),
    ("filesystem.wit", include_str!("../../wit/wasi/filesystem.wit")),
    ("sockets.wit", include_str!("../../wit/wasi/sockets.wit")),
    ("cli.wit", include_str!("../../wit/wasi/cli.wit")),
];
/// How functions are named in a module that is to be a component.
pub const NAMES: ManglingAndAbi = ManglingAndAbi::Legacy(LiftLowerAbi::Sync);

/// What a function is given.
#[derive(Debug, Clone, Copy)]
pub enum Parameter {
    /// A value.
    Value(Type),
    /// The handle of a resource that is to be dropped.
    Dropped(TypeId),
}

/// A function that a guest may import.
#[derive(Debug)]
pub struct Call {
    /// The interface and the function, as WIT names them.
    pub name: String,
    /// The same as a module has it.
    pub import: (String, String),
    /// What it is given.
    pub parameters: Vec<Parameter>,
    /// What it returns.
    pub result: Option<Type>,
    /// The same in core WebAssembly.
    pub signature: WasmSignature,
}

/// All of them.
pub struct Imports {
    /// What the types are.
    pub resolve: Resolve,
    /// How large.
    pub sizes: SizeAlign,
    /// A transformer that imports everything.
    pub world: WorldId,
    /// The functions: first ours, which grant something, then WASI's.
    pub calls: Vec<Call>,
    /// How many are ours.
    pub ours: usize,
}

impl Imports {
    /// All that the linker offers.
    ///
    /// # Errors
    /// If it offers an interface that is not in the WIT: then this program has to be told of it.
    pub fn new() -> anyhow::Result<Self> {
        let mut resolve = Resolve::new();
        resolve.push_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit"))?;
        for (file, text) in WASI {
            resolve.push_source(file, text)?;
        }
        let mut world = "package sandbar:fuzz; world calls {\n".to_owned();
        for interface in offered_interfaces() {
            world += &format!("import {interface};\n");
        }
        world += "export sandbar:operator/transformation@0.1.0;\n}";
        let package = resolve.push_source("calls.wit", &world)?;
        let world = resolve.select_world(&[package], Some("calls"))?;
        let mut sizes = SizeAlign::default();
        sizes.fill(&resolve);
        let (mut calls, mut ours) = (Vec::new(), 0);
        // Not in the order of the world's imports, in which types come first.
        for name in offered_interfaces() {
            let imports = resolve.worlds[world].imports.iter();
            let found = imports.clone().find_map(|(key, item)| match item {
                WorldItem::Interface { id, .. } if resolve.name_world_key(key) == name => {
                    Some((key.clone(), *id))
                }
                _ => None,
            });
            let (key, id) = found.ok_or_else(|| anyhow::anyhow!("{name}: not in the world"))?;
            calls.extend(of_interface(&resolve, &key, id));
            if !name.starts_with("wasi:") || name.starts_with("wasi:nn/") {
                ours = calls.len();
            }
        }
        Ok(Imports { resolve, sizes, world, calls, ours })
    }

    /// The number of a function.
    ///
    /// # Panics
    /// If there is none of this name.
    pub fn number(&self, name: &str) -> u16 {
        let found = self.calls.iter().position(|call| call.name == name);
        found.unwrap_or_else(|| panic!("no function {name}")) as u16
    }

    /// The resource or other type behind names for it.
    pub fn root(&self, id: TypeId) -> TypeId {
        match self.resolve.types[id].kind {
            TypeDefKind::Type(Type::Id(of)) => self.root(of),
            _ => id,
        }
    }
}

fn of_interface(resolve: &Resolve, key: &WorldKey, id: InterfaceId) -> Vec<Call> {
    let interface = resolve.name_world_key(key);
    let functions = resolve.interfaces[id].functions.values().map(|func| Call {
        name: format!("{interface}#{}", func.name),
        import: resolve.wasm_import_name(NAMES, WasmImport::Func { interface: Some(key), func }),
        parameters: func.params.iter().map(|it| Parameter::Value(it.ty)).collect(),
        result: func.result,
        signature: resolve.wasm_signature(AbiVariant::GuestImport, func),
    });
    let types = resolve.interfaces[id].types.values().copied();
    let resources = types.filter(|ty| resolve.types[*ty].kind == TypeDefKind::Resource);
    let drops = resources.map(|resource| {
        let intrinsic = ResourceIntrinsic::ImportedDrop;
        let import = WasmImport::ResourceIntrinsic { interface: Some(key), resource, intrinsic };
        let import = resolve.wasm_import_name(NAMES, import);
        Call {
            name: format!("{interface}#{}", import.1),
            import,
            parameters: vec![Parameter::Dropped(resource)],
            result: None,
            signature: WasmSignature {
                params: vec![WasmType::I32],
                results: Vec::new(),
                indirect_params: false,
                retptr: false,
            },
        }
    });
    functions.chain(drops).collect()
}
