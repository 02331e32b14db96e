//! The database that is measured: a PostgreSQL of its own, filled once, copied for each run.
//!
//! The server keeps fsync on: what is acknowledged is on the disk, as in production, and waiting for the disk weighs on
//! every peer alike.

use std::fs;

use anyhow::{Context, Result};
use errand_native::{address::Address, connect, migrate, postgres::Cluster, role, secret};
use sha2::{Digest, Sha256};
use tokio_postgres::Client;

use crate::{token, workspace};

/// The database that is measured; made anew for each run.
const RUN: &str = "bench_run";
/// The role of the peers: it owns what errand_app may use, and no row-level security holds it.
const PEER: &str = "errand_peer";
/// How many tasks of a user the requests choose among.
const SAMPLE: u32 = 200;
/// How many tasks one statement inserts.
const CHUNK: u32 = 10_000;

/// How much data there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) first_user: u32,
    pub(crate) users: u32,
    pub(crate) tasks: u32,
}

/// A filled database, ready to be measured.
pub(crate) struct Data {
    cluster: Cluster,
    admin: Address,
    client: Client,
    /// The component's connection string.
    pub(crate) app_url: String,
    /// The peers', without a scheme.
    pub(crate) peer_url: String,
    /// The secret of the tokens.
    pub(crate) secret: String,
}

impl Data {
    /// Starts the server, fills a template unless one is there for these migrations, and copies it.
    pub(crate) async fn open(sizes: &[Size]) -> Result<Self> {
        let root = workspace::root()?;
        let cluster = Cluster::bench(&root).context("no PostgreSQL for the bench")?;
        let postgres = cluster.address("postgres")?;
        let server = connect::connect(&postgres).await?;
        let template = template(sizes)?;
        sweep(&server, &template).await?;
        if !exists(&server, &template).await? {
            fill(&cluster, &server, sizes, &template).await?;
        }
        eprintln!("errand: copying the data");
        server.batch_execute(&format!("drop database if exists {RUN} with (force)")).await?;
        // By copying files where the server can choose (from 15 on): logging every page would take longer.
        let copy = format!("create database {RUN} template {template}");
        if server.batch_execute(&format!("{copy} strategy file_copy")).await.is_err() {
            server.batch_execute(&copy).await.context("could not copy the template")?;
        }
        let admin = postgres.with_database(RUN);
        // The functions may have changed since the template was filled.
        migrate::migrate(&admin, &root.join("migrations")).await?;
        let app_url = role::ensure_app_login(&admin, &secret::hex(16)?).await?;
        let client = connect::connect(&admin).await?;
        let password = peer_role(&client).await?;
        let peer_url = format!("{PEER}:{password}@127.0.0.1:{}/{RUN}", cluster.port());
        Ok(Self { cluster, admin, client, app_url, peer_url, secret: secret::hex(32)? })
    }

    /// What the load generator needs to know of each user: id, token, number of the latest write, and tasks.
    pub(crate) async fn plan(&self, size: Size) -> Result<String> {
        let step = (size.tasks / SAMPLE).max(1);
        let rows = self
            .client
            .query(
                "select account.user_id, account.seq, (
                     select string_agg(format('%s:%s', task.id, task.version), ' ')
                     from generate_series(1, $3::int, $4::int) as n
                     join errand.task on task.user_id = account.user_id
                         and task.id = format('0193%s70008000%s', 10000000 + n, 100000000000 + u)::uuid)
                 from generate_series($1::int, $1 + $2::int - 1) as u
                 join errand.account on account.user_id = format('user-%s', u)
                 order by u",
                &[&number(size.first_user), &number(size.users), &number(size.tasks), &number(step)],
            )
            .await?;
        let mut plan = String::new();
        for row in rows {
            let (user, seq, tasks): (String, i64, Option<String>) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            let token = token::sign(&self.secret, &user)?;
            plan.push_str(&format!("{user}\t{token}\t{seq}\t{}\n", tasks.unwrap_or_default()));
        }
        Ok(plan)
    }

    /// The first column of the first row.
    pub(crate) async fn ask(&self, query: &str) -> Result<String> {
        Ok(self.client.query_one(query, &[]).await?.try_get(0)?)
    }

    pub(crate) fn endpoint(&self) -> String {
        self.admin.endpoint()
    }

    /// The server's first process.
    pub(crate) fn pid(&self) -> Option<u32> {
        fs::read_to_string(self.cluster.folder().join("data/postmaster.pid")).ok()?.lines().next()?.trim().parse().ok()
    }

    /// Drops what was measured; the template stays.
    pub(crate) async fn close(self) -> Result<()> {
        let server = connect::connect(&self.cluster.address("postgres")?).await?;
        server.batch_execute(&format!("drop database if exists {RUN} with (force)")).await?;
        drop((server, self.client));
        self.cluster.stop()
    }
}

/// Named after everything that the data follows from; functions do not belong to that.
fn template(sizes: &[Size]) -> Result<String> {
    let root = workspace::root()?;
    let mut files: Vec<_> = fs::read_dir(root.join("migrations"))?.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.to_string_lossy().ends_with(".up.sql"));
    files.sort();
    files.push(root.join("bench/load.sql"));
    let mut digest = Sha256::new();
    for path in files {
        digest.update(fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?);
    }
    let sum: String = digest.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let shape: Vec<String> = sizes.iter().map(|size| format!("{}x{}", size.users, size.tasks)).collect();
    let mut shape_digest = Sha256::new();
    shape_digest.update(shape.join("_"));
    let shape: String = shape_digest.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("bench_{sum}_{shape}"))
}

/// Drops templates of other migrations, and those that were never finished.
async fn sweep(server: &Client, template: &str) -> Result<()> {
    let sum = template.rsplit_once('_').map(|(sum, _)| sum).unwrap_or(template);
    let rows = server.query("select datname::text from pg_database where datname like 'bench\\_%'", &[]).await?;
    for row in rows {
        let name: String = row.try_get(0)?;
        if !name.starts_with(sum) || name.ends_with("_new") {
            server.batch_execute(&format!("drop database if exists {name} with (force)")).await?;
        }
    }
    Ok(())
}

async fn exists(server: &Client, name: &str) -> Result<bool> {
    Ok(server.query_opt("select from pg_database where datname = $1", &[&name]).await?.is_some())
}

async fn fill(cluster: &Cluster, server: &Client, sizes: &[Size], template: &str) -> Result<()> {
    let total: u64 = sizes.iter().map(|size| u64::from(size.users) * u64::from(size.tasks)).sum();
    eprintln!("errand: loading {total} tasks, once; this takes about {} minutes", total / 800_000 + 1);
    let unfinished = format!("{template}_new");
    let admin = connect::create_database(&cluster.address("postgres")?, &unfinished).await?;
    migrate::migrate(&admin, &workspace::root()?.join("migrations")).await?;
    let load = fs::read_to_string(workspace::root()?.join("bench/load.sql"))?;
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let mut work: Vec<(u32, u32, u32)> = Vec::new();
    for size in sizes {
        // Several small users in one statement, else one.
        let each = (CHUNK / size.tasks.max(1)).clamp(1, size.users);
        let (mut user, end) = (size.first_user, size.first_user + size.users);
        while user < end {
            work.push((user, (user + each).min(end) - 1, size.tasks));
            user += each;
        }
    }
    // The longest last, so that it is taken first.
    work.sort_by_key(|(_, _, tasks)| *tasks);
    let work = std::sync::Arc::new(tokio::sync::Mutex::new(work));
    let mut loaders = tokio::task::JoinSet::new();
    for _ in 0..workers {
        let (admin, load, work) = (admin.clone(), load.clone(), work.clone());
        loaders.spawn(async move {
            let client = connect::connect(&admin).await?;
            client.batch_execute("set synchronous_commit = off").await?;
            let statement = client.prepare(&load).await?;
            while let Some((from, to, tasks)) = { work.lock().await.pop() } {
                client.execute(&statement, &[&number(from), &number(to), &number(tasks)]).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = loaders.join_next().await {
        done?.context("could not load the data")?;
    }
    let client = connect::connect(&admin).await?;
    client.batch_execute("vacuum (analyze, freeze)").await?;
    drop(client);
    // Nobody may be connected to what is renamed; connections take a moment to go.
    for _ in 0..50 {
        if server.batch_execute(&format!("alter database {unfinished} rename to {template}")).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    server.batch_execute(&format!("alter database {unfinished} rename to {template}")).await?;
    Ok(())
}

/// Makes the role that the peers log in as; returns its password.
async fn peer_role(client: &Client) -> Result<String> {
    let password = secret::hex(16)?;
    client
        .batch_execute(&format!(
            "do $$ begin
                 if not exists (select from pg_roles where rolname = '{PEER}') then create role {PEER} bypassrls; end if;
             end $$;
             alter role {PEER} login password '{password}';
             alter role {PEER} set timezone = 'UTC';
             grant usage on schema errand to {PEER};
             grant select, insert, update, delete on all tables in schema errand to {PEER}"
        ))
        .await?;
    Ok(password)
}

fn number(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
