//! What one instance of a component holds.

use std::sync::Arc;

use wasmtime::Result;
use wasmtime::component::ResourceTable;
use wasmtime::error::Context;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::key_value::Granted;
use crate::manifest::Mount;
use crate::networking::AllowedHosts;
use crate::outbound_http::OutboundHttp;
use crate::postgres::Pools;
use crate::variables::Variables;

/// A component's configuration, shared by its instances.
pub struct ComponentConfig {
    /// Its id in the manifest.
    pub id: String,
    /// Its environment.
    pub environment: Vec<(String, String)>,
    /// Directories that it may read.
    pub files: Vec<Mount>,
    /// Where it may connect to.
    pub allowed_hosts: AllowedHosts,
    /// The application's variables, and this component's among them.
    pub variables: Arc<Variables>,
    /// Its database connections.
    pub pools: Pools,
    /// The key-value stores that it may open.
    pub stores: Granted,
}

/// The data of a wasmtime store.
pub struct State {
    /// The component that this is an instance of.
    pub component: Arc<ComponentConfig>,
    /// What the guest holds handles to.
    pub table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound_http: OutboundHttp,
}

impl State {
    /// A fresh instance's data: no arguments, no standard input, no network but through Spin's interfaces.
    ///
    /// # Errors
    ///
    /// When a directory in `files` cannot be opened.
    pub fn new(component: &Arc<ComponentConfig>) -> Result<Self> {
        let mut wasi = WasiCtxBuilder::new();
        wasi.inherit_stdout().inherit_stderr().envs(&component.environment);
        for Mount { source, destination } in &component.files {
            wasi.preopened_dir(source, destination, FsPerms::ReadOnly)
                .with_context(|| format!("cannot give {} to the component", source.display()))?;
        }
        Ok(Self {
            component: component.clone(),
            table: ResourceTable::new(),
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            outbound_http: OutboundHttp::new(component.clone()),
        })
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.outbound_http, table: &mut self.table, ctx: &mut self.http }
    }
}
