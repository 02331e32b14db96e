//! Reaching a database over TCP, TLS included: certificates are always verified, against the machine's own roots
//! (`SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured).

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::{
    AsyncMessage, Client, Connection, NoTls,
    error::{Severity, SqlState},
    types::Type,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::address::Address;

/// How long a connection may take to come up when the address does not say; a sleeping Neon database needs a few
/// hundred milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// The warnings that PostgreSQL has sent over a connection. They include those of every statement that has ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Warnings(Arc<Mutex<Vec<String>>>);

impl Warnings {
    /// Returns the warnings since the last call, and removes them.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds them to an error, which they may explain.
    pub(crate) fn explain(&self, error: anyhow::Error) -> anyhow::Error {
        match self.take().as_slice() {
            [] => error,
            warnings => error.context(format!("PostgreSQL warned: {}", warnings.join("; "))),
        }
    }
}

/// Drives a connection in a task of its own until the client is dropped.
fn drive<S, T>(mut connection: Connection<S, T>, warnings: Option<&Warnings>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Some(Warnings(warnings)) = warnings.cloned() else {
        tokio::spawn(connection);
        return;
    };
    tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notice(notice) = message
                && notice.parsed_severity() == Some(Severity::Warning)
            {
                warnings.lock().unwrap_or_else(PoisonError::into_inner).push(notice.message().to_owned());
            }
        }
    });
}

/// Connects, and drives the connection in a task of its own until the client is dropped.
pub async fn connect(address: &Address) -> Result<Client> {
    connect_with(address, None).await
}

/// The same, with the warnings that come over the connection.
pub(crate) async fn connect_with_warnings(address: &Address) -> Result<(Client, Warnings)> {
    let warnings = Warnings::default();
    Ok((connect_with(address, Some(&warnings)).await?, warnings))
}

async fn connect_with(address: &Address, warnings: Option<&Warnings>) -> Result<Client> {
    let mut config = address.config().clone();
    let limit = *config.get_connect_timeout().unwrap_or(&CONNECT_TIMEOUT);
    config.connect_timeout(limit).application_name("errand");
    let attempt = async {
        // Without TLS the machine's roots need not be read.
        if !address.is_encrypted() {
            let (client, connection) = config.connect(NoTls).await?;
            drive(connection, warnings);
            Ok(client)
        } else {
            let (client, connection) = config.connect(tls(None)?).await?;
            drive(connection, warnings);
            anyhow::Ok(client)
        }
    };
    // The driver's own timeout covers the TCP connect only, not a server that accepts and then says nothing.
    match tokio::time::timeout(limit * 2, attempt).await {
        Ok(connected) => connected.map_err(|error| {
            let hint = advice(&error);
            error.context(format!("could not connect to {address}{hint}"))
        }),
        Err(_) => bail!("{address} accepted the connection but did not answer within {} s", limit.as_secs() * 2),
    }
}

/// What to do about the failures that have an answer.
fn advice(error: &anyhow::Error) -> &'static str {
    let text = format!("{error:#}");
    if text.contains("UnknownIssuer") {
        " (its certificate is of an authority that this machine does not know: name that authority's file in SSL_CERT_FILE)"
    } else if text.contains("does not support TLS") {
        " (it does not speak TLS, and sslmode=require insists on it)"
    } else if text.contains("Connection refused") {
        " (nothing listens there: is the server running, and the port right?)"
    } else {
        ""
    }
}

/// Creates `database` on the server of `address` unless it is there. Returns its address.
pub async fn create_database(address: &Address, database: &str) -> Result<Address> {
    let client = connect(address).await?;
    let found =
        client.query_typed_opt("select 1 from pg_database where datname = $1", &[(&database, Type::TEXT)]).await?;
    if found.is_none() {
        let quoted = database.replace('"', "\"\"");
        match client.batch_execute(&format!("create database \"{quoted}\"")).await {
            // Another process created it first.
            Err(error) if error.code() == Some(&SqlState::DUPLICATE_DATABASE) => {}
            Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {}
            other => other.with_context(|| format!("could not create the database {database}"))?,
        }
    }
    Ok(address.with_database(database))
}

/// TLS for the driver, which trusts the authority of this certificate (PEM), or else those of the machine.
///
/// # Errors
///
/// When the machine knows no authority.
pub fn tls(authority: Option<&str>) -> Result<MakeRustlsConnect> {
    Ok(MakeRustlsConnect::new(tls_config(authority)?))
}

/// TLS that trusts the authority of this certificate (PEM), or else those of the machine.
///
/// # Errors
///
/// When the machine knows no authority.
pub fn tls_config(authority: Option<&str>) -> Result<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    match authority {
        Some(pem) => roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).context("not a certificate in PEM")?)?,
        None => _ = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs),
    }
    if roots.is_empty() {
        bail!(
            "this machine has no root certificates to verify the server with; install the package ca-certificates, or set SSL_CERT_FILE"
        );
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
