//! What errand adds to the least that a component of WASI 0.2 can do.

use anyhow::{Context, Result};

use super::{
    data::{Data, Size},
    load::{Measured, Wrk},
    peer::{Peer, Running},
    scenario::{Cell, Scenario},
    signer::Alg,
};

const ROUNDS: u32 = 6;
/// Seconds for each slot.
const EACH: u64 = 3;
const CONNECTIONS: u32 = 32;
/// What is read and written in errand; the other component does the same for any request.
const SCENARIOS: [Scenario; 3] = [Scenario::Get, Scenario::List, Scenario::Create];

/// Measures both in the local host, one after the other in each round.
pub(crate) async fn run(wrk: &Wrk, build: bool) -> Result<()> {
    let recipes = [Peer::HostP2.prepare(build).await?, Peer::Bare.prepare(build).await?];
    let size = Size { first_user: 1, users: 100, tasks: 1_000 };
    let data = Data::open(&[size], Alg::Hs256).await?;
    wrk.plan(&data.plan(&[size]).await?)?;
    let mut servers = Vec::new();
    for recipe in &recipes {
        let mut server = recipe.start(&data, &[])?;
        server.ready().await?;
        servers.push(server);
    }
    let [errand, bare] = <[Running; 2]>::try_from(servers).ok().context("two servers")?;
    let outcome = rounds(wrk, &data, &errand, &bare).await;
    errand.stop().await;
    bare.stop().await;
    data.close().await?;
    outcome
}

async fn rounds(wrk: &Wrk, data: &Data, errand: &Running, bare: &Running) -> Result<()> {
    let slot = async |server: &Running, scenario: Scenario, seconds: u64, seed: u32| {
        let cell = Cell { connections: CONNECTIONS, scenario };
        wrk.run(server.port, cell, seconds, seed, (server.pid(), data.pid())).await
    };
    for server in [errand, bare] {
        slot(server, Scenario::Get, EACH, 0).await?;
    }
    println!(
        "requests per second at {CONNECTIONS} connections, medians of {ROUNDS} rounds, and processor time for a request"
    );
    for scenario in SCENARIOS {
        let mut all: [Vec<Measured>; 2] = [Vec::new(), Vec::new()];
        for round in 1..=ROUNDS {
            for (server, measured) in [errand, bare].into_iter().zip(&mut all) {
                measured.push(slot(server, scenario, EACH, round).await?);
            }
        }
        let median = |of: fn(&Measured) -> f64, slots: &[Measured]| {
            let mut values: Vec<f64> = slots.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or_default()
        };
        let [own, least] = all.each_ref().map(|slots| median(Measured::rate, slots));
        let [own_server, least_server] =
            all.each_ref().map(|slots| median(|slot| slot.each(slot.server.cpu_micros), slots));
        let [own_database, least_database] =
            all.each_ref().map(|slots| median(|slot| slot.each(slot.postgres_micros), slots));
        let errors: u64 = all.iter().flatten().map(|slot| slot.errors).sum();
        println!(
            "{:<8} errand {own:>6.0}/s, ten lines {least:>6.0}/s: {:.2}; server {own_server:.0} and {least_server:.0} µs, \
             PostgreSQL {own_database:.0} and {least_database:.0} µs; {errors} errors",
            scenario.title(),
            own / least
        );
    }
    Ok(())
}
