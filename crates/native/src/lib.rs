//! errand.
