//! Whether a component may connect where a connection string leads.

use std::net::IpAddr;

use tokio_postgres::Config;
use tokio_postgres::config::Host;

use super::Error;
use crate::networking::AllowedHosts;

/// Checks every host of a connection string.
///
/// # Errors
///
/// [`Error::ConnectionFailed`] for a string that tokio-postgres cannot read, a Unix socket, or a host that is not allowed.
pub(super) fn check(address: &str, allowed: &AllowedHosts) -> Result<(), Error> {
    let config: Config = address.parse().map_err(|e: tokio_postgres::Error| Error::ConnectionFailed(e.to_string()))?;
    let authorities = config
        .get_hosts()
        .iter()
        .enumerate()
        .map(|(index, host)| match host {
            Host::Tcp(name) => Ok(authority(name, index, &config)),
            #[cfg(unix)]
            Host::Unix(_) => Err(Error::ConnectionFailed("Unix sockets are not supported on WebAssembly".to_owned())),
        })
        // Spin looks at `host` alone, but `hostaddr` is where the connection goes.
        .chain(config.get_hostaddrs().iter().enumerate().map(|(index, address)| {
            let name = match address {
                IpAddr::V4(address) => address.to_string(),
                IpAddr::V6(address) => format!("[{address}]"),
            };
            Ok(authority(&name, index, &config))
        }));
    for authority in authorities {
        let authority = authority?;
        if !allowed.allow_authority("postgres", &authority) {
            tracing::error!("postgres://{authority} is not in the component's allowed_outbound_hosts");
            return Err(Error::ConnectionFailed(format!("address postgres://{authority} is not permitted")));
        }
    }
    Ok(())
}

/// The host with its own port, or the only one.
fn authority(host: &str, index: usize, config: &Config) -> String {
    let port = match config.get_ports() {
        [only] => Some(only),
        ports => ports.get(index),
    };
    match port {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}
