//! The size of the component against `bench/budget.toml`. What requests allocate is counted in `tests/budget.rs`.

use std::fs;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{build, toolchain::Choice, workspace};

#[derive(Deserialize)]
struct Budget {
    component: Size,
}

#[derive(Deserialize)]
struct Size {
    bytes: u64,
    gzipped: u64,
}

/// Builds the component; fails where it is larger than it may be.
pub(crate) async fn check() -> Result<()> {
    let path = workspace::root()?.join("bench/budget.toml");
    let text = fs::read_to_string(&path).context("cannot read bench/budget.toml")?;
    let allowed = toml::from_str::<Budget>(&text).context("bench/budget.toml makes no sense")?.component;
    let components = build::components(Choice::Auto).await?;
    let (bytes, gzipped) = build::sizes(components.first().context("there is no component")?)?;
    eprintln!("the component has {bytes} bytes of {}, gzipped {gzipped} of {}", allowed.bytes, allowed.gzipped);
    if bytes > allowed.bytes || gzipped > allowed.gzipped {
        bail!(
            "the component is larger than bench/budget.toml allows; make it smaller, or the budget larger with a reason"
        );
    }
    Ok(())
}
