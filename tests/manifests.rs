//! The manifests differ in the component alone.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[test]
fn the_manifest_for_wasi_02_is_the_other_with_another_component() {
    let of_03 = include_str!("../spin.toml");
    let of_02 = of_03
        .replace("errand_spin.wasm", "errand_spin_p2.wasm")
        .replace("--package errand-spin\"", "--package errand-spin-p2\"")
        .replace("crates/spin/src/", "crates/spin-p2/src/");
    assert_eq!(include_str!("../spin-p2.toml"), of_02);
    assert_eq!(of_02.matches("p2").count(), 3);
}

/// Spin 4.0 refuses a manifest in which a template of `allowed_outbound_hosts` is empty with the default values.
#[test]
fn a_host_that_may_be_reached_is_never_empty() {
    let manifest: toml::Table = toml::from_str(include_str!("../spin.toml")).unwrap();
    let default = manifest["variables"]["jwks_origin"]["default"].as_str().unwrap();
    // RFC 6761, section 6.4: a name under `invalid` leads nowhere.
    assert!(default.starts_with("https://") && default.ends_with(".invalid"), "{default}");
}
