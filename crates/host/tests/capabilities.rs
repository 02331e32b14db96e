//! What a built component imports and exports is in the world of `wit/`, and nothing else is: that world is the component's
//! whole authority.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::Path;

use errand_host::componentize::componentize;
use wit_component::DecodedWasm;
use wit_parser::{Resolve, WorldId, WorldItem};

/// Granted by nobody, but other interfaces name its types.
const IMPLIED: [&str; 1] = ["wasi:io/poll@0.2.12"];

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

#[test]
fn the_component_stays_within_its_world() {
    let path = Path::new(ROOT).join("target/wasm32-wasip1/release/errand_spin.wasm");
    let wasm = std::fs::read(&path)
        .unwrap_or_else(|e| panic!("{}: {e}; run `cargo xtask test`, which builds the component", path.display()));
    let (imports, exports) = interfaces_of_component(&wasm);
    let (may_import, may_export) = interfaces_of_world();
    let beyond: Vec<_> = imports.difference(&may_import).collect();
    assert!(beyond.is_empty(), "imports that wit/world.wit does not grant: {beyond:#?}");
    assert_eq!(exports, may_export, "exports");
}

#[test]
fn the_world_grants_no_more_than_the_component_needs() {
    let path = Path::new(ROOT).join("target/wasm32-wasip1/release/errand_spin.wasm");
    let wasm = std::fs::read(&path)
        .unwrap_or_else(|e| panic!("{}: {e}; run `cargo xtask test`, which builds the component", path.display()));
    let (imports, _) = interfaces_of_component(&wasm);
    let (may_import, _) = interfaces_of_world();
    let unused: Vec<_> = may_import.difference(&imports).filter(|name| !IMPLIED.contains(&name.as_str())).collect();
    assert!(unused.is_empty(), "granted in wit/world.wit and not used: {unused:#?}");
}

type Interfaces = (BTreeSet<String>, BTreeSet<String>);

fn interfaces_of_component(wasm: &[u8]) -> Interfaces {
    let component = componentize(wasm).unwrap();
    match wit_component::decode(&component).unwrap() {
        DecodedWasm::Component(resolve, world) => interfaces(&resolve, world),
        DecodedWasm::WitPackage(..) => panic!("a WIT package, not a component"),
    }
}

fn interfaces_of_world() -> Interfaces {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(Path::new(ROOT).join("wit")).unwrap();
    let world = resolve.select_world(&[package], Some("api")).unwrap();
    interfaces(&resolve, world)
}

fn interfaces(resolve: &Resolve, world: WorldId) -> Interfaces {
    let world = &resolve.worlds[world];
    let names = |items: &mut dyn Iterator<Item = (&wit_parser::WorldKey, &WorldItem)>| {
        items.map(|(key, _)| resolve.name_world_key(key)).collect()
    };
    (names(&mut world.imports.iter()), names(&mut world.exports.iter()))
}
