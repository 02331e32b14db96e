//! A component of ten lines, which `cargo xtask bench --bare` measures errand's beside: any request is one `select api.ready()`.
#![cfg(target_family = "wasm")]
#![allow(unsafe_code, reason = "the code of the macro")]

use spin_sdk::http::{Request, Response};
use spin_sdk::{http_component, pg4::Connection, variables};

#[http_component]
fn handle(_: Request) -> Response {
    let ready = |url: String| Connection::open(&url).and_then(|connection| connection.query("select api.ready()", &[]));
    match variables::get("database_url").map(ready) {
        Ok(Ok(_)) => Response::new(200, "ready"),
        _ => Response::new(503, "not ready"),
    }
}
