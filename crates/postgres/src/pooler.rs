//! A PgBouncer in front of a server, for tests: `deploy/pgbouncer.ini` with the server's address in it.

use std::{
    env, fs,
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::{address::Address, group::GroupGuard};

/// The environment variable that names a PgBouncer which keeps prepared statements.
pub const PROGRAM: &str = "PGBOUNCER";

/// The first version with support for prepared statements.
const MIN_VERSION: (u32, u32) = (1, 21);
/// The timeout for its start, and for its stop.
const START_STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// A running PgBouncer. It stops when this value is dropped, or with this process.
#[derive(Debug)]
pub struct Pooler {
    port: u16,
    child: Child,
    guard: GroupGuard,
    _folder: TempDir,
}

/// The first PgBouncer of these: the variable `PGBOUNCER`, PATH, Debian's folder, and one that `cargo xtask test` has fetched into
/// the checkout.
pub fn find(checkout: &Path) -> Option<PathBuf> {
    let named = env::var_os(PROGRAM).filter(|name| !name.is_empty()).map(PathBuf::from);
    let on_path = env::var_os("PATH").into_iter().flat_map(|path| env::split_paths(&path).collect::<Vec<_>>());
    let folders = on_path.chain([PathBuf::from("/usr/sbin"), fetched(checkout)]);
    named.into_iter().chain(folders.map(|folder| folder.join("pgbouncer"))).find(|program| program.is_file())
}

/// The folder of one that was fetched into the checkout; it holds the libraries, too.
pub fn fetched(checkout: &Path) -> PathBuf {
    checkout.join("target/tools/pgbouncer")
}

/// A command that runs the program, with the libraries that lie beside it.
pub fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    if let Some(folder) = program.parent() {
        command.env("LD_LIBRARY_PATH", folder);
    }
    command
}

/// What becomes of prepared statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statements {
    /// As the file says.
    Kept,
    /// Mixed up among few sessions, as every PgBouncer before 1.21 does.
    MixedUp,
}

impl Pooler {
    /// Starts the program before the database, with the file `ini`, for these users and passwords.
    ///
    /// # Errors
    ///
    /// When it cannot be started, is older than the file asks for, or does not listen within ten seconds; its last words are in the
    /// error.
    pub fn start(
        program: &Path,
        ini: &Path,
        database: &Address,
        users: &[(&str, &str)],
        statements: Statements,
    ) -> Result<Self> {
        let support = version(program)? >= MIN_VERSION;
        let settings: &[_] = match statements {
            Statements::Kept if !support => bail!("{} is older than 1.21", program.display()),
            Statements::Kept => &[],
            // Older versions refuse the setting.
            Statements::MixedUp if support => {
                &[("max_prepared_statements", Some("0")), ("default_pool_size", Some("4"))]
            }
            Statements::MixedUp => &[("max_prepared_statements", None), ("default_pool_size", Some("4"))],
        };
        let folder = tempfile::tempdir().context("no folder for PgBouncer")?;
        // PgBouncer runs as another user if this one is root.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let path = |name: &str| folder.path().join(name);
        let list: String = users.iter().map(|(user, password)| format!("\"{user}\" \"{password}\"\n")).collect();
        fs::write(path("userlist.txt"), list)?;
        let mut text = fs::read_to_string(ini).with_context(|| format!("cannot read {}", ini.display()))?;
        let (port_text, list) = (port.to_string(), path("userlist.txt").display().to_string());
        let given = [("listen_port", Some(port_text.as_str())), ("auth_file", Some(list.as_str()))];
        for (name, value) in given.iter().chain(settings) {
            text = with(&text, name, *value);
        }
        let server = format!("host={} port={} dbname={}", database.host(), database.port(), database.database());
        let text =
            with(&text, "errand", Some(&server)).replace("\nerrand = ", &format!("\n{} = ", database.database()));
        fs::write(path("pgbouncer.ini"), text)?;

        let mut command = command(program);
        if rustix::process::geteuid().is_root() {
            // PgBouncer refuses to run as root.
            command.args(["-u", "nobody"]);
        }
        command.arg(path("pgbouncer.ini")).process_group(0).stdin(Stdio::null()).stdout(Stdio::null());
        let log = path("log");
        command.stderr(fs::File::create(&log)?);
        let mut child = command.spawn().with_context(|| format!("cannot run {}", program.display()))?;
        let guard = GroupGuard::of(child.id(), START_STOP_TIMEOUT)?;
        let late = Instant::now() + START_STOP_TIMEOUT;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if child.try_wait()?.is_some() || Instant::now() > late {
                let words = fs::read_to_string(&log).unwrap_or_default();
                bail!("{} does not listen: {}", program.display(), words.lines().last().unwrap_or("it says nothing"));
            }
            sleep(Duration::from_millis(20));
        }
        Ok(Self { port, child, guard, _folder: folder })
    }

    /// The connection string through it. TLS ends before it, on this machine.
    ///
    /// # Errors
    ///
    /// When `url` is none.
    pub fn url(&self, url: &str) -> Result<String> {
        let address = Address::parse(url)?;
        Ok(url.replacen(&address.endpoint(), &format!("127.0.0.1:{}", self.port), 1))
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.guard.release();
        let _ = self.child.wait();
    }
}

/// The file with another value for a setting, or without it.
fn with(text: &str, name: &str, value: Option<&str>) -> String {
    let is_it = |line: &str| line.split_once('=').is_some_and(|(found, _)| found.trim() == name);
    let lines = text.lines().filter_map(|line| match (is_it(line), value) {
        (false, _) => Some(line.to_owned()),
        (true, value) => value.map(|value| format!("{name} = {value}")),
    });
    lines.map(|line| line + "\n").collect()
}

/// Major and minor of `PgBouncer 1.18.0`.
fn version(program: &Path) -> Result<(u32, u32)> {
    let output = command(program).arg("--version").stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot run {}", program.display()))?;
    let told = String::from_utf8_lossy(&output.stdout);
    let number = told.strip_prefix("PgBouncer ").and_then(|rest| rest.split_whitespace().next());
    let mut parts = number.unwrap_or_default().split('.').map(|part| part.parse().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(major), Some(minor)) => Ok((major, minor)),
        _ => bail!("{} does not say which version of PgBouncer it is", program.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::with;

    #[test]
    fn a_setting_is_replaced_in_its_place_or_taken_out() {
        let text = "[pgbouncer]\nmax = 1\nmaximum = 2\n";
        assert_eq!(with(text, "max", Some("3")), "[pgbouncer]\nmax = 3\nmaximum = 2\n");
        assert_eq!(with(text, "max", None), "[pgbouncer]\nmaximum = 2\n");
    }
}
