//! What a built component imports and exports is in its world of `wit/`, and nothing else is: that world is the component's
//! whole authority.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::Path;

use errand_host::componentize::componentize;
use wit_component::DecodedWasm;
use wit_parser::{Resolve, WorldId, WorldItem};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Each component, its world, and what that has because other interfaces name its types.
const COMPONENTS: [(&str, &str, &[&str]); 3] = [
    ("errand_spin", "api", &["wasi:io/poll@0.2"]),
    ("errand_spin_p2", "api-p2", &[]),
    ("errand_docs", "docs", &["wasi:clocks/monotonic-clock@0.2"]),
];

#[test]
fn each_component_stays_within_its_world() {
    for (component, world, _) in COMPONENTS {
        let (imports, exports) = interfaces_of_component(component);
        let (may_import, may_export) = interfaces_of_world(world);
        let beyond: Vec<_> = imports.difference(&may_import).collect();
        assert!(
            beyond.is_empty(),
            "{component} imports what the world {world} of wit/world.wit does not grant: {beyond:#?}"
        );
        assert_eq!(exports, may_export, "exports of {component}");
    }
}

#[test]
fn each_world_grants_no_more_than_its_component_needs() {
    for (component, world, implied) in COMPONENTS {
        let (imports, _) = interfaces_of_component(component);
        let (may_import, _) = interfaces_of_world(world);
        let unused: Vec<_> = may_import.difference(&imports).filter(|name| !implied.contains(&name.as_str())).collect();
        assert!(
            unused.is_empty(),
            "granted in the world {world} of wit/world.wit and not used by {component}: {unused:#?}"
        );
    }
}

type Interfaces = (BTreeSet<String>, BTreeSet<String>);

fn interfaces_of_component(name: &str) -> Interfaces {
    let path = Path::new(ROOT).join("target/wasm32-wasip1/release").join(name).with_extension("wasm");
    let wasm = std::fs::read(&path)
        .unwrap_or_else(|e| panic!("{}: {e}; run `cargo xtask test`, which builds the components", path.display()));
    let component = componentize(&wasm).unwrap();
    match wit_component::decode(&component).unwrap() {
        DecodedWasm::Component(resolve, world) => interfaces(&resolve, world),
        DecodedWasm::WitPackage(..) => panic!("a WIT package, not a component"),
    }
}

fn interfaces_of_world(name: &str) -> Interfaces {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(Path::new(ROOT).join("wit")).unwrap();
    let world = resolve.select_world(&[package], Some(name)).unwrap();
    interfaces(&resolve, world)
}

fn interfaces(resolve: &Resolve, world: WorldId) -> Interfaces {
    let world = &resolve.worlds[world];
    let names = |items: &mut dyn Iterator<Item = (&wit_parser::WorldKey, &WorldItem)>| {
        items.map(|(key, _)| without_patch(&resolve.name_world_key(key))).collect()
    };
    (names(&mut world.imports.iter()), names(&mut world.exports.iter()))
}

/// `wasi:io/poll@0.2.12` is `wasi:io/poll@0.2`: a host of another patch release links it.
fn without_patch(name: &str) -> String {
    match name.rsplit_once('@') {
        Some((interface, version)) => {
            let numbers: Vec<_> = version.split('.').take(2).collect();
            format!("{interface}@{}", numbers.join("."))
        }
        None => name.to_owned(),
    }
}
