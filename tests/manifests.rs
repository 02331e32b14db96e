//! What spin.toml must say for every version of Spin.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

/// Spin 4.0 refuses a manifest in which a template of `allowed_outbound_hosts` is empty with the default values.
#[test]
fn a_host_that_may_be_reached_is_never_empty() {
    let manifest: toml::Table = toml::from_str(include_str!("../spin.toml")).unwrap();
    let default = manifest["variables"]["jwks_origin"]["default"].as_str().unwrap();
    // RFC 6761, section 6.4: a name under `invalid` leads nowhere.
    assert!(default.starts_with("https://") && default.ends_with(".invalid"), "{default}");
}
