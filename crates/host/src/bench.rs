//! Measures the creation of an instance, which a request pays for when no instance has room.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::instance::Instances;

/// Makes `count` instances one after the other, each dropped before the next; tells the mean time.
///
/// # Errors
///
/// When one cannot be made.
pub async fn mean_instantiation(instances: &Instances, count: u32) -> Result<Duration> {
    let mut total = Duration::ZERO;
    for _ in 0..count {
        let begun = Instant::now();
        let made = instances.make().await?;
        total += begun.elapsed();
        drop(made);
    }
    Ok(total / count.max(1))
}
