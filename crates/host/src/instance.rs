//! Instances of a component: created when no instance has room for a request, reused as the flags say, dropped when idle.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;
use tokio::time::Sleep;
use wasmtime::component::{Component, GuestTaskId, Linker};
use wasmtime::{Engine, Store, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, Proxy, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::{p2, p3};

use crate::reuse::Reuse;
use crate::state::{ComponentConfig, State};

/// A deadline that is never reached.
const NEVER: Duration = Duration::MAX;

/// A linked component, ready to be instantiated.
pub struct Instances {
    engine: Engine,
    pre: ProxyPre<State>,
    config: Arc<ComponentConfig>,
    reuse: Reuse,
}

impl Instances {
    /// Links a component.
    ///
    /// # Errors
    ///
    /// When it imports what this host has not, or exports neither `wasi:http/handler@0.3` nor `wasi:http/incoming-handler@0.2`.
    pub fn new(
        engine: &Engine,
        linker: &Linker<State>,
        component: &Component,
        config: Arc<ComponentConfig>,
        reuse: Reuse,
    ) -> wasmtime::Result<Self> {
        let pre = linker.instantiate_pre(component)?;
        let (pre, reuse) = match p2::bindings::ProxyPre::new(pre.clone()) {
            Ok(pre) => (ProxyPre::P2(pre), reuse.for_one_request()),
            Err(_) => (ProxyPre::P3(p3::bindings::ServicePre::new(pre)?), reuse),
        };
        Ok(Self { engine: engine.clone(), pre, config, reuse })
    }

    /// Makes an instance.
    ///
    /// # Errors
    ///
    /// When there is no room for it, or its start function traps.
    pub async fn make(&self) -> wasmtime::Result<(Store<State>, Proxy)> {
        let mut store = Store::new(&self.engine, State::new(&self.config)?);
        // Nothing ticks, so any distance is for ever; without one, the first check would trap.
        store.set_epoch_deadline(1);
        let proxy = self.pre.instantiate_async(&mut store).await?;
        Ok((store, proxy))
    }
}

impl HandlerState for Instances {
    type StoreData = State;
    type WorkerExpiration = Expiration;
    type WorkerState = Limits;

    async fn instantiate(&self) -> wasmtime::Result<Instance<State, Expiration, Limits>> {
        let (store, proxy) = self.make().await?;
        let request = self.reuse.request_timeout.map_or(NEVER, |timeout| timeout.sample());
        Ok(Instance {
            store,
            proxy,
            view: State::http,
            expiration: Expiration { idle: self.reuse.idle.sample(), request, sleep: tokio::time::sleep(NEVER) },
            state: Limits {
                component: self.config.clone(),
                request,
                count: self.reuse.count.sample(),
                concurrent: self.reuse.concurrent.sample(),
            },
        })
    }
}

pin_project! {
    /// When an instance that does nothing, or nothing but wait, has to go.
    pub struct Expiration {
        idle: Duration,
        request: Duration,
        #[pin]
        sleep: Sleep,
    }
}

impl WorkerExpiration for Expiration {
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>, status: WorkerStatus, since: Instant) -> Poll<()> {
        let mut this = self.project();
        let patience = match status {
            WorkerStatus::Idle => *this.idle,
            WorkerStatus::Requests | WorkerStatus::PostReturn => *this.request,
        };
        let Some(deadline) = since.checked_add(patience).map(Into::into) else {
            return Poll::Pending;
        };
        if this.sleep.deadline() != deadline {
            this.sleep.as_mut().reset(deadline);
        }
        this.sleep.poll(context)
    }
}

/// How much an instance takes on.
pub struct Limits {
    component: Arc<ComponentConfig>,
    request: Duration,
    count: usize,
    concurrent: usize,
}

impl WorkerState for Limits {
    type StoreData = State;
    type RequestData = ();

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= self.count {
            ShouldAccept::Never
        } else if concurrent >= self.concurrent {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, State>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        Box::pin(tokio::time::sleep(self.request))
    }

    fn drop(&self, store: Store<State>, result: wasmtime::Result<()>) {
        if let Err(error) = result {
            tracing::error!(component = self.component.id, "an instance failed: {error:#}");
        }
        drop(store);
    }
}
