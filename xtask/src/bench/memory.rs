//! What errand's server holds: at rest, under a crowd, under long pages, and afterwards.

use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use super::{
    data::{Data, Size},
    load::{Measured, Wrk},
    peer::{Peer, Recipe},
    scenario::{Cell, Scenario},
    signer::Alg,
    usage::{Look, Processes},
};

const PEERS: [Peer; 2] = [Peer::Host, Peer::Spin];
/// A name, what is asked for, by how many connections, and the query of a page.
const LOADS: [(&str, Scenario, u32, &str); 4] = [
    ("get", Scenario::Get, 1_000, ""),
    ("list of 50", Scenario::Page, 1_000, "?limit=50"),
    ("list of 500", Scenario::Page, 100, "?limit=500"),
    ("list of 500", Scenario::Page, 1_000, "?limit=500"),
];
/// Seconds for each load.
const EACH: u64 = 8;
/// How long a server rests before it is looked at again. Idle instances go after a second.
const REST: Duration = Duration::from_secs(10);

/// Measures each server under each load, started anew for each.
pub(crate) async fn run(wrk: &Wrk, build: bool) -> Result<()> {
    let mut recipes = Vec::new();
    for peer in PEERS {
        match peer.prepare(build).await {
            Ok(recipe) => recipes.push(recipe),
            Err(error) if peer == Peer::Spin => eprintln!("errand: leaving out {}: {error:#}", peer.title()),
            Err(error) => return Err(error),
        }
    }
    let size = Size { first_user: 1, users: 200, tasks: 1_000 };
    let data = Data::open(&[size], Alg::Rs256).await?;
    wrk.plan(&data.plan(&[size]).await?)?;
    println!("What the server holds, in MiB; what processes share is divided among them.\n");
    println!(
        "| server | request | connections | bytes of an answer | with one request | most | {} s later | KiB for each connection | errors |",
        REST.as_secs()
    );
    println!("|---|---|---:|---:|---:|---:|---:|---:|---:|");
    for recipe in &recipes {
        for (name, scenario, connections, query) in LOADS {
            let held = under(wrk, &data, recipe, Cell { connections, scenario }, query).await?;
            let Held { first, most, later, measured } = held;
            println!(
                "| {} | {name} | {connections} | {:.0} | {} | {} | {} | {} | {} |",
                recipe.peer.title(),
                measured.each(measured.bytes),
                first / 1024,
                most / 1024,
                later / 1024,
                most.saturating_sub(first) / u64::from(connections),
                measured.errors
            );
        }
    }
    data.close().await
}

/// In KiB.
struct Held {
    first: u64,
    most: u64,
    later: u64,
    measured: Measured,
}

async fn under(wrk: &Wrk, data: &Data, recipe: &Recipe, cell: Cell, query: &str) -> Result<Held> {
    let mut server = recipe.start(data, &[])?;
    server.ready().await?;
    let processes = server.processes();
    let held = || processes.and_then(memory).unwrap_or_default();
    let first = held();
    let load = wrk.run_with(server.port, cell, EACH, (server.pid(), data.pid()), query);
    tokio::pin!(load);
    let mut most = first;
    let measured = loop {
        tokio::select! {
            measured = &mut load => break measured?,
            () = sleep(Duration::from_millis(250)) => most = most.max(held()),
        }
    };
    // Under load a look may come late.
    most = most.max(measured.server.memory_kib);
    sleep(REST).await;
    let later = held();
    server.stop().await;
    Ok(Held { first, most: most.max(later), later, measured })
}

fn memory(processes: Processes) -> Option<u64> {
    Some(Look::at(processes)?.used()?.memory_kib)
}
