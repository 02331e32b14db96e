//! Requests and responses between `wasi:http` and the router.

use axum::body::Body;
use futures::TryStreamExt;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt;
use send_wrapper::SendWrapper;
use spin_sdk::http::{Fields, IncomingRequest, OutgoingResponse, ResponseOutparam};

/// The request as the router takes it; its body is read when the router reads it. Fails if its method, URI or a header is none for the
/// crate `http`.
pub(super) fn request(incoming: IncomingRequest) -> http::Result<Request<Body>> {
    let mut request = Request::builder().method(incoming.method().to_string().as_str()).uri(incoming.uri());
    for (name, value) in incoming.headers().entries() {
        request = request.header(name, value);
    }
    let body = incoming.into_body_stream().map_err(|error| error.to_debug_string());
    request.body(Body::from_stream(SendWrapper::new(body)))
}

/// The response to a request that the router cannot represent.
pub(super) fn refusal() -> Response<Body> {
    let mut refusal = Response::new(Body::empty());
    *refusal.status_mut() = StatusCode::BAD_REQUEST;
    refusal
}

/// Gives the response to Spin. A response that cannot be sent becomes a line in the log, and Spin answers 500.
pub(super) async fn respond(response: Response<Body>, out: ResponseOutparam) {
    if let Err(cause) = send(response, out).await {
        crate::AMBIENT.report(errand::Event::NoResponse, &cause);
    }
}

async fn send(response: Response<Body>, out: ResponseOutparam) -> Result<(), String> {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
    let header = |(name, value): (&HeaderName, &HeaderValue)| (name.as_str().to_owned(), value.as_bytes().to_vec());
    let headers: Vec<_> = parts.headers.iter().map(header).collect();
    let headers = Fields::from_list(&headers).map_err(|error| format!("{error:?}"))?;
    let outgoing = OutgoingResponse::new(headers);
    outgoing.set_status_code(parts.status.as_u16()).map_err(|()| format!("the status {}", parts.status))?;
    if body.is_empty() {
        // Without a body, Content-Length may be that of the response to a GET (RFC 9110, section 9.3.2).
        out.set(outgoing);
        return Ok(());
    }
    // The client may have gone.
    _ = out.set_with_body(outgoing, body.into()).await;
    Ok(())
}
