//! What the tests of this crate share: a server of their own, a fresh database each, migrations written on the spot.

use std::{env, fs, path::Path, sync::OnceLock};

use anyhow::{Context, Result};
use errand_native::{address::Address, connect, postgres::Cluster, secret};
use tempfile::TempDir;

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

/// A folder of migrations.
pub(crate) struct Migrations(TempDir);

impl Migrations {
    pub(crate) fn new(files: &[(&str, &str)]) -> Result<Self> {
        let migrations = Self(tempfile::tempdir()?);
        fs::create_dir_all(migrations.path().join("functions"))?;
        for (name, text) in files {
            migrations.write(name, text)?;
        }
        Ok(migrations)
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
