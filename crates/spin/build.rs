//! Gives the component a stack and a memory of its own size.

use std::env;

/// In bytes. JSON nested as deeply as is allowed needs more than 24 KiB and less than 40, and all tests pass with 64. The
/// linker's default of 1 MiB would be most of the memory of an instance, and a runtime may keep that for the highest number of concurrent
/// instances so far. An overflow is a trap, because the stack lies below everything else.
const STACK: u32 = 256 << 10;

/// What an instance starts with, in bytes. A get needs less than this, and so do several at once. A memory that grows costs two system calls in each instance,
/// which is a sixteenth of the host's time for a get; memory that is never touched costs nothing.
const MEMORY: u32 = 1 << 20;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        println!("cargo::rustc-link-arg-cdylib=-zstack-size={STACK}");
        println!("cargo::rustc-link-arg-cdylib=--initial-memory={MEMORY}");
    }
}
