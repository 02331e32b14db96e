//! Where the values of variables come from.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result};

/// The prefix of a variable in the environment, as Spin has it.
const PREFIX: &str = "SPIN_VARIABLE";

/// Something that may know a variable's value.
#[derive(Debug)]
pub enum Provider {
    /// Values written down.
    Static(HashMap<String, String>),
    /// The process's environment, and behind it a `.env` file.
    Environment {
        /// What stands before the variable's name, and an underscore.
        prefix: String,
        /// The content of the `.env` file.
        file: HashMap<String, String>,
    },
}

impl Provider {
    /// The environment, and behind it the file at `path` where there is one.
    ///
    /// # Errors
    ///
    /// When the file is there and is no `.env` file.
    pub fn environment(prefix: Option<String>, path: Option<&Path>) -> Result<Self> {
        let file = match path {
            Some(path) if path.exists() => dotenvy::from_path_iter(path)
                .and_then(Iterator::collect)
                .with_context(|| format!("cannot read {}", path.display()))?,
            _ => HashMap::new(),
        };
        let prefix = prefix.unwrap_or_else(|| PREFIX.to_owned());
        Ok(Self::Environment { prefix, file })
    }

    /// The value of an application variable.
    pub fn get(&self, name: &str) -> Option<String> {
        match self {
            Self::Static(values) => values.get(name).cloned(),
            Self::Environment { prefix, file } => {
                let name = format!("{prefix}_{}", name.to_ascii_uppercase());
                std::env::var(&name).ok().or_else(|| file.get(&name).cloned())
            }
        }
    }
}

/// A `--variable` of the command line.
#[derive(Clone, Debug)]
pub enum Given {
    /// `key=value`
    Value(String, String),
    /// `key=@file`: the file's content
    Content(String, PathBuf),
    /// `@file.json` or `@file.toml`: a table of texts
    Table(PathBuf),
}

impl FromStr for Given {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix('@') {
            let path = PathBuf::from(path);
            return match path.extension().and_then(|extension| extension.to_str()) {
                Some("json" | "toml") => Ok(Self::Table(path)),
                _ => Err("a file of variables must end in .json or .toml".to_owned()),
            };
        }
        match text.split_once('=') {
            Some((key, value)) => Ok(match value.strip_prefix('@') {
                Some(path) => Self::Content(key.to_owned(), path.into()),
                None => Self::Value(key.to_owned(), value.to_owned()),
            }),
            None => Err("expected key=value, key=@file, @file.json or @file.toml".to_owned()),
        }
    }
}

impl Given {
    /// Reads what the argument names; where a key comes twice the last one counts.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or is no table of texts.
    pub fn collect(all: &[Self]) -> Result<Provider> {
        let mut values = HashMap::new();
        for given in all {
            match given {
                Self::Value(key, value) => {
                    values.insert(key.clone(), value.clone());
                }
                Self::Content(key, path) => {
                    values.insert(key.clone(), read(path)?);
                }
                Self::Table(path) => {
                    let text = read(path)?;
                    let table: HashMap<String, String> = if path.extension().is_some_and(|e| e == "json") {
                        serde_json::from_str(&text).with_context(|| path.display().to_string())?
                    } else {
                        toml::from_str(&text).with_context(|| path.display().to_string())?
                    };
                    values.extend(table);
                }
            }
        }
        Ok(Provider::Static(values))
    }
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
