//! Loading of an application: reads manifest and configuration, checks variables, compiles and links components.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use bytes::Bytes;
use indexmap::IndexMap;
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::cli::Options;
use crate::componentize::componentize;
use crate::engine;
use crate::instance::Instances;
use crate::key_value::Stores;
use crate::manifest::{self, Manifest};
use crate::networking::AllowedHosts;
use crate::postgres::Pools;
use crate::routes::Router;
use crate::runtime_config::RuntimeConfig;
use crate::service::Service;
use crate::state::ComponentConfig;
use crate::variables::{Given, Provider, Variables};

/// What can be served.
pub struct App {
    /// The name in the manifest.
    pub name: String,
    /// The version in the manifest.
    pub version: String,
    /// The routes to its components.
    pub router: Router,
    /// Its components, linked.
    pub components: HashMap<String, Instances>,
    /// What their descriptions say, by id.
    pub descriptions: HashMap<String, String>,
}

impl App {
    /// Makes an application ready.
    ///
    /// # Errors
    ///
    /// A key that this host does not support, a variable without a value, a component whose imports do not exist.
    pub fn load(options: &Options) -> Result<Self> {
        let manifest = Manifest::read(&options.from)?;
        let mut runtime = RuntimeConfig::read(options.runtime_config_file.as_deref())?;
        let mut providers = vec![Given::collect(&options.variable)?];
        providers.extend(runtime.providers()?);
        providers.push(Provider::environment(None, Some(Path::new(".env")))?);
        let variables = Arc::new(Variables::new(&manifest, providers)?);
        let permits = runtime.outbound_pg.max_connections.map(Semaphore::new).map(Arc::new);
        let state = options.state(runtime.state_dir.as_deref());
        let stores = Arc::new(Stores::new(std::mem::take(&mut runtime.key_value_store), state.as_deref())?);
        stores.begin_with(&options.key_value)?;

        let routes = manifest
            .triggers
            .iter()
            .filter_map(|trigger| Some((trigger.component.as_str(), trigger.route.as_deref()?)));
        let router = Router::new(routes)?;

        let engine = engine::engine(options.cache().as_deref())?;
        let linker = engine::linker(&engine)?;
        let mut components = HashMap::new();
        let mut descriptions = HashMap::new();
        let mut keeps = false;
        for (id, component) in manifest.components {
            let compiled = compile(&engine, &id, &component.source)?;
            descriptions.insert(id.clone(), component.description.clone());
            let config = configure(&id, component, options, &variables, Pools::new(permits.clone()), &stores)?;
            keeps |= config.stores.has_default();
            let instances = Instances::new(&engine, &linker, &compiled, Arc::new(config), options.reuse())
                .map_err(anyhow::Error::from)
                .with_context(|| format!("the component {id} cannot run here"))?;
            components.insert(id, instances);
        }
        if let Some(place) = stores.default_place().filter(|_| keeps) {
            eprintln!("Storing default key-value data to {place}.");
        }
        Ok(Self { name: manifest.name, version: manifest.version, router, components, descriptions })
    }

    /// The service that answers for it.
    ///
    /// # Errors
    ///
    /// Never in practice: two texts become JSON.
    pub fn into_service(self) -> Result<Service> {
        let mut info = IndexMap::from([("name", self.name)]);
        if !self.version.is_empty() {
            info.insert("version", self.version);
        }
        let info = serde_json::to_vec_pretty(&info)?;
        Ok(Service::new(self.router, self.components, Bytes::from(info)))
    }
}

fn configure(
    id: &str,
    component: manifest::Component,
    options: &Options,
    variables: &Arc<Variables>,
    pools: Pools,
    stores: &Arc<Stores>,
) -> Result<ComponentConfig> {
    let mut environment = component.environment;
    environment.extend(options.env.iter().cloned());
    Ok(ComponentConfig {
        id: id.to_owned(),
        environment: environment.into_iter().collect(),
        files: component.files,
        allowed_hosts: AllowedHosts::new(&component.allowed_outbound_hosts, variables)
            .with_context(|| format!("component.{id}"))?,
        variables: variables.clone(),
        pools,
        stores: stores.grant(component.key_value_stores).with_context(|| format!("component.{id}"))?,
    })
}

fn compile(engine: &Engine, id: &str, source: &Path) -> Result<Component> {
    let wasm = std::fs::read(source)
        .with_context(|| format!("cannot read the component {id} from {} (is it built?)", source.display()))?;
    let begun = Instant::now();
    eprint!("compiling {id}... ");
    let compiled = componentize(&wasm).and_then(|wasm| Ok(Component::new(engine, &wasm)?));
    eprintln!("{:.1} s", begun.elapsed().as_secs_f64());
    compiled.with_context(|| format!("{} is no component that this host can run", source.display()))
}
