//! Spin's variables: the application's, which providers may set, and each component's, which are templates over them.

mod provider;
mod v2;

use std::collections::HashMap;

use anyhow::{Context, Result};
use indexmap::IndexMap;
use wasmtime::component::{Accessor, HasSelf};

pub use crate::bindings::variables::Error;
use crate::bindings::variables::{Host, HostWithStore};
use crate::manifest::{Manifest, Variable};
use crate::state::State;
use crate::template::{Part, Template};
pub use provider::{Given, Provider};

/// Why a variable has no value.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No variable can have this name.
    #[error("invalid variable name: {0}")]
    InvalidName(String),
    /// The text around the variable is wrong.
    #[error("invalid variable template: {0}")]
    InvalidTemplate(String),
    /// No provider has a value, and there is no default.
    #[error("provider error: {0}")]
    Provider(String),
    /// The component has no such variable.
    #[error("undefined variable: {0}")]
    Undefined(String),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::InvalidName(text) => Self::InvalidName(text),
            Failure::Undefined(text) => Self::Undefined(text),
            Failure::Provider(text) => Self::Provider(text),
            Failure::InvalidTemplate(_) => Self::Other(failure.to_string()),
        }
    }
}

/// The variables of an application and who gives them their values.
#[derive(Debug)]
pub struct Variables {
    application: IndexMap<String, Variable>,
    components: HashMap<String, HashMap<String, Template>>,
    providers: Vec<Provider>,
}

impl Variables {
    /// Checks names and templates, and that every required variable has a value.
    ///
    /// # Errors
    ///
    /// A sentence for each wrong name or template, or one about all variables without a value and how to set them.
    pub fn new(manifest: &Manifest, providers: Vec<Provider>) -> Result<Self> {
        let mut variables = Self { application: manifest.variables.clone(), components: HashMap::new(), providers };
        for name in manifest.variables.keys() {
            check_name(name)?;
        }
        for (id, component) in &manifest.components {
            let templates = component
                .variables
                .iter()
                .map(|(name, text)| {
                    check_name(name)?;
                    Ok((name.clone(), variables.template(text)?))
                })
                .collect::<Result<_, Failure>>()
                .with_context(|| format!("component.{id}.variables"))?;
            variables.components.insert(id.clone(), templates);
        }
        variables.check_required()?;
        Ok(variables)
    }

    /// The value of a component's variable, asked of the providers anew.
    ///
    /// # Errors
    ///
    /// See [`Failure`].
    pub fn get(&self, component: &str, name: &str) -> Result<String, Failure> {
        check_name(name)?;
        let template = self
            .components
            .get(component)
            .ok_or_else(|| Failure::Undefined(format!("no variable for component {component:?}")))?
            .get(name)
            .ok_or_else(|| Failure::Undefined(format!("no variable for {component:?}.{name:?}")))?;
        self.resolve(template)
    }

    /// Puts the application's variables into a text of the manifest.
    ///
    /// # Errors
    ///
    /// See [`Failure`].
    pub fn fill(&self, text: &str) -> Result<String, Failure> {
        self.resolve(&self.template(text)?)
    }

    fn template(&self, text: &str) -> Result<Template, Failure> {
        let template = Template::parse(text)?;
        for part in template.parts() {
            if let Part::Variable(name) = part
                && !self.application.contains_key(name)
            {
                return Err(Failure::InvalidTemplate(format!("unknown variable {name:?}")));
            }
        }
        Ok(template)
    }

    fn resolve(&self, template: &Template) -> Result<String, Failure> {
        template
            .parts()
            .iter()
            .map(|part| match part {
                Part::Literal(text) => Ok(text.clone()),
                Part::Variable(name) => self.value(name),
            })
            .collect()
    }

    fn value(&self, name: &str) -> Result<String, Failure> {
        self.providers
            .iter()
            .find_map(|provider| provider.get(name))
            .or_else(|| self.application.get(name).and_then(|variable| variable.default.clone()))
            .ok_or_else(|| Failure::Provider(format!("no provider resolved required variable {name:?}")))
    }

    fn check_required(&self) -> Result<()> {
        let missing: Vec<_> =
            self.application.keys().filter(|name| self.value(name).is_err()).map(String::as_str).collect();
        let Some(first) = missing.first() else {
            return Ok(());
        };
        anyhow::bail!(
            "no value for the required variable{} {}\n\
             Set each in the environment or in .env in the working directory (SPIN_VARIABLE_{}=...), or with --variable {first}=...",
            if missing.len() == 1 { "" } else { "s" },
            missing.join(", "),
            first.to_ascii_uppercase(),
        )
    }
}

fn check_name(name: &str) -> Result<(), Failure> {
    let reason = if name.is_empty() {
        "must not be empty".to_owned()
    } else if let Some(wrong) = name.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_')) {
        format!("{wrong:?} is not a lower-case letter, a digit or an underscore")
    } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        "must start with a letter".to_owned()
    } else if name.ends_with('_') {
        "must end with a letter or a digit".to_owned()
    } else if name.contains("__") {
        "must not have two underscores together".to_owned()
    } else {
        return Ok(());
    };
    Err(Failure::InvalidName(format!("{name:?}: {reason}")))
}

impl Host for State {
    fn convert_error(&mut self, error: Error) -> wasmtime::Result<Error> {
        Ok(error)
    }
}

impl<T: Send> HostWithStore<T> for HasSelf<State> {
    async fn get(accessor: &Accessor<T, Self>, name: String) -> Result<String, Error> {
        let component = accessor.with(|mut access| access.get().component.clone());
        Ok(component.variables.get(&component.id, &name)?)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn variables(given: &[(&str, &str)]) -> Result<Variables> {
        let manifest = Manifest::parse(
            r#"
            spin_manifest_version = 2
            application.name = "a"
            [variables]
            host = { required = true }
            port = { default = "5432" }
            [[trigger.http]]
            route = "/..."
            component = "c"
            [component.c]
            source = "c.wasm"
            variables = { url = "postgres://{{ host }}:{{ port }}/" }
            [component.other]
            source = "c.wasm"
            "#,
            Path::new("/"),
        )?;
        let given = given.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Variables::new(&manifest, vec![Provider::Static(given)])
    }

    #[test]
    fn a_component_sees_its_own_table_only() {
        let variables = variables(&[("host", "db")]).unwrap();
        assert_eq!(variables.get("c", "url").unwrap(), "postgres://db:5432/");
        assert!(matches!(variables.get("c", "host"), Err(Failure::Undefined(_))));
        assert!(matches!(variables.get("other", "url"), Err(Failure::Undefined(_))));
        assert_eq!(variables.fill("{{ host }}:{{port}}").unwrap(), "db:5432");
    }

    #[test]
    fn providers_beat_defaults() {
        let variables = variables(&[("host", "db"), ("port", "1")]).unwrap();
        assert_eq!(variables.get("c", "url").unwrap(), "postgres://db:1/");
    }

    #[test]
    fn a_missing_variable_is_named_with_the_way_to_set_it() {
        let error = variables(&[]).unwrap_err().to_string();
        assert!(error.contains("SPIN_VARIABLE_HOST="), "{error}");
        assert!(error.contains("--variable host="), "{error}");
    }

    #[test]
    fn names_are_lower_snake_case() {
        let variables = variables(&[("host", "db")]).unwrap();
        for name in ["", "Url", "1a", "a__b", "a_", "a-b"] {
            assert!(matches!(variables.get("c", name), Err(Failure::InvalidName(_))), "{name}");
        }
    }
}
