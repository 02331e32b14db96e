//! Where the tests are sent: the router in this process, the component in the local host, or the component in Spin.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use errand::{Adapters, Ambient};
use errand_native::database::NativeDatabase;
use errand_native::keys::NativeKeys;
use errand_native::server;
use errand_postgres::address::Address;
use errand_postgres::connect::create_database;
use errand_postgres::pooler::{Pooler, Statements};
use errand_postgres::{migrate, role};
use tokio::net::TcpListener;
use uuid::Uuid;

use errand_testing::process::{Ending, Process, Runs};
use errand_testing::session::{Held, Session};
use errand_testing::token::SECRET;
use errand_testing::{RUNTIME, kind};

/// A running errand, and the database behind it.
pub struct Target {
    running: Box<dyn Runs>,
    database: Arc<Database>,
}

struct Database {
    /// The database, as its administrator.
    admin: Address,
    /// The connection string of the component's role.
    app_url: String,
    /// The same through the pooler of this run, if it has one.
    pooled: Option<(Pooler, String)>,
}

/// How long `spin up` may take to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// So that no errand finds what another one kept.
const IN_MEMORY: [&str; 2] = ["--state-dir", ""];

/// Variables by name.
type Variables = Vec<(&'static str, String)>;

/// The target of this run.
pub fn target() -> &'static Target {
    static TARGET: LazyLock<Target> = LazyLock::new(|| {
        let database = Arc::new(RUNTIME.block_on(Database::create(&format!("errand_test_{}", std::process::id()))));
        Target::start(database, &[("jwt_secret", SECRET), ("cors_origins", CORS_ORIGIN)], &[], &IN_MEMORY)
    });
    &TARGET
}

impl Target {
    /// Another errand on the same database, with these variables.
    pub fn start_with(&self, variables: &[(&'static str, &str)]) -> Self {
        self.start_keeping(variables, &[])
    }

    /// Another errand on a database of its own.
    pub fn start_on_another_database(&self, variables: &[(&'static str, &str)]) -> Self {
        self.start_on_filled_database(variables, |_| ())
    }

    /// The same on a database that is filled before it is migrated.
    pub fn start_on_filled_database(&self, variables: &[(&'static str, &str)], fill: impl FnOnce(&Address)) -> Self {
        // Two at once would alter one role.
        static ONE_BY_ONE: Mutex<()> = Mutex::new(());
        let _turn = ONE_BY_ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("errand_test_{}", Uuid::now_v7().simple());
        let database = RUNTIME.block_on(Database::create_filled(&name, fill));
        Self::start(Arc::new(database), variables, &[], &IN_MEMORY)
    }

    /// The same, with values in its key-value store.
    pub fn start_keeping(&self, variables: &[(&'static str, &str)], kept: &[(&str, &str)]) -> Self {
        Self::start(Arc::clone(&self.database), variables, kept, &IN_MEMORY)
    }

    /// The same, with arguments of Spin's for where it keeps things. There are none natively.
    pub fn start_as(&self, variables: &[(&'static str, &str)], arguments: &[&str]) -> Self {
        Self::start(Arc::clone(&self.database), variables, &[], arguments)
    }

    /// An errand on whatever database the variables name, which trusts this authority (a file in PEM) in the place of the machine's.
    pub fn start_trusting(variables: &[(&'static str, &str)], authority: Option<&Path>) -> Self {
        let database = Arc::clone(&target().database);
        Self::start_with_trust(database, variables, &[], &IN_MEMORY, authority)
    }

    fn start(
        database: Arc<Database>,
        variables: &[(&'static str, &str)],
        kept: &[(&str, &str)],
        arguments: &[&str],
    ) -> Self {
        Self::start_with_trust(database, variables, kept, arguments, None)
    }

    fn start_with_trust(
        database: Arc<Database>,
        variables: &[(&'static str, &str)],
        kept: &[(&str, &str)],
        arguments: &[&str],
        authority: Option<&Path>,
    ) -> Self {
        let mut all: Variables = vec![
            ("database_url", database.served().to_owned()),
            ("database_host", Address::parse(database.served()).unwrap().endpoint()),
            ("access_log", "errors".to_owned()),
        ];
        all.retain(|(known, _)| variables.iter().all(|(name, _)| name != known));
        all.extend(variables.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let running: Box<dyn Runs> = match kind().as_str() {
            "native" => Box::new(RUNTIME.block_on(Native::start(&all, kept, authority))),
            "host" | "host-p2" => {
                let host = std::env::var("ERRAND_HOST_BIN").expect("run `cargo xtask test --target host`");
                let mut command = Command::new(host);
                command.args(["--listen", "127.0.0.1:0", "--exit-with-stdin"]).args(from(arguments)).args(arguments);
                command.args(kept.iter().map(|(key, value)| format!("--key-value={key}={value}")));
                command.envs(authority.map(|file| ("SSL_CERT_FILE", file)));
                Box::new(Process::start(command, &all, Ending::Kill, take))
            }
            "spin" | "spin-p2" => {
                let mut command = Command::new("spin");
                command.args(["up", "--listen", "127.0.0.1:0"]).args(from(arguments)).args(arguments);
                if !arguments.contains(&"--runtime-config-file") {
                    command.args(["--runtime-config-file", "runtime-config.toml"]);
                }
                command.args(kept.iter().map(|(key, value)| format!("--key-value={key}={value}")));
                command.envs(authority.map(|file| ("SSL_CERT_FILE", file)));
                Box::new(Process::start(command, &all, Ending::Group(STOP_TIMEOUT), take))
            }
            other => panic!("ERRAND_TEST_TARGET is native, host, host-p2, spin or spin-p2, not {other}"),
        };
        Self { running, database }
    }

    pub fn url(&self) -> &str {
        self.running.url()
    }

    /// Whether the documentation's component runs beside the API.
    pub fn has_pages(&self) -> bool {
        kind() != "native"
    }

    /// Runs a query as the administrator, whom no row-level security holds; gives the first column of each row as text.
    pub fn admin_query(&self, sql: &str) -> Vec<String> {
        Session::open(&self.database.admin).rows(sql)
    }

    /// A pooler before the database, and the component's connection string through it.
    pub fn pooled(&self, program: &Path, statements: Statements) -> anyhow::Result<(Pooler, String)> {
        self.database.through(program, statements)
    }

    /// The connection string of the component's role, without a pooler.
    pub fn app_url(&self) -> &str {
        &self.database.app_url
    }

    /// The administrator's address of the database.
    pub fn admin(&self) -> &Address {
        &self.database.admin
    }

    /// Takes the locks of a statement as the administrator, and keeps them.
    pub fn hold(&self, sql: &str) -> Held {
        Held::new(&self.database.admin, sql)
    }

    /// Runs statements as the component's role.
    pub fn app_query(&self, sql: &str) -> Result<Vec<String>, String> {
        self.app_session().run(sql).map_err(|refusal| refusal.sqlstate)
    }

    /// A connection of the component's role.
    pub fn app_session(&self) -> Session {
        Session::open(&Address::parse(&self.database.app_url).unwrap())
    }
}

/// What the running errands have written to their logs.
static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn take(line: String) {
    eprintln!("{line}");
    LOG.lock().unwrap().push(line);
}

/// The lines of the log that have this in them. Waits for the first: a line goes through a pipe, and may come after the
/// answer.
pub fn log_with(text: &str) -> Vec<String> {
    let late = Instant::now() + Duration::from_secs(10);
    loop {
        let lines: Vec<_> = LOG.lock().unwrap().iter().filter(|line| line.contains(text)).cloned().collect();
        if !lines.is_empty() || Instant::now() > late {
            return lines;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The manifest of the component that is tested.
pub fn manifest() -> &'static str {
    if kind().ends_with("-p2") { "spin-p2.toml" } else { "spin.toml" }
}

/// The arguments for the manifest, unless these name one.
fn from(arguments: &[&str]) -> Vec<&'static str> {
    if arguments.contains(&"--from") { Vec::new() } else { vec!["--from", manifest()] }
}

impl Database {
    async fn create(name: &str) -> Self {
        Self::create_filled(name, |_| ()).await
    }

    async fn create_filled(name: &str, fill: impl FnOnce(&Address)) -> Self {
        let Ok(server) = std::env::var("ERRAND_TEST_DATABASE_URL") else {
            // Once, instead of a panic per test.
            eprintln!("These tests need a PostgreSQL; `cargo xtask test` gives them one.");
            std::process::exit(1);
        };
        let admin = create_database(&Address::parse(&server).unwrap(), name).await.unwrap();
        fill(&admin);
        migrate::migrate(&admin, &migrations()).await.unwrap();
        let app_url = role::ensure_app_login(&admin, PASSWORD).await.unwrap();
        let mut database = Self { admin, app_url, pooled: None };
        if let Some(program) = std::env::var_os("ERRAND_TEST_POOLER") {
            database.pooled = Some(database.through(Path::new(&program), Statements::Kept).unwrap());
        }
        database
    }

    /// What the component of the run gets.
    fn served(&self) -> &str {
        self.pooled.as_ref().map_or(&self.app_url, |(_, url)| url)
    }

    fn through(&self, program: &Path, statements: Statements) -> anyhow::Result<(Pooler, String)> {
        let ini = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/pgbouncer.ini");
        let pooler = Pooler::start(program, &ini, &self.admin, &[(role::APP_ROLE, PASSWORD)], statements)?;
        let url = pooler.url(&self.app_url)?;
        Ok((pooler, url))
    }
}

/// The folder of migrations; `cargo xtask mutants` names a copy with a fault in it.
pub fn migrations() -> PathBuf {
    std::env::var_os("ERRAND_TEST_MIGRATIONS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations"), PathBuf::from)
}

/// The password of the component's role.
const PASSWORD: &str = "errand_app in tests";

/// The one origin whose pages may call the API.
pub const CORS_ORIGIN: &str = "https://app.example";

struct Native {
    url: String,
}

impl Native {
    async fn start(variables: &Variables, kept: &[(&str, &str)], authority: Option<&Path>) -> Self {
        let get = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        let pem = authority.map(|file| std::fs::read_to_string(file).unwrap());
        let database = NativeDatabase::trusting(&get("database_url").unwrap(), 64, pem.as_deref()).unwrap();
        let ambient = Ambient {
            now: SystemTime::now,
            clock: Instant::now,
            new_id: Uuid::now_v7,
            log: |line| take(line.to_owned()),
        };
        let kept = kept.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec()));
        let adapters = Adapters { database: Arc::new(database), keys: Arc::new(NativeKeys::new(kept.collect())) };
        let router = errand::service(get, adapters, ambient);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        RUNTIME.spawn(server::serve(listener, router));
        Self { url }
    }
}

impl Runs for Native {
    fn url(&self) -> &str {
        &self.url
    }
}
