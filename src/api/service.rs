//! The operations of the service itself, which need no token.

use super::health::{live, ready};
use super::metadata::{PATH, get_resource_metadata};
use super::openapi::get_openapi;
use super::routes::operations;

operations! {
    "service": "The service itself; needs no token";
    "/health/live", public: true => {
        /// The component runs
        GET live;
    }
    "/health/ready", public: true => {
        /// The service can serve
        ///
        /// The database answers, and the schema is there.
        GET ready;
    }
    "/openapi.json", public: true => {
        /// The description of the API
        ///
        /// OpenAPI 3.1, this very document.
        GET get_openapi;
    }
    PATH, public: true => {
        /// Who issues the tokens that are accepted
        ///
        /// OAuth 2.0 protected resource metadata (RFC 9728).
        GET get_resource_metadata;
    }
}
