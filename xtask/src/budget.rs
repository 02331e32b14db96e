//! The size of the component and of its memory against `bench/budget.toml`. What requests allocate is counted in `tests/budget.rs`.

use std::fs;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use wasmparser::{DataKind, Operator, Parser, Payload};

use crate::{build, toolchain::Choice, workspace};

#[derive(Deserialize)]
struct Budget {
    component: Size,
}

#[derive(Deserialize)]
struct Size {
    bytes: u64,
    gzipped: u64,
    memory: u64,
}

/// Builds the component; fails where it is larger than it may be.
pub(crate) async fn check() -> Result<()> {
    let path = workspace::root()?.join("bench/budget.toml");
    let text = fs::read_to_string(&path).context("cannot read bench/budget.toml")?;
    let allowed = toml::from_str::<Budget>(&text).context("bench/budget.toml makes no sense")?.component;
    let components = build::components(Choice::Auto).await?;
    let component = components.first().context("there is no component")?;
    let (bytes, gzipped) = build::sizes(component)?;
    let memory = memory(&fs::read(component)?).context("the component cannot be read")?;
    eprintln!(
        "the component has {bytes} bytes of {}, gzipped {gzipped} of {}; an instance starts with {memory} of {}",
        allowed.bytes, allowed.gzipped, allowed.memory
    );
    if bytes > allowed.bytes || gzipped > allowed.gzipped || memory > allowed.memory {
        bail!(
            "the component is larger than bench/budget.toml allows; make it smaller, or the budget larger with a reason"
        );
    }
    Ok(())
}

/// The bytes of an instance's memory that hold something from the start: all below the end of the constants, in whole pages. What lies
/// above is reserved, so that it need not grow, and costs nothing until it is touched.
fn memory(module: &[u8]) -> Result<u64> {
    const PAGE: u64 = 64 << 10;
    let mut end = 0;
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::DataSection(segments) = payload? {
            for segment in segments {
                let segment = segment?;
                if let DataKind::Active { offset_expr, .. } = segment.kind
                    && let Operator::I32Const { value } = offset_expr.get_operators_reader().read()?
                {
                    end = end.max(u64::from(value.cast_unsigned()) + segment.data.len() as u64);
                }
            }
        }
    }
    Ok(end.next_multiple_of(PAGE))
}
