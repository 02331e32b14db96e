//! A running errand for tests that come from outside: the components in the local host, on a database of their own.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use errand_postgres::{address::Address, connect::create_database, migrate, role};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;

use crate::{
    runtime::{Runtime, Serving},
    settings::{APP_HOST, APP_URL, JWT_AUDIENCE, JWT_ISSUER, JWT_SECRET},
    workspace,
};

/// Good for the tests, and for nothing else.
pub(crate) const SECRET: &str = "a secret for tests, and for nothing else";
/// No such test takes longer.
const VALIDITY: Duration = Duration::from_secs(60 * 60);

/// What runs, and tokens of two users to call it with.
pub(crate) struct Live {
    serving: Serving,
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) other_token: String,
}

impl Live {
    /// Starts the built components on a new database of the server with this administrator's address.
    pub(crate) async fn start(server: &str) -> Result<Self> {
        let program = Runtime::Host.prepare().await?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?;
        let name = format!("errand_live_{}_{}", std::process::id(), now.as_millis());
        let admin = create_database(&Address::parse(server)?, &name).await?;
        migrate::migrate(&admin, &workspace::root()?.join("migrations")).await?;
        let app_url = role::ensure_app_login(&admin, "errand_app in tests").await?;
        let environment = [
            (APP_URL, app_url),
            (APP_HOST, admin.endpoint()),
            (JWT_SECRET, SECRET.to_owned()),
            (JWT_ISSUER, String::new()),
            (JWT_AUDIENCE, String::new()),
        ];
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut serving = Runtime::Host.serve(&program, anywhere, &environment)?;
        let url = format!("http://{}", serving.ready().await?);
        Ok(Self { serving, url, token: token("live")?, other_token: token("other")? })
    }

    pub(crate) async fn stop(self) {
        self.serving.stop().await;
    }
}

/// A token of this user's, by [`SECRET`].
pub(crate) fn token(user: &str) -> Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?;
    let claims = json!({"sub": user, "iat": now.as_secs(), "exp": (now + VALIDITY).as_secs()});
    Ok(encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET.as_bytes())?)?)
}
