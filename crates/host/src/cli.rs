//! The command line: Spin's flags where Spin has them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;

use crate::reuse::{Range, Reuse, parse_count, parse_duration};
use crate::variables::Given;

/// Serves a Spin application for development and tests. Production is Spin.
#[derive(Debug, Parser)]
#[command(name = "errand-host", version)]
pub struct Options {
    /// The application's manifest.
    #[arg(short, long, value_name = "FILE", default_value = "spin.toml")]
    pub from: PathBuf,

    /// Spin's runtime configuration.
    #[arg(long, value_name = "FILE")]
    pub runtime_config_file: Option<PathBuf>,

    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    pub listen: SocketAddr,

    /// An environment variable for every component.
    #[arg(short = 'e', long, value_name = "KEY=VALUE", value_parser = pair)]
    pub env: Vec<(String, String)>,

    /// A variable of the application, or a file of them.
    #[arg(long, value_name = "KEY=VALUE | KEY=@FILE | @FILE.json | @FILE.toml")]
    pub variable: Vec<Given>,

    /// Where state is kept, such as the default key-value store; empty: in memory [default: .spin beside the manifest].
    #[arg(long, value_name = "FOLDER")]
    pub state_dir: Option<String>,

    /// A first value for a key of the default key-value store.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub key_value: Vec<(String, String)>,

    /// How many requests an instance serves in its life: a number, or a range such as 1..8 to draw from.
    #[arg(long, value_name = "N", default_value = "128", value_parser = parse_count)]
    pub max_instance_reuse_count: Range<usize>,

    /// How many requests an instance serves at once.
    #[arg(long, value_name = "N", default_value = "16", value_parser = parse_count)]
    pub max_instance_concurrent_reuse_count: Range<usize>,

    /// How long an instance waits for its next request: 1s, 500ms, 1..8s.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = parse_duration)]
    pub idle_instance_timeout: Range<Duration>,

    /// How long a request may take; no limit without it.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub request_timeout: Option<Range<Duration>>,

    /// Stop when standard input ends, so that the host does not outlive the process that started it.
    #[arg(long)]
    pub exit_with_stdin: bool,

    /// Where compiled code is kept [default: target/errand-host beside the manifest].
    #[arg(long, value_name = "FOLDER")]
    pub cache_dir: Option<PathBuf>,

    /// Compile anew and keep nothing.
    #[arg(long)]
    pub no_cache: bool,

    /// Do not serve: make N instances of each component, one after the other, and print the mean time.
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "1000")]
    pub bench_instantiate: Option<u32>,
}

impl Options {
    /// How instances are reused.
    pub fn reuse(&self) -> Reuse {
        Reuse {
            count: self.max_instance_reuse_count,
            concurrent: self.max_instance_concurrent_reuse_count,
            idle: self.idle_instance_timeout,
            request_timeout: self.request_timeout,
        }
    }

    /// Where state is kept, if anywhere. The command line comes before what the runtime configuration says.
    pub fn state(&self, configured: Option<&str>) -> Option<PathBuf> {
        match self.state_dir.as_deref().or(configured) {
            Some("") => None,
            Some(folder) => Some(folder.into()),
            None => Some(self.from.parent().unwrap_or(Path::new("")).join(".spin")),
        }
    }

    /// Where compiled code is kept, if anywhere.
    pub fn cache(&self) -> Option<PathBuf> {
        if self.no_cache {
            return None;
        }
        let beside = || self.from.parent().unwrap_or(Path::new("")).join("target/errand-host");
        Some(self.cache_dir.clone().unwrap_or_else(beside))
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .ok_or_else(|| "expected KEY=VALUE".to_owned())
}
