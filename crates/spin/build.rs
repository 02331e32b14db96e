//! Gives the component a stack and a memory of its own size.

use std::env;

/// In bytes. JSON nested as deeply as is allowed needs more than 24 KiB and less than 40, and all tests pass with 64. The
/// linker's default of 1 MiB would be most of the memory of an instance, and a runtime may keep that for the highest number of concurrent
/// instances so far. An overflow is a trap, because the stack lies below everything else.
const STACK: u32 = 256 << 10;

/// The initial memory of an instance, in bytes. The first request needs less than this. Growth costs three system calls in each instance,
/// which is a sixth of the host's time for its first request (docs/performance.md). Memory that is never touched costs nothing.
const MEMORY: u32 = 1 << 20;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        println!("cargo::rustc-link-arg-cdylib=-zstack-size={STACK}");
        println!("cargo::rustc-link-arg-cdylib=--initial-memory={MEMORY}");
    }
}
