//! Every parser that a client reaches, as a function of bytes that fails by panicking. libFuzzer calls them
//! (`fuzz_targets/`), and so does a test on stable Rust (`tests/fuzz.rs`), which takes this file in as a module.
//!
//! No function here may fail, whatever the bytes: what a client sends is answered or refused, and the refusal names
//! what is wrong. Beyond that, each compares what was understood with what another reading of the same bytes gives.

mod body;
mod query;
mod request;
mod router;
mod token;

pub use body::{body, due, merge_patch};
pub use query::{cursor, query};
pub use request::{headers, request};
pub use token::{jwks, token};

/// A target of the fuzzer.
pub type Target = fn(&[u8]);

/// The targets by name. The name is that of the folder in `seeds/`, too.
pub const TARGETS: [(&str, Target); 9] = [
    ("token", token),
    ("jwks", jwks),
    ("cursor", cursor),
    ("query", query),
    ("body", body),
    ("due", due),
    ("merge_patch", merge_patch),
    ("headers", headers),
    ("request", request),
];

/// The value of a future that waits for nothing.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    use std::task::{Context, Poll, Waker};
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("there is nothing here to wait for"),
    }
}
