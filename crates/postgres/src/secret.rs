//! Fresh secrets from the operating system's randomness.

use std::fmt::Write;

use anyhow::{Context, Result};

/// `bytes` random bytes, in lower-case hexadecimal: safe in a URL, a `.env` file and a shell.
pub fn hex(bytes: usize) -> Result<String> {
    let mut raw = vec![0_u8; bytes];
    getrandom::fill(&mut raw).context("the operating system gave no randomness")?;
    Ok(to_hex(&raw))
}

/// Lower-case hexadecimal of `raw`.
pub(crate) fn to_hex(raw: &[u8]) -> String {
    raw.iter().fold(String::with_capacity(raw.len() * 2), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
