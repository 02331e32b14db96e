//! `include_dir` does not tell cargo which files it has read.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
