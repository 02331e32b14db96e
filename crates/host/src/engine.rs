//! wasmtime, set up as Spin sets it up: pooled instances, and compiled code kept on disk.

use std::path::Path;

use anyhow::{Context, Result};
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::bindings::{key_value, postgres, v2, variables};
use crate::state::State;

/// Spin's variable for the number of instances at once, and its default.
const MAX_INSTANCES: (&str, u32) = ("SPIN_MAX_INSTANCE_COUNT", 1_000);

/// Makes the engine. wasmtime names what it keeps in `cache` by content, version and settings, so nothing in there can be
/// stale; without a folder nothing is kept.
///
/// # Errors
///
/// When the folder cannot be used, the machine cannot run wasmtime, or `SPIN_MAX_INSTANCE_COUNT` is not a number.
pub fn engine(cache: Option<&Path>) -> Result<Engine> {
    let mut config = Config::new();
    config.wasm_component_model(true);
    config.wasm_component_model_async(true);
    // Nothing here interrupts a guest by epochs; Spin compiles the checks in, and their price belongs to the picture.
    config.epoch_interruption(true);
    if let Some(folder) = cache {
        let mut kept = CacheConfig::new();
        kept.with_directory(std::path::absolute(folder)?);
        let kept = Cache::new(kept)
            .map_err(anyhow::Error::from)
            .with_context(|| format!("cannot keep compiled code in {}", folder.display()))?;
        config.cache(Some(kept));
    }
    let mut pooled = config.clone();
    let (name, default) = MAX_INSTANCES;
    let instances = match std::env::var(name) {
        Ok(count) => count.parse().with_context(|| format!("{name} is not a number: {count}"))?,
        Err(_) => default,
    };
    pooled.allocation_strategy(InstanceAllocationStrategy::Pooling(pooling(instances)));
    match Engine::new(&pooled) {
        Ok(engine) => Ok(engine),
        Err(error) => {
            tracing::warn!("no room for pooled instances, making each on demand: {error:#}");
            Ok(Engine::new(&config)?)
        }
    }
}

fn pooling(instances: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(instances)
        .total_memories(instances)
        .total_stacks(instances)
        .total_tables(2 * instances)
        .total_core_instances(4 * instances)
        .table_elements(100_000)
        .max_component_instance_size(10 << 20)
        .max_core_instance_size(10 << 20)
        .max_core_instances_per_component(200)
        .max_tables_per_component(64)
        .max_memories_per_component(32)
        .max_tables_per_module(2)
        .max_memories_per_module(2)
        .max_memory_size(4 << 30)
        .linear_memory_keep_resident(2 << 20)
        .table_keep_resident(512 << 10);
    pool
}

/// Everything that a component may be linked to.
///
/// # Errors
///
/// When two interfaces clash, which is a mistake in this crate.
pub fn linker(engine: &Engine) -> Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    key_value::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    postgres::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    variables::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    v2::key_value::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    v2::variables::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    Ok(linker)
}
