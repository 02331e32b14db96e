//! The configuration, from the operator's variables. Read once per instance.

mod variables;

use std::time::Duration;

use crate::auth::AuthConfig;
pub use variables::{Reader, VARIABLES, Variable};

/// Everything that can be configured.
#[derive(Clone)]
pub struct Config {
    /// Which tokens are accepted.
    pub auth: AuthConfig,
    /// The origins whose pages may call the API from a browser, comma-separated; `*` for any; none when empty.
    pub cors_origins: String,
    /// Which requests are logged.
    pub access_log: AccessLog,
    /// The key under which the log hashes user ids; empty: it leaves them out.
    pub log_key: String,
    /// Whether responses have `Server-Timing`.
    pub server_timing: bool,
    /// The deadline of a database operation, including the pool checkout and the connection.
    pub database_deadline: Duration,
}

/// Which requests are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessLog {
    /// Every one
    All,
    /// Those that failed on this side: 5xx
    Errors,
}

/// A configuration that errand refuses to serve with: the variable, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the variable {variable} {problem}")]
pub struct ConfigError {
    /// The variable's name in spin.toml.
    pub variable: &'static str,
    /// The problem. Never contains the value.
    pub problem: String,
}

impl Config {
    /// Reads a configuration from variables. `get` returns the value of a variable, or `None` if it is not set.
    ///
    /// # Errors
    ///
    /// When a value is invalid. [`App::new`](crate::App::new) checks combinations of values.
    pub fn from_variables(mut get: impl FnMut(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut config = Self {
            auth: AuthConfig::default(),
            cors_origins: String::new(),
            access_log: AccessLog::All,
            log_key: String::new(),
            server_timing: false,
            database_deadline: Duration::ZERO,
        };
        for (name, read) in core() {
            read(&mut config, get(name).unwrap_or_default())?;
        }
        Ok(config)
    }

    /// The names of the variables that `from_variables` asks for.
    pub fn names() -> impl Iterator<Item = &'static str> {
        core().map(|(name, _)| name)
    }
}

/// How the core reads a variable.
pub type Read = fn(&mut Config, String) -> Result<(), ConfigError>;

fn core() -> impl Iterator<Item = (&'static str, Read)> {
    // Made while compiling, so that the comments of the table are not part of a component.
    const CORE: [Option<(&str, Read)>; VARIABLES.len()] = variables::core();
    CORE.into_iter().flatten()
}

/// Parses a deadline in milliseconds, 100 to 60,000; 5 s when empty.
fn deadline(text: &str) -> Result<Duration, ConfigError> {
    const DEFAULT: u64 = 5_000;
    let milliseconds = if text.is_empty() { Ok(DEFAULT) } else { text.parse() };
    match milliseconds {
        Ok(milliseconds @ 100..=60_000) => Ok(Duration::from_millis(milliseconds)),
        _ => Err(ConfigError {
            variable: "database_deadline_ms",
            problem: "must be a number of milliseconds from 100 to 60000".to_owned(),
        }),
    }
}

fn access_log(text: &str) -> Result<AccessLog, ConfigError> {
    match text {
        "" | "all" => Ok(AccessLog::All),
        "errors" => Ok(AccessLog::Errors),
        _ => Err(ConfigError { variable: "access_log", problem: "must be all or errors".to_owned() }),
    }
}

fn server_timing(text: &str) -> Result<bool, ConfigError> {
    match text {
        "" | "off" => Ok(false),
        "on" => Ok(true),
        _ => Err(ConfigError { variable: "server_timing", problem: "must be off or on".to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, value: &str) -> Result<Config, ConfigError> {
        Config::from_variables(|asked| (asked == name).then(|| value.to_owned()))
    }

    #[test]
    fn what_is_not_set_has_a_default() {
        let config = Config::from_variables(|_| None).unwrap();
        assert_eq!((config.access_log, config.database_deadline), (AccessLog::All, Duration::from_secs(5)));
    }

    #[test]
    fn a_value_that_means_nothing_is_refused_by_its_name() {
        for (name, values) in [
            ("database_deadline_ms", &["99", "60001", "-1", "5s", "1e3", " 500", "99999999999999999999"][..]),
            ("access_log", &["none", "All", "true", " "]),
            ("server_timing", &["true", "On", " "]),
        ] {
            for value in values {
                assert_eq!(of(name, value).map(|_| ()).unwrap_err().variable, name, "{value}");
            }
        }
        assert_eq!(of("database_deadline_ms", "100").unwrap().database_deadline, Duration::from_millis(100));
        assert_eq!(of("access_log", "errors").unwrap().access_log, AccessLog::Errors);
        assert!(of("server_timing", "on").unwrap().server_timing && !of("server_timing", "off").unwrap().server_timing);
    }

    #[test]
    fn what_is_printed_of_the_keys_has_no_secret() {
        let auth = AuthConfig {
            secret: "hush".to_owned(),
            issuer: "https://issuer.example".to_owned(),
            ..AuthConfig::default()
        };
        let printed = format!("{auth:?}");
        assert!(printed.contains("issuer.example") && !printed.contains("hush"), "{printed}");
    }
}
