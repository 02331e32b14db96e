//! Requests and responses between `wasi:http` and the router.
//!
//! They are converted here and not by the SDK, which calls the host six times more for a read: for the scheme and the options of the request,
//! for its headers a second time and the length within them, and for a status of 200, which a response has anyway.

use axum::body::Body;
use http::header::HOST;
use http::{Method, Request, Response, StatusCode};
use http_body::Body as _;
use http_body_util::BodyExt;
use spin_sdk::wasip3::http::types::{self, ErrorCode, Fields};
use spin_sdk::wasip3::http_compat::IncomingBody;
use spin_sdk::wasip3::{wit_future, wit_stream};
use wit_bindgen::{StreamWriter, spawn};

/// Why a request cannot be converted.
pub(super) enum Unreadable {
    /// Its method, its path or a header is none for the crate `http`.
    Head,
    /// The SDK cannot count the declared length of its body: it has 2^63 bytes or more.
    Length,
}

/// The request as the router takes it. The body of a write is read when the router reads it; that of a read stays with the host.
pub(super) fn request(incoming: types::Request) -> Result<Request<Body>, Unreadable> {
    let method = Method::try_from(incoming.get_method()).map_err(|_| Unreadable::Head)?;
    let path = incoming.get_path_with_query();
    let mut request = Request::builder().method(method.clone()).uri(path.as_deref().unwrap_or_default());
    let mut has_host = false;
    for (name, value) in incoming.get_headers().copy_all() {
        has_host |= name == HOST.as_str();
        request = request.header(name, value);
    }
    // In HTTP/2 the host is no header (RFC 9113, section 8.3.1).
    if let (false, Some(host)) = (has_host, incoming.get_authority()) {
        request = request.header(HOST, host);
    }
    let body = match method {
        Method::GET | Method::HEAD => Body::empty(),
        _ => Body::new(IncomingBody::new(incoming).map_err(|_| Unreadable::Length)?),
    };
    request.body(body).map_err(|_| Unreadable::Head)
}

/// The response to a request with an unreadable head.
pub(super) fn refusal() -> Response<Body> {
    let mut refusal = Response::new(Body::empty());
    *refusal.status_mut() = StatusCode::BAD_REQUEST;
    refusal
}

/// The response as the host takes it. A task of its own sends the body.
pub(super) fn response(answer: Response<Body>) -> Result<types::Response, ErrorCode> {
    let (head, body) = answer.into_parts();
    let headers = head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
    let headers = Fields::from_list(&headers.collect::<Vec<_>>())
        .map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    let (end, trailers) = wit_future::new(|| Ok(None));
    let (content, stream) = match body.is_end_stream() {
        true => (None, None),
        false => {
            let (writer, reader) = wit_stream::new();
            (Some((body, writer)), Some(reader))
        }
    };
    let (response, _sent) = types::Response::new(headers, stream, trailers);
    if head.status != StatusCode::OK {
        _ = response.set_status_code(head.status.as_u16());
    }
    spawn(async move {
        if let Some((body, writer)) = content {
            send(body, writer).await;
        }
        // There are no trailers. A client that has gone reads nothing.
        _ = end.write(Ok(None)).await;
    });
    Ok(response)
}

async fn send(mut body: Body, mut writer: StreamWriter<u8>) {
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(data) = frame.into_data() else { continue };
        if !writer.write_all(data.into()).await.is_empty() {
            return;
        }
    }
}
