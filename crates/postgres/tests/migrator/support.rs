//! What the tests of this crate share: a server of their own, a fresh database each, migrations written on the spot.

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use anyhow::{Context, Result};
use errand_postgres::{
    address::Address,
    cluster::Cluster,
    connect,
    migrate::{self, FUNCTIONS, Report},
    secret,
};
use tempfile::TempDir;
use tokio::sync::Mutex;

/// A database of its own on `ERRAND_TEST_DATABASE_URL`, or on a server that goes with this process.
pub(crate) async fn database() -> Result<Address> {
    static SERVER: OnceLock<Result<Cluster, String>> = OnceLock::new();
    let server = match env::var("ERRAND_TEST_DATABASE_URL") {
        Ok(url) => Address::parse(&url)?,
        Err(_) => {
            let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
            let cluster = SERVER.get_or_init(|| Cluster::ephemeral(&checkout).map_err(|error| format!("{error:#}")));
            cluster.as_ref().map_err(|error| anyhow::anyhow!("{error}"))?.address("postgres")?
        }
    };
    connect::create_database(&server, &format!("test_{}", secret::hex(8)?)).await
}

/// Held by a test that changes the role `errand_app`, which all databases of the server share: PostgreSQL fails one of two
/// sessions that alter a role at once.
pub(crate) static ROLE: Mutex<()> = Mutex::const_new(());

/// Applies the migrations of the checkout, or a changed copy of them.
pub(crate) async fn migrate(address: &Address, files: &Migrations) -> Result<Report> {
    let _role = ROLE.lock().await;
    migrate::migrate(address, files.path()).await
}

/// A folder of migrations.
pub(crate) struct Migrations(TempDir);

impl Migrations {
    pub(crate) fn new(files: &[(&str, &str)]) -> Result<Self> {
        let migrations = Self(tempfile::tempdir()?);
        for folder in FUNCTIONS {
            fs::create_dir_all(migrations.path().join(folder))?;
        }
        for (name, text) in files {
            migrations.write(name, text)?;
        }
        Ok(migrations)
    }

    /// A copy of the checkout's own.
    pub(crate) fn of_checkout() -> Result<Self> {
        // `cargo xtask mutants` names a copy with a fault in it.
        let folder = env::var_os("ERRAND_TEST_MIGRATIONS")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations"), PathBuf::from);
        let copy = Self::new(&[])?;
        for below in [""].into_iter().chain(FUNCTIONS) {
            for entry in fs::read_dir(folder.join(below))? {
                let path = entry?.path();
                if path.extension().is_some_and(|extension| extension == "sql") {
                    fs::copy(&path, copy.path().join(below).join(path.file_name().unwrap_or_default()))?;
                }
            }
        }
        Ok(copy)
    }

    /// The names of the files with functions, in the order in which they are run.
    pub(crate) fn functions(&self) -> Result<Vec<String>> {
        let names: Vec<_> = FUNCTIONS.into_iter().map(|folder| self.names(folder)).collect::<Result<_>>()?;
        Ok(names.concat())
    }

    /// The names of the files in a folder below, in order.
    pub(crate) fn names(&self, below: &str) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.path().join(below))? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                names.push(Path::new(below).join(entry.file_name()).to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    pub(crate) fn read(&self, name: &str) -> Result<String> {
        fs::read_to_string(self.path().join(name)).with_context(|| format!("cannot read {name}"))
    }

    /// Replaces the statement that defines the function.
    pub(crate) fn redefine(&self, file: &str, function: &str, new: impl Fn(&str) -> String) -> Result<()> {
        let text = self.read(file)?;
        let begin = format!("create or replace function api.{function}(");
        let (before, rest) = text.split_once(&begin).with_context(|| format!("{file} has no function {function}"))?;
        let (old, after) = rest.split_once("\n$$;\n").with_context(|| format!("{function} has no end"))?;
        self.write(file, &format!("{before}{}{after}", new(&format!("{begin}{old}\n$$;\n"))))
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> Result<()> {
        fs::write(self.path().join(name), text).context("cannot write a migration")
    }

    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        fs::remove_file(self.path().join(name)).context("cannot remove a migration")
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

/// The first column of the first row, as text.
pub(crate) async fn ask(address: &Address, query: &str) -> Result<String> {
    let client = connect::connect(address).await?;
    let row = client.query_one(&format!("select ({query})::text"), &[]).await?;
    Ok(row.try_get::<_, Option<String>>(0)?.unwrap_or_default())
}
