//! What the trials happen in: a PostgreSQL of their own, a network between, the component in the local host.

use std::path::Path;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use errand_postgres::address::Address;
use errand_postgres::cluster::Cluster;
use errand_postgres::connect::{connect, create_database};
use errand_postgres::role::APP_ROLE;
use errand_postgres::{migrate, role};
use tokio::runtime::Runtime;
use tokio::time::{sleep, timeout};

use super::client::Client;
use super::host::Host;
use super::ledger::Row;
use super::proxy::{Mode, Proxy};
use super::trial::{MEMORY, RECOVERY};

/// How many clients come at once at the beginning, and how often at most.
const CROWD: usize = 250;
const ROUNDS: u32 = 6;
/// Of the login that the hosts have unless they are given another one.
pub const PASSWORD: &str = "errand_app in trials";

/// Everything asynchronous runs here.
pub static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// A place for trials, one at a time.
pub struct World {
    pub cluster: Cluster,
    pub proxy: Proxy,
    pub host: Host,
    admin: Address,
    folder: tempfile::TempDir,
}

/// Takes the place of all trials for one of them, in good order.
pub fn world() -> MutexGuard<'static, World> {
    static WORLD: LazyLock<Mutex<World>> = LazyLock::new(|| Mutex::new(RUNTIME.block_on(World::create())));
    // A trial that failed may have left anything behind.
    let world = WORLD.lock().unwrap_or_else(PoisonError::into_inner);
    RUNTIME.block_on(world.mend());
    world
}

impl World {
    async fn create() -> Self {
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
        let cluster = Cluster::ephemeral(checkout).unwrap();
        let admin = create_database(&cluster.address("postgres").unwrap(), "errand_trials").await.unwrap();
        migrate::migrate(&admin, &checkout.join("migrations")).await.unwrap();
        role::ensure_app_login(&admin, PASSWORD).await.unwrap();
        let client = connect(&admin).await.unwrap();
        // What was acknowledged survives the server's process here, as it does in production.
        for setting in ["synchronous_commit", "full_page_writes"] {
            client.execute(&format!("alter system set {setting} = on"), &[]).await.unwrap();
        }
        client.execute("select pg_reload_conf()", &[]).await.unwrap();
        let proxy = Proxy::start(([127, 0, 0, 1], cluster.port()).into()).await;
        let folder = tempfile::tempdir().unwrap();
        let (url, endpoint) = by_way_of(&cluster, &proxy);
        let host = Host::start(&url, &endpoint, &[], &[], folder.path().join("host.log"));
        let world = Self { cluster, proxy, host, admin, folder };
        world.warm_up().await;
        world
    }

    /// Another host on the same database, by way of the same proxy, with arguments for the host.
    pub fn another_host(&self, name: &str, arguments: &[&str], environment: &[(&str, String)]) -> Host {
        let (url, endpoint) = by_way_of(&self.cluster, &self.proxy);
        Host::start(&url, &endpoint, arguments, environment, self.folder.path().join(name))
    }

    /// The component's connection string, by way of the proxy.
    pub fn url(&self) -> String {
        by_way_of(&self.cluster, &self.proxy).0
    }

    /// The same for another login.
    pub fn url_of(&self, login: &str, password: &str) -> String {
        Address::parse(&self.url()).unwrap().app_url(login, password)
    }

    /// The administrator's address of the database.
    pub fn address(&self) -> &Address {
        &self.admin
    }

    /// A folder that goes when the trials have ended.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A connection of the administrator, not by way of the proxy.
    pub async fn admin(&self) -> tokio_postgres::Client {
        connect(&self.admin).await.unwrap()
    }

    /// Runs statements as the administrator.
    pub async fn execute(&self, sql: &str) {
        self.admin().await.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// Ends every session of the component's role.
    pub async fn terminate_sessions(admin: &tokio_postgres::Client) {
        let sql = format!("select pg_terminate_backend(pid) from pg_stat_activity where usename = '{APP_ROLE}'");
        admin.batch_execute(&sql).await.unwrap();
    }

    /// Waits until nothing of the component's runs any more: what was abandoned may still take effect until then.
    pub async fn quiet(&self) {
        let sql = format!(
            "select count(*) from pg_stat_activity where usename = '{APP_ROLE}' and state is distinct from 'idle'"
        );
        let admin = self.admin().await;
        let quiet = async {
            while admin.query_one(&sql, &[]).await.unwrap().get::<_, i64>(0) > 0 {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(Duration::from_secs(10), quiet).await.expect("statements of the component run on");
    }

    /// The tasks of a user, as they are stored; their JSON with the entity tag, as clients get it.
    pub async fn rows(admin: &tokio_postgres::Client, user: &str) -> Vec<Row> {
        let sql = r#"select id::text, title, version,
                left(json, -1) || ',"etag":"\"' || errand.tag_base(user_id) || seq || '\""}'
            from errand.task where user_id = $1"#;
        let rows = admin.query(sql, &[&user]).await.unwrap();
        let row =
            |row: tokio_postgres::Row| Row { id: row.get(0), title: row.get(1), version: row.get(2), json: row.get(3) };
        rows.into_iter().map(row).collect()
    }

    /// Has the host make as many instances as any trial will need: it keeps their memory for the next ones.
    async fn warm_up(&self) {
        self.proxy.set(Mode::Hold);
        let mut crowd: Vec<_> =
            (0..CROWD).map(|number| Client::new(self.host.address, &format!("crowd-{number}"))).collect();
        for _ in 0..ROUNDS {
            let before = self.host.rss();
            crowd = at_once(crowd).await;
            let grown = before.zip(self.host.rss()).map(|(before, now)| now.saturating_sub(before));
            if grown.is_none_or(|grown| grown < MEMORY / 12) {
                break;
            }
        }
        self.proxy.set(Mode::Pass);
        sleep(RECOVERY).await;
    }

    async fn mend(&self) {
        self.proxy.set(Mode::Pass);
        if connect(&self.admin).await.is_err() {
            self.cluster.start_again().unwrap();
        }
        self.set_read_only(false).await;
    }

    /// Makes the server refuse writes, or take them again.
    pub async fn set_read_only(&self, value: bool) {
        let admin = self.admin().await;
        let sql = format!("alter system set default_transaction_read_only = {value}");
        // A system's setting is no part of the transaction, and may be set in a read-only one.
        admin.batch_execute(&sql).await.unwrap();
        admin.batch_execute("select pg_reload_conf()").await.unwrap();
    }
}

/// Has clients that are connected send a request each at the same time.
async fn at_once(mut clients: Vec<Client>) -> Vec<Client> {
    for client in &mut clients {
        client.send_to("GET", "/health/live", None, None).await.unwrap();
    }
    let requests: Vec<_> = clients
        .into_iter()
        .map(|mut client| {
            tokio::spawn(async move {
                _ = client.send("GET", "", None, None).await;
                client
            })
        })
        .collect();
    let mut clients = Vec::new();
    for request in requests {
        clients.push(request.await.unwrap());
    }
    clients
}

/// The component's connection string and its server, by way of the proxy.
fn by_way_of(cluster: &Cluster, proxy: &Proxy) -> (String, String) {
    let direct = format!(":{}/", cluster.port());
    let url = cluster.url("errand_trials").replace(&direct, &format!(":{}/", proxy.address.port()));
    let address = Address::parse(&url).unwrap();
    (address.app_url(APP_ROLE, PASSWORD), address.endpoint())
}
