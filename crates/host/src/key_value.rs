//! spin:key-value@3.0.0, the way Spin answers it: labelled stores in SQLite, and a component sees those that it is granted.

mod host;
mod sqlite;
mod v2;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};

pub use crate::bindings::key_value::Error;
use crate::runtime_config::StoreConfig;
use sqlite::Database;

/// The label that is always there.
const DEFAULT: &str = "default";
/// The file of the default store in the state's folder.
const DEFAULT_FILE: &str = "sqlite_key_value.db";

/// The stores of an application by label, opened when they are first used.
#[derive(Default)]
pub struct Stores(HashMap<String, Arc<Database>>);

/// A component's view of the stores.
pub struct Granted {
    stores: Arc<Stores>,
    labels: HashSet<String>,
}

/// An open store of a guest.
#[derive(Clone)]
pub struct Store {
    database: Arc<Database>,
    label: String,
}

impl Stores {
    /// The stores of the runtime configuration, and the default one: a file in the state's folder, or memory without it.
    ///
    /// # Errors
    ///
    /// When the folder of a file cannot be made.
    pub fn new(configured: HashMap<String, StoreConfig>, state: Option<&Path>) -> Result<Self> {
        let mut paths: HashMap<String, Option<PathBuf>> =
            configured.into_iter().map(|(label, StoreConfig::Spin { path })| (label, path)).collect();
        paths.entry(DEFAULT.to_owned()).or_insert_with(|| state.map(|folder| folder.join(DEFAULT_FILE)));
        let mut stores = HashMap::new();
        for (label, path) in paths {
            if let Some(folder) = path.as_deref().and_then(Path::parent) {
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("cannot make {} for the key-value store {label}", folder.display()))?;
            }
            stores.insert(label, Arc::new(Database::new(path)));
        }
        Ok(Self(stores))
    }

    /// What a component may open.
    ///
    /// # Errors
    ///
    /// When it is granted a store that is not there.
    pub fn grant(self: &Arc<Self>, labels: Vec<String>) -> Result<Granted> {
        for label in &labels {
            ensure!(
                self.0.contains_key(label),
                "key_value_stores: there is no store {label:?} in the runtime configuration"
            );
        }
        Ok(Granted { stores: Arc::clone(self), labels: labels.into_iter().collect() })
    }

    /// Gives keys of the default store their first values.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub fn begin_with(&self, pairs: &[(String, String)]) -> Result<()> {
        let store = self.0.get(DEFAULT).context("there is no default key-value store")?;
        for (key, value) in pairs {
            store
                .set(DEFAULT, key, value.as_bytes())
                .map_err(|error| anyhow::anyhow!("cannot write {key} to the default key-value store: {error}"))?;
        }
        Ok(())
    }

    /// Where the default store is, for people.
    pub fn default_place(&self) -> Option<String> {
        self.0.get(DEFAULT).map(|database| database.place())
    }
}

impl Granted {
    /// Whether the component may open the default store.
    pub fn has_default(&self) -> bool {
        self.labels.contains(DEFAULT)
    }

    fn open(&self, label: &str) -> Result<Store, Error> {
        if !self.labels.contains(label) {
            return Err(Error::AccessDenied);
        }
        let database = self.stores.0.get(label).ok_or(Error::NoSuchStore)?;
        database.open()?;
        Ok(Store { database: Arc::clone(database), label: label.to_owned() })
    }
}
