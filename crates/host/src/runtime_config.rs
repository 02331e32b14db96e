//! `runtime-config.toml`: the few keys of it that mean something here.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::variables::Provider;

/// Spin's runtime configuration. A key that is not here stops the start, as an unknown one does in Spin.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimeConfig {
    /// Limits of outbound PostgreSQL.
    #[serde(default)]
    pub outbound_pg: OutboundPg,
    /// Where state is kept; empty: nowhere.
    #[serde(default)]
    pub state_dir: Option<String>,
    /// Key-value stores by label.
    #[serde(default)]
    pub key_value_store: HashMap<String, StoreConfig>,
    #[serde(default)]
    variables_provider: Vec<ProviderConfig>,
    #[serde(default)]
    config_provider: Vec<ProviderConfig>,
}

/// `[outbound_pg]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutboundPg {
    /// Connections that all components together may hold; who comes later waits.
    pub max_connections: Option<usize>,
}

/// `[key_value_store.<label>]`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type", deny_unknown_fields)]
pub enum StoreConfig {
    /// SQLite.
    Spin {
        /// The file, in memory without one; in the configuration relative to the folder of that.
        path: Option<PathBuf>,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type", deny_unknown_fields)]
enum ProviderConfig {
    Static { values: HashMap<String, String> },
    Env { prefix: Option<String>, dotenv_path: Option<PathBuf> },
}

impl RuntimeConfig {
    /// Reads the file; without one everything has its default.
    ///
    /// # Errors
    ///
    /// When the file is unreadable or has a key that this host does not know.
    pub fn read(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the runtime configuration {}", path.display()))?;
        let mut config: Self = toml::from_str(&text).with_context(|| {
            format!("in the runtime configuration {} (this local host does less than Spin)", path.display())
        })?;
        ensure!(
            config.outbound_pg.max_connections != Some(0),
            "outbound_pg.max_connections is 0: no statement could ever run"
        );
        let folder = path.parent().unwrap_or(Path::new(""));
        for StoreConfig::Spin { path } in config.key_value_store.values_mut() {
            *path = path.take().map(|path| folder.join(path));
        }
        Ok(config)
    }

    /// The providers that it names, in order.
    ///
    /// # Errors
    ///
    /// When a `.env` file that it names is malformed.
    pub fn providers(&mut self) -> Result<Vec<Provider>> {
        let mut configs = std::mem::take(&mut self.variables_provider);
        if configs.is_empty() {
            configs = std::mem::take(&mut self.config_provider);
        }
        configs
            .into_iter()
            .map(|config| match config {
                ProviderConfig::Static { values } => Ok(Provider::Static(values)),
                ProviderConfig::Env { prefix, dotenv_path } => Provider::environment(prefix, dotenv_path.as_deref()),
            })
            .collect()
    }
}
