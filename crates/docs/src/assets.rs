//! What is served, compressed while compiling (see `build.rs`).

/// A file.
pub(crate) struct Asset {
    /// Under `/docs/`; empty for `/docs` itself.
    pub(crate) path: &'static str,
    pub(crate) content_type: &'static str,
    /// Of the plain content, in hexadecimal.
    pub(crate) hash: &'static str,
    /// Of the plain content, in bytes.
    pub(crate) length: usize,
    /// The content, in the gzip format (RFC 1952).
    pub(crate) gzip: &'static [u8],
}

/// Every file there is.
pub(crate) const ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Before and behind the deflated content, in the form that the build script writes: no optional fields.
const HEADER: usize = 10;
const TRAILER: usize = 8;

impl Asset {
    /// The content for clients that do not take gzip, such as a plain curl.
    pub(crate) fn plain(&self) -> Option<Vec<u8>> {
        let deflated = self.gzip.get(HEADER..self.gzip.len().checked_sub(TRAILER)?)?;
        miniz_oxide::inflate::decompress_to_vec_with_limit(deflated, self.length).ok()
    }
}
