//! TLS to the database: certificates are always verified, against the system's authorities and perhaps one of the guest's.

use std::sync::Arc;

use anyhow::{Context, Result};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

/// A certificate authority that a guest trusts beside the system's.
#[derive(Clone, Debug)]
pub(super) struct Authority {
    pem: String,
    certificate: CertificateDer<'static>,
}

impl Authority {
    /// Reads the first certificate of a PEM text.
    pub(super) fn from_pem(pem: &str) -> Result<Self> {
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|e| anyhow::anyhow!("{e}"))
            .context("invalid root certificate")?;
        // Only the root store can tell whether the content is a certificate.
        RootCertStore::empty().add(certificate.clone()).context("invalid root certificate")?;
        Ok(Self { pem: pem.to_owned(), certificate })
    }

    /// The text that it came from.
    pub(super) fn pem(&self) -> &str {
        &self.pem
    }
}

/// Makes connections that verify the server.
pub(super) fn connector(authority: Option<&Authority>) -> Result<MakeRustlsConnect> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::warn!("a certificate authority of the system is unreadable: {error}");
    }
    roots.add_parsable_certificates(system.certs);
    if let Some(authority) = authority {
        roots.add(authority.certificate.clone())?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
