//! Turns a core module, which rustc makes for wasm32-wasip1, into a component, as `spin up` does.

use std::borrow::Cow;

use anyhow::{Context, Result, bail};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};

/// Makes a component of a core module; a component stays what it is.
///
/// # Errors
///
/// When the bytes are neither, or the module was not made with wit-bindgen (as spin-sdk does).
pub fn componentize(wasm: &[u8]) -> Result<Cow<'_, [u8]>> {
    // The preamble: the magic number, the version, the layer (0: module, 1: component).
    match wasm {
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => Ok(Cow::Borrowed(wasm)),
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => wit_component::ComponentEncoder::default()
            .validate(true)
            .module(wasm)
            .and_then(|encoder| {
                encoder.adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER)
            })
            .and_then(|mut encoder| encoder.encode())
            .map(Cow::Owned)
            .context("cannot make a component of the module"),
        _ => bail!("not a WebAssembly module or component"),
    }
}
