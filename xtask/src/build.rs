//! `cargo xtask build`: the component, as it is deployed.

use std::{fs::File, io, path::PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use flate2::{Compression, write::GzEncoder};

use crate::{
    process::{self, LONG},
    toolchain::{Choice, TARGET, Toolchain},
    workspace,
};

/// Build the WebAssembly component in release mode
///
/// Adds the target wasm32-wasip1 to the current Rust when it is missing; where rustup cannot, Debian's packages do.
#[derive(Args)]
pub(crate) struct Build {
    /// Which compiler to use
    #[arg(long, value_enum, default_value = "auto")]
    toolchain: Choice,
}

impl Build {
    pub(crate) async fn run(self) -> Result<()> {
        let path = component(self.toolchain).await?;
        let mut file = File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut gzip = GzEncoder::new(Counter(0), Compression::default());
        let size = io::copy(&mut file, &mut gzip)?;
        let zipped = gzip.finish()?.0;
        let shown = path.strip_prefix(workspace::root()?).unwrap_or(&path).to_owned();
        println!("{}: {} KiB ({} KiB gzipped)", shown.display(), size.div_ceil(1024), zipped.div_ceil(1024));
        Ok(())
    }
}

/// Builds what is missing or stale of the component; returns where it is.
pub(crate) async fn component(choice: Choice) -> Result<PathBuf> {
    let toolchain = Toolchain::ensure(choice).await?;
    process::run(toolchain.cargo_build()?, LONG).await.context("the component was not built")?;
    let path = workspace::root()?.join("target").join(TARGET).join("release/errand.wasm");
    path.is_file().then_some(path).context("cargo built no target/wasm32-wasip1/release/errand.wasm")
}

/// Counts what it is given.
struct Counter(u64);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
