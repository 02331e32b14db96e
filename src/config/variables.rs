//! The variables: `[variables]` of spin.toml, and `SPIN_VARIABLE_...` in the environment. A test compares this table with spin.toml and
//! `.env.example`.

use super::{Read, access_log, deadline, server_timing};

/// A variable.
pub struct Variable {
    /// Its name in spin.toml.
    pub name: &'static str,
    /// The default value. `None`: the variable is required.
    pub default: Option<&'static str>,
    /// Whether Spin treats the value as a secret.
    pub secret: bool,
    /// The comment in spin.toml.
    pub about: &'static str,
    /// Who reads it.
    pub reader: Reader,
}

/// Who reads a variable.
pub enum Reader {
    /// The core: checks a value, and puts it into the configuration.
    Core(Read),
    /// The runtime's adapter, which connects to the database.
    Adapter,
    /// The manifest, which says what the component may reach.
    Manifest,
}

use Reader::{Adapter, Core, Manifest};

/// A text that is stored without a check. Combinations are checked when all variables are read.
macro_rules! text {
    ($($place:ident).+) => {
        Core(|config, value| {
            config.$($place).+ = value;
            Ok(())
        })
    };
}

const fn variable(name: &'static str, default: &'static str, about: &'static str, reader: Reader) -> Variable {
    Variable { name, default: Some(default), secret: false, about, reader }
}

const fn secret(name: &'static str, about: &'static str, reader: Reader) -> Variable {
    Variable { name, default: Some(""), secret: true, about, reader }
}

/// All of them, in the order of spin.toml.
pub const VARIABLES: [Variable; 17] = [
    Variable {
        name: "database_url",
        default: None,
        secret: true,
        about: "The connection string of the least-privileged role `errand_app`.",
        reader: Adapter,
    },
    Variable {
        name: "database_host",
        default: None,
        secret: false,
        about: "host:port of that connection string: the only address that the component may reach.",
        reader: Manifest,
    },
    secret(
        "jwt_secret",
        "The shared secret of HS256 tokens, at least 32 bytes; while it changes, the current one and the previous one \
         with a comma between.",
        text!(auth.secret),
    ),
    variable("jwt_jwks", "", "The issuer's public keys: a JWKS, as JSON.", text!(auth.jwks)),
    variable("jwt_jwks_url", "", "The URL where the issuer publishes its public keys.", text!(auth.jwks_url)),
    variable(
        "jwks_origin",
        "https://jwks.invalid",
        "Scheme and host of that URL, such as https://login.example: the only place besides the database that can be \
         reached. Nothing answers at the default, and Spin 4.0 refuses an empty one.",
        Manifest,
    ),
    variable("jwt_issuer", "", "The `iss` that a token must carry; empty: any.", text!(auth.issuer)),
    variable("jwt_audience", "", "The `aud` that a token must carry; empty: any.", text!(auth.audience)),
    variable(
        "jwt_algorithms",
        "",
        "The algorithms that are accepted, with commas between them; empty: all that the keys are good for.",
        text!(auth.algorithms),
    ),
    variable(
        "jwt_token_type",
        "",
        "The `typ` in a token's header, such as at+jwt; empty: JWT, at+jwt or none, and no ID tokens.",
        text!(auth.token_type),
    ),
    variable(
        "jwt_scopes",
        "",
        "Scopes tasks:read and tasks:write: off, on (for tokens that have scopes) or required.",
        text!(auth.scopes),
    ),
    variable(
        "jwt_resource",
        "",
        "The public URL of this API, for clients that look for the issuer (RFC 9728); empty: what they called it.",
        text!(auth.resource),
    ),
    variable(
        "cors_origins",
        "",
        "The origins whose pages may call the API from a browser, with commas between them; empty: none.",
        text!(cors_origins),
    ),
    variable(
        "database_deadline_ms",
        "5000",
        "How long a database operation may take, in milliseconds, a place in the pool and the connection included; 100 \
         to 60000.",
        Core(|config, value| {
            config.database_deadline = deadline(&value)?;
            Ok(())
        }),
    ),
    variable(
        "access_log",
        "all",
        "Which requests get a line in the log: all, or errors (those that failed on this side).",
        Core(|config, value| {
            config.access_log = access_log(&value)?;
            Ok(())
        }),
    ),
    secret("log_key", "The key under which the log hashes user ids; empty: it leaves them out.", text!(log_key)),
    variable(
        "server_timing",
        "off",
        "Whether answers say how long verification, database and all took (Server-Timing), readable by allowed origins: \
         off or on.",
        Core(|config, value| {
            config.server_timing = server_timing(&value)?;
            Ok(())
        }),
    ),
];

/// The variables of the core, each at its place in the table.
#[allow(clippy::indexing_slicing, reason = "a constant that panics does not compile")]
pub(super) const fn core() -> [Option<(&'static str, Read)>; VARIABLES.len()] {
    let mut core = [None; VARIABLES.len()];
    let mut at = 0;
    while at < VARIABLES.len() {
        if let Core(read) = VARIABLES[at].reader {
            core[at] = Some((VARIABLES[at].name, read));
        }
        at += 1;
    }
    core
}
