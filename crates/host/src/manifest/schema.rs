//! The words of a manifest. What Spin does not know is an error here too; what this host does not do is read, so that the
//! refusal can say so.

use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::IgnoredAny;

type Table = IndexMap<String, toml::Value>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct App {
    pub(super) spin_manifest_version: u32,
    pub(super) application: Application,
    #[serde(default)]
    pub(super) variables: IndexMap<String, Variable>,
    pub(super) trigger: Triggers,
    #[serde(default)]
    pub(super) component: IndexMap<String, Component>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Application {
    pub(super) name: String,
    #[serde(default)]
    pub(super) version: String,
    #[serde(default, rename = "description")]
    _description: IgnoredAny,
    #[serde(default, rename = "authors")]
    _authors: IgnoredAny,
    #[serde(default, rename = "targets")]
    _targets: IgnoredAny,
    #[serde(default)]
    pub(super) trigger: IndexMap<String, Table>,
    #[serde(default, rename = "tool")]
    _tool: IgnoredAny,
}

/// `[variables]`: one of the application's variables.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    #[serde(default, rename = "description")]
    _description: IgnoredAny,
    /// Whether a value must be provided.
    #[serde(default)]
    pub required: bool,
    /// The default value.
    #[serde(default)]
    pub default: Option<String>,
    /// Whether the value must not be shown.
    #[serde(default)]
    pub secret: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Triggers {
    #[serde(default)]
    pub(super) http: Vec<Trigger>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trigger {
    #[serde(default, rename = "id")]
    _id: IgnoredAny,
    pub(super) component: Option<toml::Value>,
    pub(super) route: Route,
    pub(super) executor: Option<Executor>,
    pub(super) static_response: Option<toml::Value>,
    #[serde(default)]
    pub(super) components: Table,
    #[serde(default)]
    pub(super) dependencies: Table,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "route must be text or { private = true }")]
pub(super) enum Route {
    Path(String),
    Private { private: bool },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Executor {
    pub(super) r#type: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Component {
    pub(super) source: toml::Value,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) variables: IndexMap<String, String>,
    #[serde(default)]
    pub(super) environment: IndexMap<String, String>,
    #[serde(default)]
    pub(super) allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    pub(super) files: Vec<Files>,
    #[serde(default)]
    pub(super) exclude_files: Vec<toml::Value>,
    #[serde(default)]
    pub(super) allowed_http_hosts: Vec<toml::Value>,
    #[serde(default)]
    pub(super) key_value_stores: Vec<String>,
    #[serde(default)]
    pub(super) sqlite_databases: Vec<toml::Value>,
    #[serde(default)]
    pub(super) ai_models: Vec<toml::Value>,
    #[serde(default)]
    pub(super) dependencies: Table,
    // Without `dependencies` there is nothing that could inherit.
    #[serde(default, rename = "dependencies_inherit_configuration")]
    _dependencies_inherit_configuration: IgnoredAny,
    #[serde(default, rename = "targets")]
    _targets: IgnoredAny,
    // `build`, `tool` and `profile` are for `spin build` and plugins; there is no choice of a profile here.
    #[serde(default, rename = "build")]
    _build: IgnoredAny,
    #[serde(default, rename = "tool")]
    _tool: IgnoredAny,
    #[serde(default, rename = "profile")]
    _profile: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "files must be patterns or { source, destination }")]
pub(super) enum Files {
    Pattern(String),
    Mount { source: String, destination: String },
}
