//! `cargo xtask build`: the components, as they are deployed.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::Args;
use flate2::{Compression, write::GzEncoder};

use crate::{
    process::{self, LONG},
    toolchain::{Choice, TARGET, Toolchain},
    workspace,
};

/// Build the WebAssembly components in release mode
///
/// Adds the target wasm32-wasip1 to the current Rust when it is missing; where rustup cannot, Debian's packages do.
#[derive(Args)]
pub(crate) struct Build {
    /// Which compiler to use
    #[arg(long, value_enum, default_value = "auto")]
    toolchain: Choice,
    /// Only this one, as `spin build` does
    #[arg(long, value_name = "PACKAGE", value_parser = PACKAGES)]
    component: Option<String>,
}

/// The packages whose libraries are components.
pub(crate) const PACKAGES: [&str; 3] = ["errand-spin", "errand-spin-p2", "errand-docs"];

impl Build {
    pub(crate) async fn run(self) -> Result<()> {
        let root = workspace::root()?;
        let wanted = match &self.component {
            Some(package) => vec![package.as_str()],
            None => PACKAGES.to_vec(),
        };
        for path in packages(self.toolchain, &wanted).await? {
            let (size, zipped) = sizes(&path)?;
            let shown = path.strip_prefix(&root).unwrap_or(&path).display();
            println!("{shown}: {} KiB ({} KiB gzipped)", size.div_ceil(1024), zipped.div_ceil(1024));
        }
        Ok(())
    }
}

/// Builds what is missing or stale of the components: the API and its documentation. Returns where they are.
pub(crate) async fn components(choice: Choice) -> Result<Vec<PathBuf>> {
    packages(choice, &["errand-spin", "errand-docs"]).await
}

/// The same for spin-p2.toml.
pub(crate) async fn components_p2(choice: Choice) -> Result<Vec<PathBuf>> {
    packages(choice, &["errand-spin-p2", "errand-docs"]).await
}

/// The same for these packages.
pub(crate) async fn packages(choice: Choice, packages: &[&str]) -> Result<Vec<PathBuf>> {
    let toolchain = Toolchain::ensure(choice).await?;
    let folder = workspace::root()?.join("target").join(TARGET).join("release");
    let mut paths = Vec::new();
    for package in packages {
        process::run(toolchain.cargo_build(package).await?, LONG)
            .await
            .with_context(|| format!("{package} was not built"))?;
        let path = folder.join(package.replace('-', "_")).with_extension("wasm");
        paths.push(
            path.is_file().then_some(&path).with_context(|| format!("cargo built no {}", path.display()))?.clone(),
        );
    }
    Ok(paths)
}

/// The bytes of a file, and of its gzip.
pub(crate) fn sizes(path: &Path) -> Result<(u64, u64)> {
    let mut file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut gzip = GzEncoder::new(Counter(0), Compression::default());
    let size = io::copy(&mut file, &mut gzip)?;
    Ok((size, gzip.finish()?.0))
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
