//! How long a request takes when the database is far away: errand behind a proxy that delays what passes.

use std::{net::SocketAddr, time::Duration};

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{
    data::{Data, Size},
    load::Wrk,
    peer::Peer,
    scenario::{Cell, Scenario},
    signer::Alg,
};

/// Round trips to the database.
const DISTANCES: [Duration; 3] = [Duration::ZERO, Duration::from_millis(20), Duration::from_millis(80)];
const PEERS: [Peer; 2] = [Peer::Host, Peer::HostP2];
const SCENARIOS: [Scenario; 3] = [Scenario::Get, Scenario::List, Scenario::Create];
/// One for the time of a request that waits for no other, and some that share connections.
const CONNECTIONS: [u32; 2] = [1, 32];
/// Seconds for each slot.
const EACH: u64 = 5;

/// Measures each peer at each distance.
pub(crate) async fn run(wrk: &Wrk, build: bool) -> Result<()> {
    let mut recipes = Vec::new();
    for peer in PEERS {
        recipes.push(peer.prepare(build).await?);
    }
    let size = Size { first_user: 1, users: 100, tasks: 1_000 };
    let data = Data::open(&[size], Alg::Hs256).await?;
    wrk.plan(&data.plan(&[size]).await?)?;
    println!("milliseconds for a request, median (99th percentile)");
    println!(
        "| | connections | round trip to the database | get | list of 50 | create |\n|---|---:|---:|---:|---:|---:|"
    );
    for recipe in &recipes {
        for distance in DISTANCES {
            let proxy = Proxy::start(data.endpoint(), distance / 2).await?;
            let mut server = recipe.clone().through(proxy.address).start(&data, &[])?;
            server.ready().await?;
            for connections in CONNECTIONS {
                let cell = |scenario| Cell { connections, scenario };
                let processes = (server.pid(), data.pid());
                wrk.run(server.port, cell(Scenario::Get), 1, 0, processes).await?;
                let mut row = format!("| {} | {connections} | {} ms |", server.peer.title(), distance.as_millis());
                for scenario in SCENARIOS {
                    let slot = wrk.run(server.port, cell(scenario), EACH, 1, processes).await?;
                    row += &format!(" {:.1} ({:.1}) |", slot.p50 / 1e3, slot.p99 / 1e3);
                    if slot.errors > 0 {
                        row += &format!(" {} errors |", slot.errors);
                    }
                }
                println!("{row}");
            }
            server.stop().await;
        }
    }
    data.close().await
}

/// Passes on what comes, a while later, in both directions. Its connections end with it.
struct Proxy {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Proxy {
    async fn start(upstream: String, delay: Duration) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(pass(client, upstream.clone(), delay));
            }
        });
        Ok(Self { address, _tasks: tasks })
    }
}

async fn pass(mut client: TcpStream, upstream: String, delay: Duration) {
    let Ok(mut server) = TcpStream::connect(upstream).await else { return };
    for stream in [&client, &server] {
        _ = stream.set_nodelay(true);
    }
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    // Either end closes both.
    tokio::select! {
        () = later(from_client, to_server, delay) => {}
        () = later(from_server, to_client, delay) => {}
    }
}

/// Copies with a delay that does not add up: while bytes wait, others are read.
async fn later(mut from: impl AsyncReadExt + Unpin, mut to: impl AsyncWriteExt + Unpin, delay: Duration) {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let read = async move {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            let bytes = buffer.get(..length).unwrap_or_default().to_vec();
            if sender.send((Instant::now() + delay, bytes)).is_err() {
                return;
            }
        }
    };
    let write = async move {
        while let Some((due, bytes)) = receiver.recv().await {
            // A timer has a granularity of a millisecond.
            if !delay.is_zero() {
                sleep_until(due).await;
            }
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(read, write);
}
