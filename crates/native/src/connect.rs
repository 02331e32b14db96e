//! Reaching a database over TCP, TLS included: certificates are always verified, against the machine's own roots
//! (`SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured).

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, bail};
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

/// The warnings that PostgreSQL has sent over a connection: those that came with the statements that have ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Warnings(Arc<Mutex<Vec<String>>>);

impl Warnings {
    /// Those of since the last call.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Drives a connection until it ends.
    async fn hear<S, T>(self, mut connection: Connection<S, T>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
        T: AsyncRead + AsyncWrite + Unpin,
    {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notice(notice) = message
                && notice.parsed_severity() == Some(Severity::Warning)
            {
                self.0.lock().unwrap_or_else(PoisonError::into_inner).push(notice.message().to_owned());
            }
        }
    }
}

/// Connects, and drives the connection in a task of its own until the client is dropped.
pub async fn connect(address: &Address) -> Result<Client> {
    Ok(connect_heard(address).await?.0)
}

/// The same, with the warnings that come over the connection.
pub(crate) async fn connect_heard(address: &Address) -> Result<(Client, Warnings)> {
    let warnings = Warnings::default();
    let mut config = address.config().clone();
    let limit = *config.get_connect_timeout().unwrap_or(&CONNECT_TIMEOUT);
    config.connect_timeout(limit).application_name("errand");
    let attempt = async {
        // Without TLS the machine's roots need not be read.
        if !address.is_encrypted() {
            let (client, connection) = config.connect(NoTls).await?;
            tokio::spawn(warnings.clone().hear(connection));
            Ok(client)
        } else {
            let (client, connection) = config.connect(tls()?).await?;
            tokio::spawn(warnings.clone().hear(connection));
            anyhow::Ok(client)
        }
    };
    // The driver's own timeout covers the TCP connect only, not a server that accepts and then says nothing.
    match tokio::time::timeout(limit * 2, attempt).await {
        Ok(Ok(client)) => Ok((client, warnings)),
        Ok(Err(error)) => {
            let hint = advice(&error);
            Err(error.context(format!("could not connect to {address}{hint}")))
        }
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
            // Somebody else was faster: as good.
            Err(error) if error.code() == Some(&SqlState::DUPLICATE_DATABASE) => {}
            Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {}
            other => other.with_context(|| format!("could not create the database {database}"))?,
        }
    }
    Ok(address.with_database(database))
}

pub(crate) fn tls() -> Result<MakeRustlsConnect> {
    Ok(MakeRustlsConnect::new(tls_config()?))
}

/// TLS that trusts whom the machine trusts.
pub(crate) fn tls_config() -> Result<rustls::ClientConfig> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
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
