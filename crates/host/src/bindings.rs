//! The host's side of the world in `wit/`, for what is Spin's own. WASI comes from wasmtime's crates.

#[expect(missing_docs, reason = "generated from WIT")]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "errand:api/spin",
        imports: { default: async | trappable },
        with: {
            "spin:key-value/key-value.store": crate::key_value::Store,
            "spin:postgres/postgres.connection": crate::postgres::Connection,
            "spin:postgres/postgres.connection-builder": crate::postgres::ConnectionBuilder,
        },
        trappable_error_type: {
            "spin:key-value/key-value.error" => spin::key_value::key_value::Error,
            "spin:postgres/postgres.error" => spin::postgres::postgres::Error,
            "spin:variables/variables.error" => spin::variables::variables::Error,
        },
    });
}

pub use generated::spin::key_value::key_value;
pub use generated::spin::postgres::postgres;
pub use generated::spin::variables::variables;
