//! The guest component, built once for all tests.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const HERE: &str = env!("CARGO_MANIFEST_DIR");

/// Where compiled guests are kept from run to run.
pub(crate) fn cache() -> PathBuf {
    Path::new(HERE).join("../../target/errand-host")
}

/// The guest's WebAssembly: what `ERRAND_HOST_GUEST` names, or else built now.
pub(crate) fn path() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| match std::env::var_os("ERRAND_HOST_GUEST") {
        Some(path) => path.into(),
        None => build(),
    })
}

fn build() -> PathBuf {
    let target = Path::new(HERE).join("../../target").canonicalize().unwrap();
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--target", "wasm32-wasip1"])
        .current_dir(Path::new(HERE).join("tests/guest"))
        .env("CARGO_TARGET_DIR", &target)
        .status()
        .unwrap();
    assert!(
        status.success(),
        "cannot build the guest; is the target wasm32-wasip1 installed? `cargo xtask test` sees to it"
    );
    target.join("wasm32-wasip1/release/errand_host_guest.wasm")
}
