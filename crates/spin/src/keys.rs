//! `KeySource` over Spin's outbound HTTP, which follows no redirects and goes to `allowed_outbound_hosts` alone; and
//! `SharedStore` over its key-value store, which has no compare-and-swap.

use std::pin::pin;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use futures::future::{Either, select};
use http::Request;
use http_body_util::{BodyExt, Empty, Limited};
use send_wrapper::SendWrapper;
use spin_sdk::http::send;
use spin_sdk::key_value::{Error, Store};
use spin_sdk::time::sleep;
use uuid::Uuid;

use super::timers::Timer;
use errand::auth::{
    FETCH_TIMEOUT, FetchFuture, KeySource, MAX_JWKS_BYTES, ReadFuture, STORE_TIMEOUT, SharedStore, SleepFuture,
    WriteFuture,
};

/// Spin's HTTP client, and its store `default`.
#[derive(Default)]
pub(super) struct SpinKeys {
    instance: OnceLock<String>,
}

impl KeySource for SpinKeys {
    fn fetch<'a>(&'a self, url: &'a str) -> FetchFuture<'a> {
        // A component has one thread: what is not Send cannot leave it.
        Box::pin(SendWrapper::new(within(FETCH_TIMEOUT, get(url))))
    }

    fn sleep(&self, time: Duration) -> SleepFuture {
        Box::pin(SendWrapper::new(sleep(time)))
    }

    fn shared(&self) -> Option<&dyn SharedStore> {
        Some(self)
    }
}

impl SharedStore for SpinKeys {
    fn instance(&self) -> &str {
        self.instance.get_or_init(|| Uuid::now_v7().to_string())
    }

    fn read<'a>(&'a self, key: &'a str) -> ReadFuture<'a> {
        let read = async move { Store::open_default().await?.get(key).await };
        Box::pin(SendWrapper::new(within(STORE_TIMEOUT, async { read.await.map_err(named) })))
    }

    fn write<'a>(&'a self, key: &'a str, value: Vec<u8>) -> WriteFuture<'a> {
        let write = async move { Store::open_default().await?.set(key, value).await };
        Box::pin(SendWrapper::new(within(STORE_TIMEOUT, async { write.await.map_err(named) })))
    }
}

async fn within<T>(deadline: Duration, call: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let mut timer = Timer::at(Instant::now() + deadline);
    match select(pin!(call), pin!(timer.fire())).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right(_) => Err("deadline passed".to_owned()),
    }
}

fn named(error: Error) -> String {
    match error {
        Error::StoreTableFull => "too many stores are open".to_owned(),
        Error::NoSuchStore => "there is no key-value store of that name".to_owned(),
        Error::AccessDenied => "key_value_stores does not name the store".to_owned(),
        Error::Other(cause) => cause,
    }
}

async fn get(url: &str) -> Result<Vec<u8>, String> {
    let request = Request::get(url)
        .header(http::header::ACCEPT, "application/jwk-set+json, application/json")
        .body(Empty::<bytes::Bytes>::new())
        .map_err(|error| error.to_string())?;
    let response = send(request).await.map_err(|error| error.to_string())?;
    if response.status() != http::StatusCode::OK {
        return Err(format!("the answer is {}", response.status()));
    }
    let body = Limited::new(response.into_body(), MAX_JWKS_BYTES).collect().await.map_err(|error| error.to_string())?;
    Ok(body.to_bytes().into())
}
