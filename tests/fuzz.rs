//! The fuzzer's targets on stable Rust: every seed, and a number of mutations of them. Less than `cargo xtask fuzz` does,
//! and done wherever the tests run. Only what git tracks is an input, so that every machine runs the same.
//!
//! `ERRAND_TEST_MUTATIONS` says how many mutations each target gets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, unreachable_pub)]

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use std::fs;
use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};

/// What is put into an input, beside single bytes: what parsers treat in a way of its own.
const WORDS: [&str; 25] = [
    "\0", "\n", "\r\n", " ", ",", "\"", "\\", "\\ud800", "\\u0000", "null", "-0", "1e400", "9e307", "[", "{", "}", "%",
    "%00", "%FF", "&", "=", "W/\"", "*", "\u{feff}", "\u{17e}",
];

/// A change of an input.
#[derive(Debug, Clone)]
enum Edit {
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Repeat(Index, Index, u8),
    Remove(Index, Index),
    Splice(Index, Vec<u8>),
}

impl Edit {
    fn of(inputs: &[Vec<u8>]) -> impl Strategy<Value = Self> + use<> {
        let any = any::<Index>;
        prop_oneof![
            (any(), 1..=u8::MAX).prop_map(|(at, bits)| Self::Flip(at, bits)),
            (any(), select(&WORDS[..])).prop_map(|(at, word)| Self::Insert(at, word.as_bytes().to_vec())),
            (any(), vec(proptest::num::u8::ANY, 1..5)).prop_map(|(at, bytes)| Self::Insert(at, bytes)),
            (any(), any(), 1..=200_u8).prop_map(|(from, to, times)| Self::Repeat(from, to, times)),
            (any(), any()).prop_map(|(from, to)| Self::Remove(from, to)),
            (any(), select(inputs.to_vec())).prop_map(|(at, other)| Self::Splice(at, other)),
        ]
    }

    fn apply(&self, input: &mut Vec<u8>) {
        let place = |at: &Index| at.index(input.len() + 1);
        let range = |one: &Index, other: &Index| place(one).min(place(other))..place(one).max(place(other));
        match self {
            Self::Flip(at, bits) => {
                let at = place(at);
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= bits;
                }
            }
            Self::Insert(at, bytes) => drop(input.splice(place(at)..place(at), bytes.iter().copied())),
            Self::Repeat(from, to, times) => {
                let range = range(from, to);
                let repeated = input[range.clone()].repeat((*times).into());
                input.splice(range, repeated.into_iter().take(4096));
            }
            Self::Remove(from, to) => drop(input.drain(range(from, to))),
            Self::Splice(at, other) => {
                let at = place(at);
                input.truncate(at);
                input.extend_from_slice(&other[at.min(other.len())..]);
            }
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The names of a target's inputs and the inputs; the first one is empty.
fn inputs(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let seeds = files(&folder).into_iter().map(|path| (path.display().to_string(), fs::read(path).unwrap()));
    std::iter::once(("the empty input".to_owned(), Vec::new())).chain(seeds).collect()
}

#[test]
fn no_input_that_was_ever_found_fails() {
    for (name, target) in fuzz::TARGETS {
        let inputs = inputs(name);
        assert!(inputs.len() > 6, "{name} has next to no inputs");
        for (file, input) in inputs {
            // Tells which one it was, should it fail.
            println!("{name} {file}");
            target(&input);
        }
    }
}

#[test]
fn no_mutation_of_them_fails() {
    let mutations = std::env::var("ERRAND_TEST_MUTATIONS").map_or(500, |text| text.parse().unwrap());
    for (name, target) in fuzz::TARGETS {
        let inputs: Vec<_> = inputs(name).into_iter().map(|(_, input)| input).collect();
        let mutated = (select(inputs.clone()), vec(Edit::of(&inputs), 1..6)).prop_map(|(mut input, edits)| {
            for edit in edits {
                edit.apply(&mut input);
            }
            input
        });
        let config = Config { cases: mutations, failure_persistence: None, ..Config::default() };
        let outcome = TestRunner::new(config).run(&mutated, |input| {
            target(&input);
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn every_target_is_one_of_the_fuzzers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
    let mut known: Vec<_> = fuzz::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    known.sort();
    let files: Vec<_> =
        files(&root).iter().map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(files, known);
}
