//! Where a database is and who logs in: a parsed connection string.
//!
//! One host, over TCP: the component can reach nothing else. What the string says is kept; nothing is looked up here.

use std::{fmt, net::IpAddr, str::FromStr};

use anyhow::{Context, Result, bail};
use tokio_postgres::{
    Config,
    config::{Host, SslMode},
};

/// What the component's connection string asks of Spin beside the address: give up early, notice a dead peer.
/// `tcp_user_timeout` is in seconds there.
const APP_OPTIONS: &str = "connect_timeout=3&tcp_user_timeout=5&keepalives_idle=10";

const WEAK: &str = "sslmode=prefer and sslmode=allow are refused, because an attacker on the network path can disable TLS; use sslmode=require, or \
     sslmode=disable on a trusted network";

/// A parsed connection string: `postgres://user:password@host:port/database?sslmode=...`, or libpq's `key=value` form.
#[derive(Clone)]
pub struct Address {
    config: Config,
    host: String,
    port: u16,
    user: String,
    database: String,
}

impl Address {
    /// Parses a connection string. `sslmode=verify-full` and `verify-ca` mean `require`, because certificates are
    /// always verified in full here. Without `sslmode`, TLS is required of a server elsewhere, and switched off for one on this
    /// machine. `prefer` and `allow` are refused, because an attacker on the network path could disable TLS and read passwords.
    pub fn parse(text: &str) -> Result<Self> {
        let sslmode = sslmode(text.trim());
        if let Some("prefer" | "allow") = sslmode {
            bail!(WEAK);
        }
        let text = text
            .trim()
            .replace("sslmode=verify-full", "sslmode=require")
            .replace("sslmode=verify-ca", "sslmode=require");
        // The parser's message names the bad option, never the password; the string itself stays out of the error.
        let mut config = Config::from_str(&text)
            .context("not a PostgreSQL connection string (expected postgres://user:password@host:port/database)")?;
        let host = match config.get_hosts() {
            [Host::Tcp(host)] => host.clone(),
            [] => bail!("the connection string names no host"),
            [_] => {
                bail!("the connection string names a unix socket; use a TCP host, which the component can reach too")
            }
            _ => bail!("the connection string names several hosts; use one"),
        };
        match sslmode {
            None => _ = config.ssl_mode(if is_loopback(&host) { SslMode::Disable } else { SslMode::Require }),
            // The driver decodes the value, so its result is checked as well as the text (`sslmode=%70refer`).
            Some(_) if config.get_ssl_mode() == SslMode::Prefer => bail!(WEAK),
            Some(_) => {}
        }
        let user = config.get_user().context("the connection string names no user")?.to_owned();
        let database = config.get_dbname().unwrap_or(&user).to_owned();
        let port = config.get_ports().first().copied().unwrap_or(5432);
        Ok(Self { config, host, port, user, database })
    }

    /// The server's name or IP address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The server's TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The role that logs in.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The database's name.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The driver's view of this address.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// `host:port`, an IPv6 address in brackets: what Spin's `allowed_outbound_hosts` wants.
    pub fn endpoint(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Whether the server is this machine's own.
    pub fn is_local(&self) -> bool {
        is_loopback(&self.host)
    }

    /// Whether what is sent there is encrypted, and the server's certificate verified.
    pub fn is_encrypted(&self) -> bool {
        self.config.get_ssl_mode() == SslMode::Require
    }

    /// Whether this looks like Neon's pooled endpoint (`ep-name-pooler.region.aws.neon.tech`).
    pub fn is_pooled(&self) -> bool {
        self.host.split('.').next().is_some_and(|label| label.ends_with("-pooler"))
    }

    /// Whether both name the same database on the same server, for any login.
    pub fn same_database(&self, other: &Self) -> bool {
        self.endpoint() == other.endpoint() && self.database == other.database
    }

    /// The same server and login, another database.
    pub fn with_database(&self, database: &str) -> Self {
        let mut other = self.clone();
        other.config.dbname(database);
        database.clone_into(&mut other.database);
        other
    }

    /// The connection string with which the component logs in: same server, database and `sslmode`.
    pub fn app_url(&self, user: &str, password: &str) -> String {
        format!(
            "postgres://{}:{}@{}/{}?sslmode={}&{APP_OPTIONS}",
            percent_encode(user),
            percent_encode(password),
            self.endpoint(),
            percent_encode(&self.database),
            self.sslmode(),
        )
    }

    /// The environment with which libpq's programs (psql) reach this address. Keeps the password out of the process list.
    pub fn libpq_env(&self) -> Vec<(&'static str, String)> {
        let password = self.config.get_password().unwrap_or_default();
        let mut vars = vec![
            ("PGHOST", self.host.clone()),
            ("PGPORT", self.port.to_string()),
            ("PGUSER", self.user.clone()),
            ("PGDATABASE", self.database.clone()),
            ("PGSSLMODE", self.sslmode().to_owned()),
        ];
        if !password.is_empty() {
            vars.push(("PGPASSWORD", String::from_utf8_lossy(password).into_owned()));
        }
        vars
    }

    fn sslmode(&self) -> &'static str {
        if self.is_encrypted() { "require" } else { "disable" }
    }
}

/// The `sslmode` that a connection string names.
fn sslmode(text: &str) -> Option<&str> {
    let options: Vec<&str> = match text.contains("://") {
        true => text.split_once('?')?.1.split('&').collect(),
        false => text.split_whitespace().collect(),
    };
    // The last one counts.
    options.iter().rev().find_map(|option| option.strip_prefix("sslmode=")).map(|value| value.trim_matches('\''))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Without the password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}/{}", self.user, self.endpoint(), self.database)
    }
}

/// Without the password, too.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// RFC 3986: everything but unreserved characters.
fn percent_encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neon_address_keeps_its_tls() -> Result<()> {
        let url = "postgresql://owner:p%40ss@ep-calm-sun-1-pooler.eu-central-1.aws.neon.tech/main?sslmode=require&channel_binding=require";
        let address = Address::parse(url)?;
        assert!(address.is_pooled() && !address.is_local());
        assert_eq!(address.endpoint(), "ep-calm-sun-1-pooler.eu-central-1.aws.neon.tech:5432");
        assert_eq!(
            address.app_url("errand_app", "a/b c"),
            "postgres://errand_app:a%2Fb%20c@ep-calm-sun-1-pooler.eu-central-1.aws.neon.tech:5432/main\
             ?sslmode=require&connect_timeout=3&tcp_user_timeout=5&keepalives_idle=10"
        );
        Ok(())
    }

    #[test]
    fn a_local_address_goes_without_tls() -> Result<()> {
        let address = Address::parse("postgres://postgres:secret@127.0.0.1:15432/errand")?;
        assert!(address.is_local());
        assert!(address.app_url("errand_app", "x").contains("127.0.0.1:15432/errand?sslmode=disable&"));
        assert_eq!(format!("{address} {address:?}").matches("secret").count(), 0);
        Ok(())
    }

    #[test]
    fn what_an_app_url_says_is_what_was_meant() -> Result<()> {
        let url = Address::parse("postgres://o@[::1]:6000/a%20b")?.app_url("errand_app", "p@:/?#&'");
        let back = Address::parse(&url)?;
        assert_eq!((back.endpoint().as_str(), back.database()), ("[::1]:6000", "a b"));
        assert_eq!(back.config().get_password(), Some("p@:/?#&'".as_bytes()));
        Ok(())
    }

    #[test]
    fn verification_is_always_full() -> Result<()> {
        let address = Address::parse("postgres://o:p@db.example/main?sslmode=verify-full")?;
        assert_eq!(address.config().get_ssl_mode(), SslMode::Require);
        Ok(())
    }

    #[test]
    fn nobody_in_between_can_switch_tls_off() -> Result<()> {
        for (text, mode) in [
            ("postgres://o@db.example/main", SslMode::Require),
            ("host=db.example user=o", SslMode::Require),
            ("postgres://o@10.0.0.7/main?connect_timeout=3", SslMode::Require),
            ("postgres://o@db.example/main?sslmode=disable", SslMode::Disable),
            ("host=db.example user=o sslmode=disable", SslMode::Disable),
            ("postgres://o@localhost/main", SslMode::Disable),
            ("postgres://o@127.0.0.1/main?sslmode=require", SslMode::Require),
            // The text of a password is no option.
            ("postgres://o:sslmode=prefer@[::1]/main", SslMode::Disable),
        ] {
            let address = Address::parse(text)?;
            assert_eq!(address.config().get_ssl_mode(), mode, "{text}");
            assert_eq!(address.is_encrypted(), mode == SslMode::Require, "{text}");
            let app = Address::parse(&address.app_url("errand_app", "x"))?;
            assert_eq!(app.config().get_ssl_mode(), mode, "{text}");
        }
        for text in [
            "postgres://o@db.example/main?sslmode=prefer",
            "postgres://o@db.example/main?sslmode=%70refer",
            "postgres://o@127.0.0.1/main?sslmode=allow",
            "host=db.example user=o sslmode=prefer",
            "host=db.example user=o sslmode='prefer'",
            "postgres://o@db.example/main?sslmode=require&sslmode=prefer",
        ] {
            let told = format!("{:#}", Address::parse(text).unwrap_err());
            assert!(told.contains("sslmode=require") && told.contains("sslmode=disable"), "{told}");
        }
        Ok(())
    }

    #[test]
    fn what_the_component_cannot_reach_is_refused() {
        for url in ["postgres:///main", "host=/var/run/postgresql user=a", "postgres://a@h1,h2/main", "mysql://a@b/c"] {
            assert!(Address::parse(url).is_err(), "{url}");
        }
    }
}
