//! What errand's tests and trials share: a server in a process of its own ([`process`]), tokens ([`token`], [`signer`]), issuers of
//! keys ([`issuer`]), sessions of the database ([`session`]), and how a test says that it was left out ([`left_out`]).
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

pub mod issuer;
pub mod process;
pub mod session;
pub mod signer;
pub mod token;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use tokio::runtime::Runtime;

pub use errand_postgres::left_out;

/// Everything asynchronous of the tests' own runs here.
pub static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// The checkout that is tested.
pub fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// What the tests are sent to: native, host or spin, and with `-p2` the component of WASI 0.2.
pub fn kind() -> String {
    std::env::var("ERRAND_TEST_TARGET").unwrap_or_else(|_| "native".to_owned())
}
