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
            "spin:postgres/postgres.error" => spin::postgres4_2_0::postgres::Error,
            "spin:variables/variables.error" => spin::variables::variables::Error,
        },
    });
}

/// The interfaces of components of WASI 0.2. Their `spin:postgres@4.0.0` is linked to 4.2.0, which has all of it.
#[expect(missing_docs, reason = "generated from WIT")]
mod generated_p2 {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "errand:api/spin-p2",
        imports: { default: async | trappable },
        with: {
            "fermyon:spin/key-value.store": crate::key_value::Store,
            "spin:postgres/postgres": super::postgres,
        },
        trappable_error_type: {
            "fermyon:spin/key-value.error" => fermyon::spin::key_value::Error,
            "fermyon:spin/variables.error" => fermyon::spin::variables::Error,
        },
    });
}

/// The interfaces `fermyon:spin@2.0.0`, whose functions block the component.
pub mod v2 {
    pub use super::generated_p2::fermyon::spin::{key_value, variables};
}

pub use generated::spin::key_value::key_value;
pub use generated::spin::postgres4_2_0::postgres;
pub use generated::spin::variables::variables;
