//! Which database the commands work on, and how the component logs in to it.

use anyhow::{Context, Result, bail};
use errand_postgres::{address::Address, cluster::Cluster, connect::create_database, role, secret};

use crate::{
    settings::{APP_HOST, APP_URL, DATABASE_URL, JWT_SECRET, Settings},
    workspace,
};

/// The database of the private server.
pub(crate) const NAME: &str = "errand";

/// The database that `DATABASE_URL` names, else the private one.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) address: Address,
    private: Option<Cluster>,
}

impl Database {
    /// Starts the private server when it is meant and not running.
    pub(crate) async fn open(settings: &Settings) -> Result<Self> {
        if let Some(url) = settings.get(DATABASE_URL) {
            let address = Address::parse(&url).context("DATABASE_URL is of no use")?;
            if address.is_pooled() {
                eprintln!(
                    "errand: DATABASE_URL names a pooled endpoint; migrations work there, but the direct one (without `-pooler`) is better"
                );
            }
            return Ok(Self { address, private: None });
        }
        let cluster = Cluster::start(&workspace::root()?)?;
        let address = create_database(&cluster.address("postgres")?, NAME).await?;
        Ok(Self { address, private: Some(cluster) })
    }

    /// The private server, if that is the one.
    pub(crate) fn private(&self) -> Option<&Cluster> {
        self.private.as_ref()
    }

    /// Applies what is missing, and says what that was.
    pub(crate) async fn migrate(&self) -> Result<()> {
        errand_db::migrate(&self.address, &workspace::root()?.join("migrations")).await
    }

    /// Brings the database up to date, and `.env` to what the component needs to log in to it.
    pub(crate) async fn prepare(&self, settings: &mut Settings) -> Result<()> {
        let known_role = role::app_login_exists(&self.address).await?;
        self.migrate().await?;
        let url = self.app_url(settings, known_role).await?;
        self.remember(settings, &url)
    }

    /// Says what is wrong with the component's way to the database, if anything is.
    pub(crate) async fn warn(&self, settings: &Settings) {
        let Some(Ok(address)) = settings.get(APP_URL).map(|url| Address::parse(&url)) else { return };
        match errand_db::doctor::examine(&address).await {
            Ok(findings) => {
                for (thing, wrong) in findings.iter().filter_map(|(thing, found)| Some((thing, found.as_ref().err()?)))
                {
                    eprintln!("errand: WRONG with {address}: {thing}: {wrong}");
                }
            }
            Err(error) => eprintln!("errand: {error:#}"),
        }
    }

    /// Gives the component's login a new password and writes it to `.env`; with `other`, the login that `.env` does not name, and
    /// nobody uses. Returns the login.
    pub(crate) async fn new_password(&self, settings: &mut Settings, other: bool) -> Result<String> {
        let current = login(settings);
        let login = match other {
            true => self.unused(role::other_login(&current), settings).await?.to_owned(),
            false => current,
        };
        let url = role::ensure_login(&self.address, &login, &secret::hex(24)?).await?;
        self.remember(settings, &url)?;
        Ok(login)
    }

    /// Locks out the login that `.env` does not name, and nobody uses. Returns it.
    pub(crate) async fn retire_login(&self, settings: &Settings) -> Result<&'static str> {
        if settings.get(APP_URL).is_none() {
            bail!(
                "{APP_URL} is not set, so nobody knows which login is in use; `cargo xtask db password --rotate` sets it"
            );
        }
        let other = self.unused(role::other_login(&login(settings)), settings).await?;
        role::lock_out(&self.address, other).await?;
        Ok(other)
    }

    /// The login, if it is not in use, as far as `.env` and the server's sessions tell.
    async fn unused(&self, login: &'static str, settings: &Settings) -> Result<&'static str> {
        let configured = settings.get(APP_URL);
        let app = configured.as_deref().map(|url| Address::parse(url).context(format!("{APP_URL} is of no use")));
        if let Some(app) = app.transpose()?
            && unpooled(&app) != unpooled(&self.address)
        {
            bail!(
                "{APP_URL} is of {}, not of {}: it does not say which login is in use there",
                app.endpoint(),
                self.address
            );
        }
        let sessions = role::sessions(&self.address, login).await?;
        if sessions > 0 {
            bail!(
                "{login} has {sessions} sessions on {}, so it is in use: put the connection string of the login that is to stay into \
                 .env as {APP_URL}, or end those sessions, then try again",
                self.address.endpoint()
            );
        }
        Ok(login)
    }

    /// The private server's login is ours to set. Elsewhere others may log in with the role (a deployment!), so its
    /// password is set only when the role was created just now.
    async fn app_url(&self, settings: &Settings, known_role: bool) -> Result<String> {
        let configured = settings.get(APP_URL);
        let current = configured.as_deref().and_then(|url| Address::parse(url).ok());
        if self.private.is_some() {
            let password = current
                .filter(|app| role::LOGINS.contains(&app.user()) && app.is_local())
                .and_then(|app| app.config().get_password().map(|raw| String::from_utf8_lossy(raw).into_owned()));
            let password = password.map_or_else(|| secret::hex(24), Ok)?;
            return role::ensure_login(&self.address, &login(settings), &password).await;
        }
        if let Some(url) = &configured {
            Address::parse(url).with_context(|| format!("{APP_URL} is of no use"))?;
        }
        match (configured, current) {
            (Some(url), Some(app)) if unpooled(&app) == unpooled(&self.address) => Ok(url),
            _ if known_role => bail!(
                "the role {} existed on {} before, and its password is not known here: put the component's connection string into .env \
                 as {APP_URL}, or set a new password with `cargo xtask db password` (the old one no longer works then)",
                role::APP_ROLE,
                self.address.endpoint()
            ),
            _ => role::ensure_app_login(&self.address, &secret::hex(24)?).await,
        }
    }

    fn remember(&self, settings: &mut Settings, url: &str) -> Result<()> {
        let app = Address::parse(url)?;
        let env = &mut settings.dotenv;
        if env.is_empty() {
            env.comment(
                "Written by `cargo xtask`; your changes are kept. Read by Spin, too. What it may hold: .env.example",
            );
        }
        env.set(APP_URL, url);
        env.set(APP_HOST, &app.endpoint());
        if settings.get(JWT_SECRET).is_none() {
            settings.dotenv.set(JWT_SECRET, &secret::hex(32)?);
        }
        settings.dotenv.save()
    }

    /// Stops the private server if this process started it.
    pub(crate) fn close(self) -> Result<()> {
        self.private.map_or(Ok(()), Cluster::stop)
    }
}

/// The login that `.env` names, else the first.
fn login(settings: &Settings) -> String {
    let app = settings.get(APP_URL).and_then(|url| Address::parse(&url).ok());
    match app {
        Some(app) if role::LOGINS.contains(&app.user()) => app.user().to_owned(),
        _ => role::APP_ROLE.to_owned(),
    }
}

/// What a database is called, whether through Neon's pooler or directly.
fn unpooled(address: &Address) -> (String, u16, String) {
    let host = address.host();
    let host = match host.split_once('.') {
        Some((label, rest)) => format!("{}.{rest}", label.strip_suffix("-pooler").unwrap_or(label)),
        None => host.to_owned(),
    };
    (host, address.port(), address.database().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pooled_endpoint_is_the_same_database() -> Result<()> {
        let direct = Address::parse("postgres://o:p@ep-a-1.eu.neon.tech/main")?;
        let pooled = Address::parse("postgres://errand_app:q@ep-a-1-pooler.eu.neon.tech/main")?;
        assert_eq!(unpooled(&direct), unpooled(&pooled));
        let other = Address::parse("postgres://o:p@ep-b-1.eu.neon.tech/main")?;
        assert_ne!(unpooled(&direct), unpooled(&other));
        Ok(())
    }
}
