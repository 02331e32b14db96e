//! wasmtime, set up as Spin sets it up: pooled instances, and compiled code kept on disk.

use std::num::ParseIntError;
use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, Result};
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::bindings::{key_value, postgres, v2, variables};
use crate::state::State;

/// Makes the engine. wasmtime names what it keeps in `cache` by content, version and settings, so nothing in there can be
/// stale; without a folder nothing is kept.
///
/// # Errors
///
/// When the folder cannot be used, the machine cannot run wasmtime, or one of Spin's variables for the pool is not a number.
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
    pooled.allocation_strategy(InstanceAllocationStrategy::Pooling(pooling()?));
    match Engine::new(&pooled) {
        Ok(engine) => Ok(engine),
        Err(error) => {
            tracing::warn!("no room for pooled instances, making each on demand: {error:#}");
            Ok(Engine::new(&config)?)
        }
    }
}

/// The pool of instances, by Spin's environment variables and its defaults for them.
fn pooling() -> Result<PoolingAllocationConfig> {
    let instances: u32 = number("SPIN_MAX_INSTANCE_COUNT", 1_000)?;
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(number("SPIN_WASMTIME_INSTANCE_COUNT", instances)?)
        .total_memories(number("SPIN_WASMTIME_TOTAL_MEMORIES", instances)?)
        .total_stacks(number("SPIN_WASMTIME_TOTAL_STACKS", instances)?)
        .total_tables(number("SPIN_WASMTIME_TOTAL_TABLES", 2 * instances)?)
        .total_core_instances(number("SPIN_WASMTIME_TOTAL_CORE_INSTANCES", 4 * instances)?)
        .table_elements(number("SPIN_WASMTIME_INSTANCE_TABLE_ELEMENTS", 100_000)?)
        .max_component_instance_size(number("SPIN_WASMTIME_INSTANCE_SIZE", 10 << 20)?)
        .max_core_instance_size(number("SPIN_WASMTIME_CORE_INSTANCE_SIZE", 10 << 20)?)
        .max_core_instances_per_component(number("SPIN_WASMTIME_CORE_INSTANCE_COUNT", 200)?)
        .max_tables_per_component(number("SPIN_WASMTIME_INSTANCE_TABLES", 64)?)
        .max_memories_per_component(number("SPIN_WASMTIME_INSTANCE_MEMORIES", 32)?)
        .max_tables_per_module(number("SPIN_WASMTIME_MAX_TABLES_PER_MODULE", 2)?)
        .max_memories_per_module(number("SPIN_WASMTIME_MAX_MEMORIES_PER_MODULE", 2)?)
        .max_memory_size(4 << 30)
        .linear_memory_keep_resident(number("SPIN_WASMTIME_LINEAR_MEMORY_KEEP_RESIDENT", 2 << 20)?)
        .table_keep_resident(number("SPIN_WASMTIME_TABLE_KEEP_RESIDENT", 512 << 10)?);
    Ok(pool)
}

fn number<T: FromStr<Err = ParseIntError>>(name: &str, default: T) -> Result<T> {
    match std::env::var(name) {
        Ok(number) => number.parse().with_context(|| format!("{name} is not a number: {number}")),
        Err(_) => Ok(default),
    }
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
