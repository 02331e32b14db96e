//! Takes Swagger UI out of the crate that carries it, and puts every asset compressed where `assets.rs` includes it.

use std::fmt::Write as _;
use std::io::{Cursor, Read, Write as _};
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};
use flate2::{Compression, write::GzEncoder};
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

/// What the page needs of Swagger UI; the rest is for other ways of loading it.
const OF_SWAGGER_UI: [(&str, &str); 2] =
    [("swagger-ui.css", "text/css; charset=utf-8"), ("swagger-ui-bundle.js", "text/javascript; charset=utf-8")];
/// Where they lie under `src`, and where they are served under `/docs`.
const OWN: [(&str, &str, &str); 5] = [
    ("index.html", "", "text/html; charset=utf-8"),
    ("problems.html", "problems", "text/html; charset=utf-8"),
    ("docs.css", "docs.css", "text/css; charset=utf-8"),
    ("docs.js", "docs.js", "text/javascript; charset=utf-8"),
    ("favicon.svg", "favicon.svg", "image/svg+xml"),
];

fn main() -> Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?);
    let mut table = String::from("&[\n");
    for (file, path, content_type) in OWN {
        let source = Path::new("src").join(file);
        println!("cargo::rerun-if-changed={}", source.display());
        let content = fs::read(&source).with_context(|| source.display().to_string())?;
        add(&mut table, &out, path, content_type, file, &content)?;
    }
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    for (file, content_type) in OF_SWAGGER_UI {
        let found = archive.file_names().find(|name| name.ends_with(&format!("/dist/{file}"))).map(str::to_owned);
        let mut content = Vec::new();
        archive.by_name(&found.with_context(|| format!("Swagger UI has no {file}"))?)?.read_to_end(&mut content)?;
        add(&mut table, &out, file, content_type, file, &content)?;
    }
    table.push_str("]\n");
    println!("cargo::rerun-if-changed=build.rs");
    fs::write(out.join("assets.rs"), table)?;
    Ok(())
}

fn add(table: &mut String, out: &Path, path: &str, content_type: &str, file: &str, content: &[u8]) -> Result<()> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(content)?;
    let stored = out.join(format!("{file}.gz"));
    fs::write(&stored, gzip.finish()?)?;
    // FNV-1a, which tells one content from another.
    let hash = content
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    writeln!(
        table,
        "Asset {{ path: {path:?}, content_type: {content_type:?}, hash: \"{hash:016x}\", length: {}, gzip: include_bytes!({:?}) }},",
        content.len(),
        stored.display().to_string()
    )?;
    Ok(())
}
