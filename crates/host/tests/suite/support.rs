//! Builds the guest, writes a manifest around it, runs the host, and asks it things.

mod guest;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tempfile::TempDir;

/// The throwaway PostgreSQL.
pub(crate) fn database() -> String {
    let address = std::env::var("ERRAND_TEST_DATABASE_URL").unwrap_or_else(|_| {
        panic!("ERRAND_TEST_DATABASE_URL is not set; run `cargo xtask test`, which starts a PostgreSQL and sets it")
    });
    // Without its options: the tests add their own.
    address.split_once('?').map_or(address.clone(), |(plain, _)| plain.to_owned())
}

/// `host:port` of the throwaway PostgreSQL.
pub(crate) fn database_host() -> String {
    let config: tokio_postgres::Config = database().parse().unwrap();
    let tokio_postgres::config::Host::Tcp(host) = &config.get_hosts()[0] else {
        panic!("ERRAND_TEST_DATABASE_URL must name a host, not a socket");
    };
    format!("{host}:{}", config.get_ports().first().unwrap_or(&5432))
}

/// An application around the guest.
pub(crate) struct App {
    top: String,
    trigger: String,
    component: String,
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
    files: Vec<(String, String)>,
}

impl App {
    pub(crate) fn new() -> Self {
        Self {
            top: String::new(),
            trigger: "route = \"/...\"".to_owned(),
            component: String::new(),
            arguments: Vec::new(),
            environment: BTreeMap::new(),
            files: Vec::new(),
        }
    }

    /// One that may reach the throwaway PostgreSQL.
    pub(crate) fn with_database() -> Self {
        Self::new().component(&format!("allowed_outbound_hosts = [\"postgres://{}\"]", database_host()))
    }

    /// Lines of the manifest beside the component's.
    pub(crate) fn top(mut self, lines: &str) -> Self {
        self.top.push_str(lines);
        self.top.push('\n');
        self
    }

    /// The lines of the trigger beside `component`.
    pub(crate) fn trigger(mut self, lines: &str) -> Self {
        self.trigger = lines.to_owned();
        self
    }

    /// Lines of the component beside `source`.
    pub(crate) fn component(mut self, lines: &str) -> Self {
        self.component.push_str(lines);
        self.component.push('\n');
        self
    }

    pub(crate) fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    pub(crate) fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// A file in the working directory.
    pub(crate) fn file(mut self, name: &str, content: &str) -> Self {
        self.files.push((name.to_owned(), content.to_owned()));
        self
    }

    fn spawn(&self) -> (Child, TempDir) {
        let folder = TempDir::new().unwrap();
        let manifest = format!(
            "spin_manifest_version = 2\n\
             [application]\nname = \"tested\"\nversion = \"1.2.3\"\n\
             {}\n\
             [[trigger.http]]\n{}\ncomponent = \"guest\"\n\
             [component.guest]\nsource = {:?}\n{}\n",
            self.top,
            self.trigger,
            guest::path(),
            self.component
        );
        std::fs::write(folder.path().join("spin.toml"), manifest).unwrap();
        for (name, content) in &self.files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let child = Command::new(env!("CARGO_BIN_EXE_errand-host"))
            .args(["--listen", "127.0.0.1:0", "--exit-with-stdin", "--cache-dir"])
            .arg(guest::cache())
            .args(&self.arguments)
            .envs(&self.environment)
            .env_remove("RUST_BACKTRACE")
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        (child, folder)
    }

    /// Starts the host and waits until it serves.
    pub(crate) fn start(self) -> Host {
        let (mut child, folder) = self.spawn();
        let stdin = child.stdin.take();
        let errors = collect(child.stderr.take().unwrap());
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        out.read_line(&mut first).unwrap();
        let Some(base) = first.strip_prefix("Serving ") else {
            std::thread::sleep(Duration::from_millis(100));
            panic!("the host does not serve:\n{}", errors.lock().unwrap());
        };
        Host { base: base.trim().to_owned(), output: collect(out), errors, child, stdin, folder }
    }

    /// Starts the host, which must refuse; what it says.
    pub(crate) fn refusal(self) -> String {
        let (child, _folder) = self.spawn();
        let output = child.wait_with_output().unwrap();
        assert!(!output.status.success(), "the host started");
        String::from_utf8(output.stderr).unwrap()
    }
}

fn collect(mut from: impl Read + Send + 'static) -> Arc<Mutex<String>> {
    let text = Arc::new(Mutex::new(String::new()));
    let kept = text.clone();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            kept.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..length]));
        }
    });
    text
}

/// A running host; it ends with this value.
pub(crate) struct Host {
    pub(crate) base: String,
    pub(crate) child: Child,
    stdin: Option<ChildStdin>,
    output: Arc<Mutex<String>>,
    errors: Arc<Mutex<String>>,
    folder: TempDir,
}

impl Drop for Host {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

impl Host {
    /// `host:port`.
    pub(crate) fn authority(&self) -> &str {
        self.base.strip_prefix("http://").unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Response<Bytes> {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let (parts, body) = client.request(request).await.unwrap().into_parts();
        Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
    }

    pub(crate) async fn get(&self, path: &str) -> Response<Bytes> {
        self.send(Request::get(format!("{}{path}", self.base)).body(Full::default()).unwrap()).await
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        serde_json::from_slice(response.body()).unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Bytes>) -> Response<Bytes> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}{path}", self.base))
            .body(Full::new(body.into()))
            .unwrap();
        self.send(request).await
    }

    /// Has the guest run a statement on the throwaway PostgreSQL, or where `ask.address` says.
    pub(crate) async fn database(&self, mut ask: Value) -> Value {
        if ask.get("address").is_none() {
            ask["address"] = database().into();
        }
        let response = self.post("/database", ask.to_string()).await;
        assert_eq!(response.status(), 200, "{ask}\n{}", self.errors());
        serde_json::from_slice(response.body()).unwrap()
    }

    /// Has the guest do something with a key-value store.
    pub(crate) async fn key_value(&self, ask: Value) -> Value {
        let response = self.post("/key-value", ask.to_string()).await;
        assert_eq!(response.status(), 200, "{ask}\n{}", self.errors());
        serde_json::from_slice(response.body()).unwrap()
    }

    /// The folder that it runs in.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What the host has written to stderr.
    pub(crate) fn errors(&self) -> String {
        self.errors.lock().unwrap().clone()
    }

    /// Waits until `text` is on stderr.
    pub(crate) fn await_error(&self, text: &str) {
        await_text(&self.errors, text);
    }

    /// Waits until `text` is on stdout.
    pub(crate) fn await_output(&self, text: &str) {
        await_text(&self.output, text);
    }

    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Sends a signal (`INT`, `TERM`).
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(status.unwrap().success());
    }

    /// Waits for the end; tells whether it was a good one.
    pub(crate) fn ended_well(&mut self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(15);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.success();
            }
            assert!(Instant::now() < deadline, "the host does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn await_text(place: &Mutex<String>, text: &str) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !place.lock().unwrap().contains(text) {
        assert!(Instant::now() < deadline, "no {text:?} in:\n{}", place.lock().unwrap());
        std::thread::sleep(Duration::from_millis(10));
    }
}
