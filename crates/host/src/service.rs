//! From a request to its response: the host's own paths, the route, the component.

use std::collections::HashMap;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use wasmtime_wasi_http::handler::ProxyHandler;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::instance::Instances;
use crate::request;
use crate::routes::{RouteMatch, Router};

/// Paths that the host answers itself.
pub const WELL_KNOWN: &str = "/.well-known/spin/";

/// What answers requests.
pub struct Service {
    router: Router,
    components: HashMap<String, ProxyHandler<Instances>>,
    info: Bytes,
}

impl Service {
    /// Puts routes and components together. `info` is what `/.well-known/spin/info` says.
    pub fn new(router: Router, components: HashMap<String, Instances>, info: Bytes) -> Self {
        Self {
            router,
            components: components.into_iter().map(|(id, instances)| (id, ProxyHandler::new(instances))).collect(),
            info,
        }
    }

    /// The routes.
    pub fn router(&self) -> &Router {
        &self.router
    }

    /// Answers a request.
    ///
    /// # Errors
    ///
    /// When it names no authority, or two. Spin closes the connection then, and so does this.
    pub async fn answer(&self, mut request: Request<Incoming>, client: SocketAddr) -> Result<Response<WasiBody>> {
        request::strip_headers(request.headers_mut());
        let path = request.uri().path().to_owned();
        if let Some(own) = path.strip_prefix(WELL_KNOWN) {
            return Ok(match own {
                "health" => Response::new(full(Bytes::from_static(b"OK"))),
                "info" => {
                    let mut response = Response::new(full(self.info.clone()));
                    let json = HeaderValue::from_static("application/json");
                    response.headers_mut().insert(header::CONTENT_TYPE, json);
                    response
                }
                _ => empty(StatusCode::NOT_FOUND),
            });
        }
        let Some(route) = self.router.route(&path) else {
            return Ok(empty(StatusCode::NOT_FOUND));
        };
        request::make_absolute(&mut request)?;
        Ok(self.run(request, &route, client).await.unwrap_or_else(|error| {
            tracing::error!(component = route.component(), "a request to {path} failed: {error:#}");
            empty(StatusCode::INTERNAL_SERVER_ERROR)
        }))
    }

    async fn run(
        &self,
        mut request: Request<Incoming>,
        route: &RouteMatch<'_>,
        client: SocketAddr,
    ) -> Result<Response<WasiBody>> {
        let component = self
            .components
            .get(route.component())
            .with_context(|| format!("there is no component {:?}", route.component()))?;
        request::add_headers(&mut request, route, client)?;
        let request = request.map(|body| body.map_err(Error::from).boxed_unsync());
        Ok(component.handle((), request).await?)
    }
}

fn full(bytes: Bytes) -> WasiBody {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

fn empty(status: StatusCode) -> Response<WasiBody> {
    let mut response = Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response
}
