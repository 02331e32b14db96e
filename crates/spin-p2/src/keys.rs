//! `KeySource` over Spin's outbound HTTP, which follows no redirects and goes to `allowed_outbound_hosts` alone; and
//! `SharedStore` over its key-value store, which has no compare-and-swap.

use std::future::{poll_fn, ready};
use std::pin::pin;
use std::sync::OnceLock;
use std::task::Poll;
use std::time::{Duration, Instant};

use errand::auth::{
    FETCH_TIMEOUT, FetchFuture, KeySource, MAX_JWKS_BYTES, ReadFuture, SharedStore, SleepFuture, WriteFuture,
};
use futures::TryStreamExt;
use futures::future::{Either, select};
use send_wrapper::SendWrapper;
use spin_executor::{CancelOnDropToken, push_waker_and_get_token};
use spin_sdk::http::{IncomingResponse, Request, send};
use spin_sdk::key_value::{Error, Store};
use uuid::Uuid;
use wasi::clocks::monotonic_clock::subscribe_duration;

/// Spin's HTTP client, and its store `default`.
#[derive(Default)]
pub(super) struct SpinKeys {
    instance: OnceLock<String>,
}

impl KeySource for SpinKeys {
    fn fetch<'a>(&'a self, url: &'a str) -> FetchFuture<'a> {
        // A component has one thread: what is not Send cannot leave it.
        Box::pin(SendWrapper::new(async move {
            match select(pin!(get(url)), pin!(sleep(FETCH_TIMEOUT))).await {
                Either::Left((outcome, _)) => outcome,
                Either::Right(_) => Err("deadline passed".to_owned()),
            }
        }))
    }

    fn sleep(&self, time: Duration) -> SleepFuture {
        Box::pin(SendWrapper::new(sleep(time)))
    }

    fn shared(&self) -> Option<&dyn SharedStore> {
        Some(self)
    }
}

/// A call of the store blocks, so it has no timeout.
impl SharedStore for SpinKeys {
    fn instance(&self) -> &str {
        self.instance.get_or_init(|| Uuid::now_v7().to_string())
    }

    fn read<'a>(&'a self, key: &'a str) -> ReadFuture<'a> {
        let read = || Store::open_default()?.get(key);
        Box::pin(ready(read().map_err(named)))
    }

    fn write<'a>(&'a self, key: &'a str, value: Vec<u8>) -> WriteFuture<'a> {
        let write = || Store::open_default()?.set(key, &value);
        Box::pin(ready(write().map_err(named)))
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

/// Waits for this long. The executor of spin-sdk polls all of a request's futures when one of its pollables is ready.
async fn sleep(time: Duration) {
    let end = Instant::now() + time;
    let mut waiting = None;
    poll_fn(|context| {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Poll::Ready(());
        }
        let nanoseconds = u64::try_from(left.as_nanos()).unwrap_or(u64::MAX);
        let token = push_waker_and_get_token(subscribe_duration(nanoseconds), context.waker().clone());
        waiting = Some(CancelOnDropToken::from(token));
        Poll::Pending
    })
    .await;
    drop(waiting);
}

async fn get(url: &str) -> Result<Vec<u8>, String> {
    let mut request = Request::get(url);
    request.header("accept", "application/jwk-set+json, application/json");
    let response: IncomingResponse = send(request.build()).await.map_err(|error| error.to_string())?;
    if response.status() != 200 {
        return Err(format!("the answer is {}", response.status()));
    }
    let mut stream = pin!(response.take_body_stream());
    let mut body = Vec::new();
    while let Some(chunk) = stream.try_next().await.map_err(|error| error.to_debug_string())? {
        body.extend(chunk);
        if body.len() > MAX_JWKS_BYTES {
            return Err("length limit exceeded".to_owned());
        }
    }
    Ok(body)
}
