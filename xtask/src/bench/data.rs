//! The database that is measured: a PostgreSQL of its own, filled once, copied for each run.
//!
//! The server keeps fsync on: what is acknowledged is on the disk, as in production, and waiting for the disk weighs on
//! every peer alike.

mod roles;

use std::{fs, path::PathBuf, sync::Arc};

use anyhow::{Context, Result, bail};
use errand_postgres::{address::Address, cluster::Cluster, connect, migrate, role, secret};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio_postgres::Client;

use super::{
    signer::{Alg, Signer},
    usage::Processes,
};
use crate::{
    process::{self, BRIEF},
    settings::DATABASE_URL,
    workspace,
};

/// How many templates are kept: those that were used last.
const KEPT: i64 = 4;
/// The role of the peers: it owns what errand_app may use, and no row-level security holds it.
const PEER: &str = "errand_peer";
/// How many tasks of a user the requests choose among; fewer where the users are many, because the plan lies in wrk's memory.
const SAMPLE: u32 = 200;
const SAMPLE_OF_MANY: u32 = 20;
const MANY: u32 = 1_000;
/// How many tasks one statement inserts.
const CHUNK: u32 = 10_000;

/// How much data there is: users with the same number of tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Size {
    pub(crate) first_user: u32,
    pub(crate) users: u32,
    pub(crate) tasks: u32,
}

impl Size {
    fn sample(self) -> u32 {
        if self.users >= MANY { SAMPLE_OF_MANY } else { SAMPLE }
    }
}

/// Whose database it is: this checkout's, or that of another commit, which its own commands make.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// Where its migrations and its `bench/load.sql` are.
    root: PathBuf,
    /// The database that is measured; made anew for each run.
    run: &'static str,
    is_own: bool,
}

impl Origin {
    pub(crate) fn own() -> Result<Self> {
        Ok(Self { root: workspace::root()?, run: "bench_run", is_own: true })
    }

    pub(crate) fn other(root: PathBuf) -> Self {
        Self { root, run: "bench_run_other", is_own: false }
    }

    /// Brings a database to this commit's migrations and functions.
    async fn migrate(&self, cluster: &Cluster, database: &str) -> Result<()> {
        if self.is_own {
            migrate::migrate(&cluster.address(database)?, &self.root.join("migrations")).await?;
            return Ok(());
        }
        let mut cargo = workspace::cargo_in(&self.root)?;
        cargo.args(["--quiet", "xtask", "db", "migrate"]).env(DATABASE_URL, cluster.url(database));
        process::run_quietly(cargo, BRIEF).await.context("the other commit could not migrate its database")
    }
}

/// What logs in and signs. Servers whose databases are on one PostgreSQL share the component's role, so also its password.
#[derive(Debug, Clone)]
pub(crate) struct Secrets {
    password: String,
    signer: Arc<Signer>,
}

impl Secrets {
    pub(crate) fn new(alg: Alg) -> Result<Self> {
        Ok(Self { password: secret::hex(16)?, signer: Arc::new(Signer::new(alg)?) })
    }
}

/// A filled database, ready to be measured.
pub(crate) struct Data {
    cluster: Cluster,
    run: &'static str,
    admin: Address,
    client: Client,
    /// The component's connection string.
    pub(crate) app_url: String,
    /// The peers', without a scheme.
    pub(crate) peer_url: String,
    /// Of the tokens.
    pub(crate) signer: Arc<Signer>,
}

impl Data {
    /// Starts the server, fills a template unless one is there for these migrations, and copies it.
    pub(crate) async fn open(sizes: &[Size], alg: Alg) -> Result<Self> {
        Self::open_for(&Origin::own()?, sizes, &Secrets::new(alg)?).await
    }

    /// The same for any commit. The last one to be opened leaves the component's role as its migrations do.
    pub(crate) async fn open_for(origin: &Origin, sizes: &[Size], secrets: &Secrets) -> Result<Self> {
        let run = origin.run;
        let cluster = Cluster::bench(&workspace::root()?).context("no PostgreSQL for the bench")?;
        let postgres = cluster.address("postgres")?;
        let server = connect::connect(&postgres).await?;
        let settings = roles::settings(&cluster, &server, origin).await?;
        let template = template(origin, sizes)?;
        if !exists(&server, &template).await? {
            fill(&cluster, &server, sizes, (origin, &template)).await?;
        }
        server.batch_execute(&format!("comment on database {template} is '{}'", now(&server).await?)).await?;
        sweep(&server).await?;
        eprintln!("errand: copying the data");
        server.batch_execute(&format!("drop database if exists {run} with (force)")).await?;
        // By copying files where the server can choose (from 15 on): logging every page would take longer.
        let copy = format!("create database {run} template {template}");
        if server.batch_execute(&format!("{copy} strategy file_copy")).await.is_err() {
            server.batch_execute(&copy).await.context("could not copy the template")?;
        }
        let admin = postgres.with_database(run);
        // The functions may have changed since the template was filled.
        origin.migrate(&cluster, run).await?;
        roles::apply(&server, run, &settings).await?;
        let app_url = role::ensure_app_login(&admin, &secrets.password).await?;
        let client = connect::connect(&admin).await?;
        let password = peer_role(&client).await?;
        let peer_url = format!("{PEER}:{password}@127.0.0.1:{}/{run}", cluster.port());
        Ok(Self { cluster, run, admin, client, app_url, peer_url, signer: secrets.signer.clone() })
    }

    /// Keeps autovacuum away from the tables: it would fall on one slot and not on another.
    pub(crate) async fn keep_vacuum_away(&self) -> Result<()> {
        self.client
            .batch_execute(
                "do $$
                 declare
                     t regclass;
                 begin
                     for t in select oid from pg_class where relnamespace = 'errand'::regnamespace and relkind = 'r' loop
                         execute format('alter table %s set (autovacuum_enabled = off, toast.autovacuum_enabled = off)', t);
                     end loop;
                 end $$",
            )
            .await
            .context("could not turn autovacuum off")
    }

    /// Writes now what would be written some time later.
    pub(crate) async fn checkpoint(&self) -> Result<()> {
        Ok(self.client.batch_execute("checkpoint").await?)
    }

    /// What the load generator needs to know of each user: id, token, the tags of lists, the number of tasks, ids and tags of some.
    ///
    /// The peers' tags are numbers: a task's version, and that of the user's latest write. So were errand's once; now they have
    /// a digest, too. A client may send several, so each server is sent both, and knows one.
    pub(crate) async fn plan(&self, sizes: &[Size]) -> Result<String> {
        let digests: bool =
            self.client.query_one("select to_regproc('errand.tag_base') is not null", &[]).await?.try_get(0)?;
        let base = if digests { "errand.tag_base(account.user_id)" } else { "''" };
        let query = format!(
            "select account.user_id, format('%1$s,%2$s%1$s', account.seq, base), known.ids, known.tags
             from generate_series($1::int, $1 + $2::int - 1) as u
             join errand.account on account.user_id = format('user-%s', u)
             cross join lateral (select {base}) as prefix (base)
             cross join lateral (
                 select string_agg(task.id::text, ' ' order by n),
                     string_agg(format('%s,%s%s', task.version, base, task.seq), ' ' order by n)
                 from generate_series(1, $3::int, $4::int) as n
                 join errand.task on task.user_id = account.user_id
                     and task.id = format('0193%s70008000%s', 10000000 + n, 100000000000 + u)::uuid
             ) as known (ids, tags)
             order by u"
        );
        let mut plan = String::new();
        for size in sizes {
            let step = (size.tasks / size.sample()).max(1);
            let bounds = [size.first_user, size.users, size.tasks, step].map(number);
            let [first, users, tasks, step] = &bounds;
            let rows = self.client.query(&query, &[first, users, tasks, step]).await?;
            let users = rows.iter().map(|row| Ok(row.try_get(0)?)).collect::<Result<Vec<String>>>()?;
            let tokens = self.signer.tokens(users).await?;
            for (row, token) in rows.iter().zip(tokens) {
                let (user, tags): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
                let [ids, known]: [Option<&str>; 2] = [row.try_get(2)?, row.try_get(3)?];
                let (ids, known) = (ids.unwrap_or_default(), known.unwrap_or_default());
                plan.push_str(&format!("{user}\t{token}\t{tags}\t{}\t{ids}\t{known}\n", size.tasks));
            }
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

    /// The server's processes that serve this database.
    pub(crate) fn processes(&self) -> Option<Processes> {
        Some(Processes::Database(self.pid()?, self.run))
    }

    /// Drops what was measured; the template stays.
    pub(crate) async fn close(self) -> Result<()> {
        let server = connect::connect(&self.cluster.address("postgres")?).await?;
        server.batch_execute(&format!("drop database if exists {} with (force)", self.run)).await?;
        drop((server, self.client));
        self.cluster.stop()
    }
}

/// Named after everything that the data follows from; functions do not belong to that.
fn template(origin: &Origin, sizes: &[Size]) -> Result<String> {
    let root = &origin.root;
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

/// Drops the templates that were not used for the longest time, and those that were never finished.
async fn sweep(server: &Client) -> Result<()> {
    let rows = server
        .query(
            "select datname::text from pg_database where datname ~ '^bench_[0-9a-f]{12}_[0-9a-f]{8}_new$'
             union all (
                 select datname::text from pg_database where datname ~ '^bench_[0-9a-f]{12}_[0-9a-f]{8}$'
                 order by shobj_description(oid, 'pg_database') desc nulls last
                 offset $1)",
            &[&KEPT],
        )
        .await?;
    for row in rows {
        let name: String = row.try_get(0)?;
        server.batch_execute(&format!("drop database if exists {name} with (force)")).await?;
    }
    Ok(())
}

async fn now(server: &Client) -> Result<String> {
    let row = server.query_one("select to_char(now() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')", &[]).await?;
    Ok(row.try_get(0)?)
}

async fn exists(server: &Client, name: &str) -> Result<bool> {
    Ok(server.query_opt("select from pg_database where datname = $1", &[&name]).await?.is_some())
}

async fn fill(cluster: &Cluster, server: &Client, sizes: &[Size], (origin, template): (&Origin, &str)) -> Result<()> {
    let total: u64 = sizes.iter().map(|size| u64::from(size.users) * u64::from(size.tasks)).sum();
    eprintln!("errand: loading {total} tasks, once; this takes about {} minutes", total / 800_000 + 1);
    let unfinished = format!("{template}_new");
    let admin = connect::create_database(&cluster.address("postgres")?, &unfinished).await?;
    origin.migrate(cluster, &unfinished).await?;
    let load = fs::read_to_string(origin.root.join("bench/load.sql"))?;
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
    if origin.is_own {
        compare_folding(&client).await?;
    }
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

/// Fails unless bench/load.sql folds texts as the component does.
async fn compare_folding(client: &Client) -> Result<()> {
    let tasks = "select title, coalesce(description, ''), tags, title_key, title_text, description_text, tags_text from errand.task limit 1000";
    for row in client.query(tasks, &[]).await? {
        let (title, description, tags): (&str, &str, Vec<&str>) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let folded: [&str; 4] = [row.try_get(3)?, row.try_get(4)?, row.try_get(5)?, row.try_get(6)?];
        let expected: [String; 4] = [
            errand_text::sort_key(title),
            errand_text::search_text(title),
            errand_text::search_text(description),
            tags.into_iter().map(errand_text::search_text).collect(),
        ];
        if expected != folded {
            bail!("bench/load.sql folds {title:?} to {folded:?}, and the component to {expected:?}");
        }
    }
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
             grant select, insert, update, delete on all tables in schema errand to {PEER};
             grant usage on all sequences in schema errand to {PEER};
             grant execute on all functions in schema errand to {PEER};
             -- A task of a peer is not folded, which would turn the searches of errand in its account into walks.
             do $$ begin
                 if exists (
                     select from pg_attribute
                     where attrelid = 'errand.account'::regclass and attname = 'folded' and not attisdropped)
                 then
                     create or replace function errand.keep_folded() returns trigger language plpgsql as
                         'begin return old; end';
                     create or replace trigger keep_folded before update of folded on errand.account
                         for each row when (old.folded and not new.folded) execute function errand.keep_folded();
                 end if;
             end $$"
        ))
        .await?;
    Ok(password)
}

fn number(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
