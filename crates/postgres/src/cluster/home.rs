//! The folder of a private server and the user that owns it.
//!
//! PostgreSQL refuses to run as root. For root the server runs as `postgres` or `nobody`, and the folder must be one
//! that this user can reach, which a checkout below `/root` is not.

use std::{
    fs::{self, DirBuilder, File, Permissions, TryLockError},
    io::Write,
    os::unix::{
        fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use super::read;
use crate::secret;

/// The folder, relative to the checkout, under which everything private lies; ignored by git.
const PRIVATE: &str = ".errand";
/// The checkout's own server, below that.
const OWN: &str = "postgres";
/// The one that measurements run on.
const BENCH: &str = "bench";
/// How long one command waits for another that is starting the same server.
const LOCK_TIMEOUT: Duration = Duration::from_secs(180);

/// The user that the server runs as, when it is not the one who asks.
#[derive(Debug, Clone)]
struct User {
    uid: u32,
    gid: u32,
}

impl User {
    fn owning(folder: &Path) -> Result<Self> {
        let owner = fs::metadata(folder).with_context(|| format!("cannot read {}", folder.display()))?;
        Ok(Self { uid: owner.uid(), gid: owner.gid() })
    }
}

/// A private server's folder.
#[derive(Debug)]
pub(super) struct Home {
    folder: PathBuf,
    user: Option<User>,
    temporary: bool,
}

impl Home {
    /// The checkout's folder, created when it is not there.
    pub(super) fn of(checkout: &Path) -> Result<Self> {
        match Self::existing(checkout)? {
            Some(home) => Ok(home),
            None => Self::create(checkout, OWN, false),
        }
    }

    /// The folder of the server that measurements run on, created when it is not there.
    pub(super) fn of_bench(checkout: &Path) -> Result<Self> {
        match Self::existing_at(checkout, BENCH)? {
            Some(home) => Ok(home),
            None => Self::create(checkout, BENCH, false),
        }
    }

    /// The checkout's folder, if a server was ever created there.
    pub(super) fn existing(checkout: &Path) -> Result<Option<Self>> {
        Self::existing_at(checkout, OWN)
    }

    fn existing_at(checkout: &Path, name: &str) -> Result<Option<Self>> {
        for base in [checkout.join(PRIVATE), fallback(checkout)] {
            let mut home = Self { folder: base.join(name), user: None, temporary: false };
            if home.has_cluster() {
                // Created by an ordinary user, it stays that user's when root comes along.
                if rustix::process::geteuid().is_root() {
                    home.user = Some(User::owning(&home.folder)?);
                }
                home.check_owner()?;
                return Ok(Some(home));
            }
        }
        Ok(None)
    }

    /// A folder of its own, which goes with the server.
    pub(super) fn temporary(checkout: &Path) -> Result<Self> {
        sweep(&checkout.join(PRIVATE));
        sweep(&fallback(checkout));
        Self::create(checkout, &format!("test-{}", secret::hex(6)?), true)
    }

    fn create(checkout: &Path, name: &str, temporary: bool) -> Result<Self> {
        let user = server_user()?;
        let mut home = Self { folder: checkout.join(PRIVATE).join(name), user, temporary };
        if home.prepare().is_err() && home.user.is_some() {
            let _ = fs::remove_dir(&home.folder);
            home.folder = fallback(checkout).join(name);
            if !temporary {
                eprintln!(
                    "errand: the user that PostgreSQL runs as cannot reach this checkout; its data goes to {}",
                    home.folder.display()
                );
            }
        }
        home.prepare()?;
        Ok(home)
    }

    /// Creates the folder for the server's user alone, and has that user prove that it can work there.
    fn prepare(&self) -> Result<()> {
        let failed = || format!("cannot use {} for PostgreSQL", self.folder.display());
        if let Some(base) = self.folder.parent() {
            DirBuilder::new().recursive(true).mode(0o755).create(base).with_context(failed)?;
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).with_context(failed)?;
        self.own(&self.folder).with_context(failed)?;
        let mut probe = self.command(Path::new("/bin/sh"));
        probe.args(["-c", "cd \"$1\" && test -w .", "sh"]).arg(&self.folder);
        let status = probe.stdout(Stdio::null()).stderr(Stdio::null()).status().with_context(failed)?;
        if !status.success() {
            bail!("the user that PostgreSQL runs as cannot write to {}", self.folder.display());
        }
        Ok(())
    }

    fn check_owner(&self) -> Result<()> {
        if let Err(error) = fs::read_dir(&self.folder) {
            bail!(
                "{} belongs to another user ({error}); run this as the user that created it, or remove it to start afresh",
                self.folder.display()
            );
        }
        Ok(())
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn is_temporary(&self) -> bool {
        self.temporary
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    pub(super) fn port_file(&self) -> PathBuf {
        self.folder.join("port")
    }

    pub(super) fn password_file(&self) -> PathBuf {
        self.folder.join("password")
    }

    pub(super) fn has_cluster(&self) -> bool {
        self.data().join("PG_VERSION").is_file()
    }

    pub(super) fn password(&self) -> Result<String> {
        Ok(read(&self.password_file())?.trim().to_owned())
    }

    /// Writes a file that only the server's user (and root) can read.
    pub(super) fn write(&self, path: &Path, text: &str) -> Result<()> {
        let failed = || format!("cannot write {}", path.display());
        let mut file =
            File::options().write(true).create(true).truncate(true).mode(0o600).open(path).with_context(failed)?;
        file.set_permissions(Permissions::from_mode(0o600)).with_context(failed)?;
        file.write_all(text.as_bytes()).with_context(failed)?;
        self.own(path).with_context(failed)
    }

    /// A program that runs as the server's user, where that user can be.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").stdin(Stdio::null());
        if let Some(user) = &self.user {
            command.uid(user.uid).gid(user.gid).env_remove("HOME");
        }
        command
    }

    fn own(&self, path: &Path) -> Result<()> {
        if let Some(user) = &self.user {
            chown(path, Some(user.uid), Some(user.gid))?;
        }
        Ok(())
    }

    /// Held while the server is created or started, so that two commands do not both do it.
    pub(super) fn lock(&self) -> Result<File> {
        let path = self.folder.with_extension("lock");
        if self.temporary {
            // No other process knows this folder.
            return File::open(&self.folder).context("cannot open the temporary folder");
        }
        let file = File::options().create(true).write(true).truncate(false).open(&path);
        let file = file.with_context(|| format!("cannot open {}", path.display()))?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if begun.elapsed() > LOCK_TIMEOUT => {
                    bail!(
                        "another command has been starting PostgreSQL for {} s; stop it and try again",
                        LOCK_TIMEOUT.as_secs()
                    )
                }
                Err(TryLockError::WouldBlock) => {
                    if begun.elapsed() < Duration::from_millis(100) {
                        eprintln!("errand: another command is starting PostgreSQL; waiting for it");
                    }
                    sleep(Duration::from_millis(100));
                }
                Err(TryLockError::Error(error)) => {
                    return Err(error).context("cannot lock the data folder of PostgreSQL");
                }
            }
        }
    }
}

/// Where the folder goes when the server's user cannot reach the checkout: stable for each checkout.
pub(super) fn fallback(checkout: &Path) -> PathBuf {
    let hash = secret::to_hex(&Sha256::digest(checkout.as_os_str().as_encoded_bytes()));
    PathBuf::from(format!("/var/lib/errand-{}", hash.get(..8).unwrap_or_default()))
}

/// Removes the empty folders that servers for tests leave behind when their process was killed.
fn sweep(base: &Path) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("test-") {
            // Fails, as it should, where a server is at work.
            let _ = fs::remove_dir(entry.path());
        }
    }
}

/// The user for the server when root asks.
fn server_user() -> Result<Option<User>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let users = read(Path::new("/etc/passwd"))?;
    let find = |name: &str| {
        users.lines().find_map(|line| {
            let mut fields = line.split(':');
            let found = fields.next()? == name;
            let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
            found.then_some(User { uid, gid })
        })
    };
    match find("postgres").or_else(|| find("nobody")) {
        Some(user) => Ok(Some(user)),
        None => bail!(
            "PostgreSQL does not run as root, and there is no user `postgres` or `nobody` to run it as; run this as an ordinary user"
        ),
    }
}
