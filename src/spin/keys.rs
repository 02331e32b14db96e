//! `KeySource` over Spin's outbound HTTP, which follows no redirects and goes to `allowed_outbound_hosts` alone.

use std::time::Duration;

use futures::future::{Either, select};
use http::Request;
use http_body_util::{BodyExt, Empty, Limited};
use send_wrapper::SendWrapper;
use spin_sdk::http::send;
use spin_sdk::time::sleep;

use crate::auth::{FETCH_DEADLINE, Fetching, KeySource, LONGEST_DOCUMENT, Pausing};

/// How long a request waits before it looks again whether another one's fetch has ended.
const PAUSE: Duration = Duration::from_millis(5);

/// Spin's HTTP client.
pub(super) struct SpinKeys;

impl KeySource for SpinKeys {
    fn fetch<'a>(&'a self, url: &'a str) -> Fetching<'a> {
        // A component has one thread: what is not Send cannot leave it.
        Box::pin(SendWrapper::new(async move {
            match select(std::pin::pin!(get(url)), std::pin::pin!(sleep(FETCH_DEADLINE))).await {
                Either::Left((outcome, _)) => outcome,
                Either::Right(_) => Err("deadline passed".to_owned()),
            }
        }))
    }

    fn pause(&self) -> Pausing {
        Box::pin(SendWrapper::new(sleep(PAUSE)))
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
    let body =
        Limited::new(response.into_body(), LONGEST_DOCUMENT).collect().await.map_err(|error| error.to_string())?;
    Ok(body.to_bytes().into())
}
