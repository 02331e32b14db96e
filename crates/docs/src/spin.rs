//! The Spin adapter.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::Full;
use spin_sdk::http::Request;
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> Result<http::Response<Full<Bytes>>, Infallible> {
    Ok(crate::answer(request.method(), request.uri().path(), request.headers()).map(Full::new))
}
