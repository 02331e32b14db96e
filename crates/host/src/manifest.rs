//! `spin.toml`: read whole, refused where it asks for what this host does not do.

mod schema;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use indexmap::IndexMap;

pub use schema::Variable;

/// An application, as its manifest describes it.
#[derive(Debug)]
pub struct Manifest {
    /// `application.name`.
    pub name: String,
    /// `application.version`, perhaps empty.
    pub version: String,
    /// The application's variables.
    pub variables: IndexMap<String, Variable>,
    /// The HTTP triggers in the order of the file.
    pub triggers: Vec<Trigger>,
    /// The components by id.
    pub components: IndexMap<String, Component>,
}

/// `[[trigger.http]]`: a component, and the route that leads to it unless it is private.
#[derive(Debug)]
pub struct Trigger {
    /// The component's id.
    pub component: String,
    /// The route in Spin's syntax; `None` for `{ private = true }`.
    pub route: Option<String>,
}

/// `[component.<id>]`, with paths made absolute.
#[derive(Debug)]
pub struct Component {
    /// The WebAssembly file.
    pub source: PathBuf,
    /// Shown beside its routes.
    pub description: String,
    /// Its variables: templates over the application's.
    pub variables: IndexMap<String, String>,
    /// Its environment.
    pub environment: IndexMap<String, String>,
    /// Where it may connect to: templates too.
    pub allowed_outbound_hosts: Vec<String>,
    /// Directories that it may read.
    pub files: Vec<Mount>,
    /// The labels of the key-value stores that it may open.
    pub key_value_stores: Vec<String>,
}

/// A directory of the host in the component's file system.
#[derive(Debug)]
pub struct Mount {
    /// The directory on the host.
    pub source: PathBuf,
    /// Where the component sees it.
    pub destination: String,
}

impl Manifest {
    /// Reads a manifest file.
    ///
    /// # Errors
    ///
    /// When the file is unreadable, is no manifest of version 2, or wants something that this host does not do.
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read the manifest {}", path.display()))?;
        let folder = std::path::absolute(path)?.parent().map(Path::to_path_buf).unwrap_or_default();
        Self::parse(&text, &folder).with_context(|| format!("in the manifest {}", path.display()))
    }

    /// Reads a manifest whose paths are relative to `folder`.
    ///
    /// # Errors
    ///
    /// As [`Manifest::read`].
    pub fn parse(text: &str, folder: &Path) -> Result<Self> {
        let app: schema::App = toml::from_str(text)?;
        ensure!(app.spin_manifest_version == 2, "spin_manifest_version must be 2, not {}", app.spin_manifest_version);
        if let Some(http) = app.application.trigger.get("http") {
            ensure!(
                http.iter().all(|(key, base)| key == "base" && base.as_str() == Some("/")),
                "application.trigger.http: only base = \"/\" is left of it in Spin"
            );
        }
        for (name, variable) in &app.variables {
            ensure!(
                variable.required != variable.default.is_some(),
                "variables.{name}: must be `required` or have a `default`, and not both"
            );
        }
        let triggers: Vec<Trigger> = app.trigger.http.into_iter().map(trigger).collect::<Result<_>>()?;
        ensure!(!triggers.is_empty(), "there is no [[trigger.http]], so nothing to serve");
        let components = app
            .component
            .into_iter()
            .map(|(id, raw)| {
                let component = component(raw, folder).with_context(|| format!("component.{id}"))?;
                Ok((id, component))
            })
            .collect::<Result<IndexMap<_, _>>>()?;
        for trigger in &triggers {
            ensure!(
                components.contains_key(&trigger.component),
                "a trigger names the component {:?}, which is not in the manifest",
                trigger.component
            );
        }
        Ok(Self {
            name: app.application.name,
            version: app.application.version,
            variables: app.variables,
            triggers,
            components,
        })
    }
}

fn trigger(raw: schema::Trigger) -> Result<Trigger> {
    refuse("trigger.http", "static_response", raw.static_response.is_some())?;
    refuse("trigger.http", "components", !raw.components.is_empty())?;
    refuse("trigger.http", "dependencies", !raw.dependencies.is_empty())?;
    if let Some(executor) = raw.executor {
        ensure!(
            matches!(executor.r#type.as_str(), "http" | "spin"),
            "trigger.http.executor: this local host does not run {:?}",
            executor.r#type
        );
    }
    let component = match raw.component {
        Some(toml::Value::String(id)) => id,
        Some(_) => bail!("trigger.http.component: this local host wants the id of a [component.<id>]"),
        None => bail!("trigger.http: `component` is missing"),
    };
    let route = match raw.route {
        schema::Route::Path(path) => Some(path),
        schema::Route::Private { private: true } => None,
        schema::Route::Private { private: false } => {
            bail!("trigger.http.route: must be text or {{ private = true }} (component {component})")
        }
    };
    Ok(Trigger { component, route })
}

fn component(raw: schema::Component, folder: &Path) -> Result<Component> {
    let place = "this table";
    refuse(place, "exclude_files", !raw.exclude_files.is_empty())?;
    refuse(place, "allowed_http_hosts (use allowed_outbound_hosts)", !raw.allowed_http_hosts.is_empty())?;
    refuse(place, "sqlite_databases", !raw.sqlite_databases.is_empty())?;
    refuse(place, "ai_models", !raw.ai_models.is_empty())?;
    refuse(place, "dependencies", !raw.dependencies.is_empty())?;
    let toml::Value::String(source) = raw.source else {
        bail!("source: this local host wants the path of a file, not a URL or a package");
    };
    let files = raw
        .files
        .into_iter()
        .map(|mount| match mount {
            schema::Files::Mount { source, destination } => Ok(Mount {
                source: folder.join(source),
                destination,
            }),
            schema::Files::Pattern(pattern) => bail!(
                "files: this local host mounts directories ({{ source, destination }}), not patterns such as {pattern:?}"
            ),
        })
        .collect::<Result<_>>()?;
    Ok(Component {
        source: folder.join(source),
        description: raw.description,
        variables: raw.variables,
        environment: raw.environment,
        allowed_outbound_hosts: raw.allowed_outbound_hosts,
        files,
        key_value_stores: raw.key_value_stores,
    })
}

fn refuse(place: &str, key: &str, present: bool) -> Result<()> {
    ensure!(!present, "{place}: this local host does not do {key}; run the application with Spin");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
        spin_manifest_version = 2
        [application]
        name = "small"
        [[trigger.http]]
        route = "/..."
        component = "one"
        [component.one]
        source = "one.wasm"
    "#;

    fn refusal(text: &str) -> String {
        format!("{:#}", Manifest::parse(text, Path::new("/app")).unwrap_err())
    }

    #[test]
    fn paths_are_relative_to_the_manifest() {
        let manifest = Manifest::parse(SMALL, Path::new("/app")).unwrap();
        assert_eq!(manifest.components["one"].source, Path::new("/app/one.wasm"));
        assert_eq!(manifest.triggers[0].route.as_deref(), Some("/..."));
    }

    #[test]
    fn a_private_route_is_not_served() {
        let text = SMALL.replace("\"/...\"", "{ private = true }");
        let manifest = Manifest::parse(&text, Path::new("/app")).unwrap();
        assert_eq!(manifest.triggers[0].route, None);
    }

    #[test]
    fn an_unknown_key_is_named() {
        assert!(refusal(&format!("{SMALL}\nallowed_outbound_host = []")).contains("`allowed_outbound_host`"));
        assert!(refusal(&SMALL.replace("route =", "method = \"GET\"\nroute =")).contains("`method`"));
        assert!(refusal(&format!("{SMALL}\n[extra]\nkey = 1")).contains("`extra`"));
        assert!(refusal(&format!("{SMALL}\n[[trigger.redis]]\nchannel = \"c\"")).contains("`redis`"));
    }

    #[test]
    fn what_only_spin_does_is_refused_by_name() {
        for key in ["sqlite_databases = [\"default\"]", "ai_models = [\"m\"]", "exclude_files = [\"x\"]"] {
            let (name, _) = key.split_once(' ').unwrap();
            assert!(refusal(&format!("{SMALL}\n{key}")).contains(name), "{key}");
        }
        assert!(refusal(&format!("{SMALL}\n[component.one.dependencies]\n\"a:b\" = \"1\"")).contains("dependencies"));
        assert!(refusal(&SMALL.replace("\"one.wasm\"", "{ url = \"u\", digest = \"d\" }")).contains("source"));
    }

    #[test]
    fn a_variable_is_required_or_has_a_default() {
        let with = |line: &str| format!("{SMALL}\n[variables]\n{line}");
        assert!(Manifest::parse(&with("a = { required = true }"), Path::new("/")).is_ok());
        assert!(Manifest::parse(&with("a = { default = \"\" }"), Path::new("/")).is_ok());
        assert!(refusal(&with("a = { secret = true }")).contains("variables.a"));
        assert!(refusal(&with("a = { required = true, default = \"x\" }")).contains("variables.a"));
    }

    #[test]
    fn a_trigger_needs_its_component() {
        assert!(refusal(&SMALL.replace("component = \"one\"", "component = \"two\"")).contains("\"two\""));
    }
}
