//! `allowed_outbound_hosts`: where a component may connect to, by Spin's rules.

use anyhow::{Context, Result, bail, ensure};
use ip_network::IpNetwork;
use url::{Host, Url};

use crate::template::Template;
use crate::variables::Variables;

/// The entries of one component.
#[derive(Debug, Default)]
pub struct AllowedHosts(Vec<Entry>);

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    /// `None`: any.
    scheme: Option<String>,
    host: HostRule,
    port: PortRule,
}

#[derive(Debug, PartialEq, Eq)]
enum HostRule {
    Any,
    /// With the leading dot.
    Subdomain(String),
    /// The application itself, which this host does not route to.
    ToSelf,
    Literal(Host),
    Network(IpNetwork),
}

#[derive(Debug, PartialEq, Eq)]
enum PortRule {
    Any,
    One(u16),
    /// The upper bound is exclusive, as in Spin.
    Range(u16, u16),
}

impl AllowedHosts {
    /// Reads the entries of a manifest, variables filled in. An entry that a variable leaves empty is dropped.
    ///
    /// # Errors
    ///
    /// When an entry is not `scheme://host[:port]`, or names a variable without a value.
    pub fn new(entries: &[String], variables: &Variables) -> Result<Self> {
        let mut rules = Vec::new();
        for entry in entries {
            let text = variables.fill(entry)?;
            let templated = !Template::parse(entry)?.is_literal();
            if templated && matches!(text.as_str(), "" | "http://" | "https://") {
                continue;
            }
            rules.push(Entry::parse(&text).with_context(|| format!("allowed_outbound_hosts: {entry:?}"))?);
        }
        Ok(Self(rules))
    }

    /// Whether a component may connect to `url`.
    pub fn allow(&self, url: &Url) -> bool {
        let Some(host) = url.host_str().and_then(|host| Host::parse(host).ok()) else {
            return false;
        };
        let port = url.port().or_else(|| well_known_port(url.scheme()));
        self.0.iter().any(|entry| entry.allows(url.scheme(), &host, port))
    }

    /// Whether a component may connect to `authority` (`host[:port]`) by `scheme`.
    pub fn allow_authority(&self, scheme: &str, authority: &str) -> bool {
        Url::parse(&format!("{scheme}://{authority}")).is_ok_and(|url| self.allow(&url))
    }
}

impl Entry {
    fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let Some((scheme, rest)) = text.split_once("://") else {
            bail!("{text:?} has no scheme: expected scheme://host[:port], where each may be *");
        };
        let (host, port) = match rest.rsplit_once(':') {
            None => (rest, ""),
            // A whole IPv6 address, not an address and a port.
            Some(_) if HostRule::parse(rest).is_ok() => (rest, ""),
            Some((host, port)) => (host, port.strip_suffix('/').unwrap_or(port)),
        };
        Ok(Self {
            host: HostRule::parse(host)?,
            port: PortRule::parse(port, scheme)?,
            scheme: match scheme {
                "*" => None,
                _ => {
                    ensure!(
                        !scheme.is_empty() && scheme.chars().all(char::is_alphabetic),
                        "{scheme:?} is not a scheme: letters or * only"
                    );
                    Some(scheme.to_owned())
                }
            },
        })
    }

    fn allows(&self, scheme: &str, host: &Host, port: Option<u16>) -> bool {
        self.scheme.as_deref().is_none_or(|allowed| allowed == scheme)
            && self.host.allows(host)
            && self.port.allows(port)
    }
}

impl HostRule {
    fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        match text {
            "*" => return Ok(Self::Any),
            "self" | "self.alt" => return Ok(Self::ToSelf),
            _ => {}
        }
        if let Ok(network) = IpNetwork::from_str_truncate(text) {
            return Ok(Self::Network(network));
        }
        let text = text.strip_suffix('/').unwrap_or(text);
        ensure!(!text.contains('/'), "{text:?} has a path; only scheme, host and port are compared");
        if let Some(domain) = text.strip_prefix("*.") {
            ensure!(!domain.contains('*'), "{text:?}: only the first label may be *");
            let Host::Domain(domain) = Host::parse(domain)? else {
                bail!("{text:?}: what follows *. must be a domain");
            };
            return Ok(Self::Subdomain(format!(".{domain}")));
        }
        ensure!(!text.contains('*'), "{text:?}: * stands for the whole host or its first label");
        Ok(Self::Literal(Host::parse(text).with_context(|| format!("{text:?} is not a host"))?))
    }

    fn allows(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Subdomain(suffix), Host::Domain(domain)) => domain.ends_with(suffix.as_str()),
            (Self::Literal(literal), host) => literal == host,
            (Self::Network(network), Host::Ipv4(address)) => network.contains(*address),
            (Self::Network(network), Host::Ipv6(address)) => network.contains(*address),
            (Self::Subdomain(_) | Self::Network(_) | Self::ToSelf, _) => false,
        }
    }
}

impl PortRule {
    fn parse(text: &str, scheme: &str) -> Result<Self> {
        let number = |text: &str| text.parse::<u16>().with_context(|| format!("{text:?} is not a port number"));
        match text {
            "" => well_known_port(scheme)
                .map(Self::One)
                .with_context(|| format!("a port is needed: {scheme:?} has no default one")),
            "*" => Ok(Self::Any),
            _ => match text.split_once("..") {
                Some((from, to)) => Ok(Self::Range(number(from)?, number(to)?)),
                None => number(text).map(Self::One),
            },
        }
    }

    fn allows(&self, port: Option<u16>) -> bool {
        match (self, port) {
            (Self::Any, _) => true,
            (Self::One(allowed), Some(port)) => *allowed == port,
            (Self::Range(from, to), Some(port)) => (*from..*to).contains(&port),
            (_, None) => false,
        }
    }
}

fn well_known_port(scheme: &str) -> Option<u16> {
    match scheme {
        "postgres" => Some(5432),
        "http" => Some(80),
        "https" => Some(443),
        "mysql" => Some(3306),
        "redis" => Some(6379),
        "mqtt" => Some(1883),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::manifest::Manifest;

    use super::*;

    fn allows(entry: &str, scheme: &str, authority: &str) -> bool {
        AllowedHosts(vec![Entry::parse(entry).unwrap()]).allow_authority(scheme, authority)
    }

    #[test]
    fn scheme_host_and_port_must_all_match() {
        assert!(allows("postgres://db.example:5432", "postgres", "db.example"));
        assert!(allows("postgres://db.example", "postgres", "db.example:5432"));
        assert!(!allows("postgres://db.example", "postgres", "db.example:5433"));
        assert!(!allows("postgres://db.example", "postgres", "other.example"));
        assert!(!allows("redis://db.example:5432", "postgres", "db.example:5432"));
        assert!(allows("https://keys.example", "https", "keys.example"));
        assert!(!allows("https://keys.example", "http", "keys.example"));
        // Any port is not any scheme.
        assert!(allows("https://keys.example:*", "https", "keys.example:8443"));
        for authority in ["keys.example", "keys.example:80", "keys.example:443", "keys.example:8443"] {
            assert!(!allows("https://keys.example:*", "http", authority), "{authority}");
        }
    }

    #[test]
    fn stars_stand_for_anything() {
        assert!(allows("*://*:*", "postgres", "db.example:1"));
        assert!(allows("postgres://*:*", "postgres", "10.0.0.1:1"));
        assert!(allows("postgres://*.example:5432", "postgres", "a.b.example"));
        assert!(!allows("postgres://*.example:5432", "postgres", "example"));
        assert!(!allows("postgres://*.example:5432", "postgres", "badexample"));
    }

    #[test]
    fn addresses_networks_and_port_ranges() {
        assert!(allows("postgres://127.0.0.1:5432", "postgres", "127.0.0.1"));
        assert!(!allows("postgres://127.0.0.1:5432", "postgres", "localhost"));
        assert!(allows("postgres://10.0.0.0/8:5432", "postgres", "10.1.2.3"));
        assert!(allows("postgres://[::1]:5432", "postgres", "[::1]:5432"));
        assert!(allows("postgres://db:5000..5002", "postgres", "db:5001"));
        assert!(!allows("postgres://db:5000..5002", "postgres", "db:5002"));
    }

    fn rules(entries: &[&str]) -> Result<AllowedHosts> {
        let manifest = Manifest::parse(
            r#"
            spin_manifest_version = 2
            application.name = "a"
            variables = { empty = { default = "" }, host = { default = "keys.example" } }
            [[trigger.http]]
            route = "/..."
            component = "c"
            [component.c]
            source = "c.wasm"
            "#,
            Path::new("/"),
        )?;
        let entries: Vec<_> = entries.iter().map(|&entry| entry.to_owned()).collect();
        AllowedHosts::new(&entries, &Variables::new(&manifest, Vec::new())?)
    }

    #[test]
    fn an_entry_that_a_variable_leaves_empty_allows_nothing() {
        for entry in ["{{ empty }}", "http://{{ empty }}", "https://{{empty}}"] {
            assert_eq!(rules(&[entry]).unwrap().0, [], "{entry}");
            let others = rules(&[entry, "https://{{ host }}"]).unwrap();
            assert!(others.allow_authority("https", "keys.example"), "{entry}");
            assert!(!others.allow_authority("https", "other.example"), "{entry}");
        }
    }

    #[test]
    fn an_entry_that_is_empty_by_itself_is_refused() {
        // `postgres://` is not among the schemes that may be left without a host.
        for entry in ["", " ", "http://", "https://", "postgres://{{ empty }}", "https://{{ empty }}:443"] {
            assert!(rules(&[entry]).is_err(), "{entry:?}");
        }
        assert_eq!(rules(&[]).unwrap().0, []);
    }

    #[test]
    fn malformed_entries_are_refused() {
        for entry in
            ["db", "*", "postgres://db/name", "pg2://db:1", "postgres://a.*:1", "ftp://host", "postgres://db:x"]
        {
            assert!(Entry::parse(entry).is_err(), "{entry}");
        }
    }
}
