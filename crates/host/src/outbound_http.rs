//! Requests that a component sends: only to `allowed_outbound_hosts`, and no redirect is followed.

use std::sync::Arc;

use http_body_util::BodyExt;
use url::Url;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_send_request};

use crate::state::ComponentConfig;

/// The guard before wasmtime's HTTP client.
pub struct OutboundHttp(Arc<ComponentConfig>);

type Ended = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl OutboundHttp {
    /// For an instance of this component.
    pub fn new(component: Arc<ComponentConfig>) -> Self {
        Self(component)
    }
}

impl WasiHttpHooks for OutboundHttp {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Ended,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Ended), Error>> + Send> {
        let component = self.0.clone();
        Box::new(async move {
            let url = request.uri().to_string();
            if !Url::parse(&url).is_ok_and(|url| component.allowed_hosts.allow(&url)) {
                tracing::error!(component = component.id, "a request to {url} is not in allowed_outbound_hosts");
                return Err(Error::HttpRequestDenied);
            }
            let (response, ended) = default_send_request(request, options).await?;
            Ok((response.map(BodyExt::boxed_unsync), Box::new(ended) as Ended))
        })
    }
}
