//! Where the tests are sent: the router in this process, the component in the local host, or the component in Spin.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, LazyLock};
use std::time::{Instant, SystemTime};

use errand::{Ambient, App, Config};
use errand_native::address::Address;
use errand_native::connect::{connect, create_database};
use errand_native::database::NativeDatabase;
use errand_native::{migrate, role, server};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use uuid::Uuid;

/// The shared secret of the tests' tokens.
pub const SECRET: &str = "a secret for tests, and for nothing else";

/// A running errand.
pub trait Runs: Send + Sync {
    /// Where it listens: scheme and authority.
    fn url(&self) -> &str;
}

/// A running errand, and the database behind it.
pub struct Target {
    running: Box<dyn Runs>,
    /// The database, as its administrator.
    admin: Address,
    /// The connection string of the component's role.
    pub app_url: String,
    /// Whether the documentation's component runs beside the API.
    pub has_pages: bool,
}

/// The target of this run.
pub fn target() -> &'static Target {
    static TARGET: LazyLock<Target> = LazyLock::new(|| RUNTIME.block_on(start()));
    &TARGET
}

/// Everything asynchronous of the tests' own runs here.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

impl Target {
    pub fn url(&self) -> &str {
        self.running.url()
    }

    /// Runs a query as the administrator, whom no row-level security holds; gives the first column of each row as text.
    pub fn admin_query(&self, sql: &str) -> Vec<String> {
        query(&self.admin, sql).unwrap()
    }

    /// Runs statements as the component's role.
    pub fn app_query(&self, sql: &str) -> Result<Vec<String>, String> {
        query(&Address::parse(&self.app_url).unwrap(), sql)
    }
}

fn query(address: &Address, sql: &str) -> Result<Vec<String>, String> {
    RUNTIME.block_on(async {
        let client = connect(address).await.unwrap();
        let messages = client.simple_query(sql).await.map_err(|error| {
            error.as_db_error().map_or_else(|| error.to_string(), |error| error.code().code().to_owned())
        })?;
        let rows = messages.into_iter().filter_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
            _ => None,
        });
        Ok(rows.collect())
    })
}

async fn start() -> Target {
    let Ok(server) = std::env::var("ERRAND_TEST_DATABASE_URL") else {
        // Once, instead of a panic per test.
        eprintln!("These tests need a PostgreSQL; `cargo xtask test` gives them one.");
        std::process::exit(1);
    };
    let name = format!("errand_test_{}", std::process::id());
    let admin = create_database(&Address::parse(&server).unwrap(), &name).await.unwrap();
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
    migrate::migrate(&admin, &checkout.join("migrations")).await.unwrap();
    let app_url = role::ensure_app_login(&admin, "errand_app in tests").await.unwrap();
    let running: Box<dyn Runs> = match std::env::var("ERRAND_TEST_TARGET").as_deref() {
        Err(_) | Ok("native") => Box::new(Native::start(&app_url).await),
        Ok("host") => {
            let host = std::env::var("ERRAND_HOST_BIN").expect("run `cargo xtask test --target host`");
            let mut command = Command::new(host);
            command.args(["--listen", "127.0.0.1:0", "--exit-with-stdin"]);
            Box::new(Process::start(command, &app_url, &admin))
        }
        Ok("spin") => {
            let mut command = Command::new("spin");
            command.args(["up", "--listen", "127.0.0.1:0", "--runtime-config-file", "runtime-config.toml"]);
            Box::new(Process::start(command, &app_url, &admin))
        }
        Ok(other) => panic!("ERRAND_TEST_TARGET is native, host or spin, not {other}"),
    };
    let has_pages = !matches!(std::env::var("ERRAND_TEST_TARGET").as_deref(), Err(_) | Ok("native"));
    Target { running, admin, app_url, has_pages }
}

fn variables(app_url: &str) -> [(&'static str, String); 4] {
    [
        ("database_url", app_url.to_owned()),
        ("jwt_secret", SECRET.to_owned()),
        ("cors_origins", CORS_ORIGIN.to_owned()),
        ("access_log", "errors".to_owned()),
    ]
}

/// The one origin whose pages may call the API.
pub const CORS_ORIGIN: &str = "https://app.example";

struct Native {
    url: String,
}

impl Native {
    async fn start(app_url: &str) -> Self {
        let variables = variables(app_url);
        let config = Config::from_variables(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
        })
        .unwrap();
        let database = NativeDatabase::new(app_url, 64).unwrap();
        let ambient = Ambient {
            now: SystemTime::now,
            clock: Instant::now,
            new_id: Uuid::now_v7,
            log: |line| eprintln!("{line}"),
        };
        let app = App::new(config, Arc::new(database), ambient).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        RUNTIME.spawn(server::serve(listener, errand::router(Arc::new(app))));
        Self { url }
    }
}

impl Runs for Native {
    fn url(&self) -> &str {
        &self.url
    }
}

struct Process {
    url: String,
    /// Its standard input is held open: when this process goes, the other one sees the end of it and goes too.
    _child: Child,
}

impl Process {
    fn start(mut command: Command, app_url: &str, admin: &Address) -> Self {
        for (name, value) in variables(app_url) {
            command.env(format!("SPIN_VARIABLE_{}", name.to_uppercase()), value);
        }
        command
            .env("SPIN_VARIABLE_DATABASE_HOST", admin.endpoint())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once("Serving ")?.1.trim().to_owned()))
            .expect("the server stopped before it served; its messages are above");
        // Read on, so that the server never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { url, _child: child }
    }
}

impl Runs for Process {
    fn url(&self) -> &str {
        &self.url
    }
}
