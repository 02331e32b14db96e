//! What PostgreSQL alone can do with the same function calls, and what the parts of a request cost.
//!
//! pgbench cannot send exactly what Spin sends. `prepared` is less (the statement is known already: what the native build
//! does), `extended` leaves out the round trip of Describe and the one of recycling, `simple` has that of recycling. The
//! truth for Spin lies below the lower two.

use std::{fs, time::Duration};

use anyhow::{Context, Result};
use errand_postgres::{address::Address, cluster};
use serde::Serialize;
use tokio::process::Command;

use super::{
    data::{Data, Size},
    load::{Measured, Wrk, output},
    peer::{Peer, Running},
    report::Report,
    scenario::{Cell, Scenario},
    usage::{Look, Processes},
};
use crate::workspace;

/// What deadpool's `RecyclingMethod::Clean` sends with each checkout, in one message.
const CLEAN: &str = "close all\\; set session authorization default\\; reset all\\; unlisten *\\; \
    select pg_advisory_unlock_all()\\; discard temp\\; discard sequences;\n";
/// The calls that have a script in bench/floor.
const CALLS: [&str; 5] = ["ready", "get", "list304", "list", "complete"];
const CONNECTIONS: u32 = 32;

/// How pgbench sends a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Protocol {
    Prepared,
    Extended,
    /// With the recycling of a connection before each call.
    Simple,
}

/// pgbench's figures for a call.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Floor {
    pub(crate) call: &'static str,
    pub(crate) protocol: Protocol,
    pub(crate) rate: f64,
    /// Microseconds of PostgreSQL's processor time.
    pub(crate) cpu: f64,
}

/// A part of a request, on a server that is errand.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Part {
    pub(crate) peer: Peer,
    pub(crate) scenario: Scenario,
    /// With one connection.
    pub(crate) alone: Measured,
    /// With 32 of them.
    pub(crate) loaded: Measured,
}

/// Seconds for each figure.
const EACH: u64 = 2;

/// Seconds of measuring: 15 slots with pgbench, 14 with wrk.
pub(crate) const SECONDS: u64 = 29 * EACH;

/// Measures both, among users who have the same number of tasks; the requests are those of the plan that is in place.
pub(crate) async fn measure(
    wrk: &Wrk,
    data: &Data,
    size: Size,
    servers: &[Running],
    report: &mut Report,
) -> Result<()> {
    // These come first: pgbench writes, and changes what a 304 depends on.
    for server in servers.iter().filter(|server| server.peer == Peer::Host) {
        for scenario in Scenario::PARTS {
            let pids = (server.pid(), data.pid());
            let alone = wrk.run(server.port, Cell { connections: 1, scenario }, EACH, 1, pids).await?;
            let loaded = wrk.run(server.port, Cell { connections: CONNECTIONS, scenario }, EACH, 1, pids).await?;
            super::settle(&[pids.0, pids.1]).await;
            report.parts.push(Part { peer: server.peer, scenario, alone, loaded });
        }
    }
    for call in CALLS {
        for protocol in [Protocol::Prepared, Protocol::Extended, Protocol::Simple] {
            report.floor.push(pgbench(data, size, call, protocol, EACH).await?);
        }
    }
    Ok(())
}

async fn pgbench(data: &Data, size: Size, call: &'static str, protocol: Protocol, seconds: u64) -> Result<Floor> {
    let root = workspace::root()?;
    let program = cluster::client_program(&root, "pgbench").context("pgbench is not installed")?;
    let source = root.join(format!("bench/floor/{call}.sql"));
    let text = fs::read_to_string(&source).with_context(|| format!("cannot read {}", source.display()))?;
    let (mode, clean) = match protocol {
        Protocol::Prepared => ("prepared", ""),
        Protocol::Extended => ("extended", ""),
        Protocol::Simple => ("simple", CLEAN),
    };
    let script = root.join("target/bench/floor.sql");
    fs::write(&script, format!("{clean}{text}"))?;
    let mut command = Command::new(program);
    command.args(["--no-vacuum", "--jobs", "1", "--protocol", mode, "--client", &CONNECTIONS.to_string()]);
    command.args(["--time", &seconds.to_string()]).arg("--file").arg(&script);
    command.args(["--define", &format!("users={}", size.users), "--define", &format!("tasks={}", size.tasks)]);
    command.envs(Address::parse(&data.app_url)?.libpq_env());
    // A session that ends between two looks at the processes would be missing in both.
    super::settle(&[data.pid()]).await;
    let before = data.pid().map(Processes::Tree).and_then(Look::at);
    let told = output(command, Duration::from_secs(seconds + 30)).await?;
    super::settle(&[data.pid()]).await;
    let used = before.and_then(|look| look.spent()).unwrap_or_default();
    let rate: f64 = told
        .lines()
        .find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok())
        .with_context(|| format!("pgbench says: {told}"))?;
    let cpu = used as f64 / (rate * seconds as f64).max(1.0);
    eprintln!("   pgbench  {call:<10} {mode:<9} {rate:>8.0}/s");
    Ok(Floor { call, protocol, rate, cpu })
}
