//! A network that misbehaves when told to: a TCP proxy between the host and PostgreSQL.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

use super::wire::Scanner;

/// What the network does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Pass,
    /// Resets every connection.
    Refuse,
    /// Takes everything and passes nothing on. What was held goes on its way when this ends, as after lost packets.
    Hold,
    /// Passes everything on so much later.
    Delay(Duration),
    /// Breaks a connection when so many bytes of the answer to an Execute have passed.
    CutAnswers(usize),
    /// Breaks a connection when a statement's transaction has ended; of its answer nothing passes.
    LoseAnswers,
    /// Passes answers on byte by byte, one each so often.
    Drip(Duration),
}

/// A running proxy.
pub struct Proxy {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: SocketAddr,
    mode: watch::Sender<Mode>,
    /// Each change breaks the connections that there are.
    resets: watch::Sender<u32>,
    /// Connections that are to be broken one by one.
    doomed: AtomicUsize,
    drops: AtomicUsize,
}

/// What both directions of a connection know.
#[derive(Default)]
struct Link {
    /// An Execute has been passed on, and its answer has not ended.
    executing: AtomicBool,
}

impl Proxy {
    pub async fn start(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            upstream,
            mode: watch::channel(Mode::Pass).0,
            resets: watch::channel(0).0,
            doomed: AtomicUsize::new(0),
            drops: AtomicUsize::new(0),
        });
        tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { address, shared }
    }

    pub fn set(&self, mode: Mode) {
        self.shared.mode.send_replace(mode);
    }

    /// Breaks every connection.
    pub fn reset(&self) {
        self.shared.resets.send_modify(|count| *count += 1);
    }

    /// Breaks some connections: those that next have something to pass on.
    pub fn drop_some(&self, count: usize) {
        self.shared.doomed.store(count, Ordering::SeqCst);
    }

    /// How many connections were broken so far.
    pub fn drops(&self) -> usize {
        self.shared.drops.load(Ordering::SeqCst)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        tokio::spawn(converse(client, Arc::clone(&shared)));
    }
}

async fn converse(client: TcpStream, shared: Arc<Shared>) {
    let mut mode = shared.mode.subscribe();
    let mut resets = shared.resets.subscribe();
    resets.mark_unchanged();
    // Closed by a reset, so that no peer waits for lost data.
    _ = client.set_zero_linger();
    _ = client.set_nodelay(true);
    if *mode.borrow() == Mode::Refuse {
        shared.drops.fetch_add(1, Ordering::SeqCst);
        return;
    }
    _ = mode.wait_for(|mode| *mode != Mode::Hold).await;
    // Down: the client sees its connection end.
    let Ok(server) = TcpStream::connect(shared.upstream).await else { return };
    _ = server.set_nodelay(true);
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let link = Arc::new(Link::default());
    let broken = tokio::select! {
        broken = forth(from_client, to_server, &link, &shared) => broken,
        broken = back(from_server, to_client, &link, &shared) => broken,
        _ = resets.changed() => true,
        _ = mode.wait_for(|mode| *mode == Mode::Refuse) => true,
    };
    if broken {
        shared.drops.fetch_add(1, Ordering::SeqCst);
    }
}

/// Client to server. Says whether the proxy broke the connection.
async fn forth(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, link: &Link, shared: &Shared) -> bool {
    let mut mode = shared.mode.subscribe();
    let mut scanner = Scanner::of_client();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let bytes = match from.read(&mut buffer).await {
            Ok(count @ 1..) => &buffer[..count],
            _ => return false,
        };
        if scanner.ended(bytes).iter().any(|(kind, _)| *kind == b'E') {
            link.executing.store(true, Ordering::SeqCst);
        }
        match shared.current() {
            Mode::Hold => _ = mode.wait_for(|mode| *mode != Mode::Hold).await,
            Mode::Delay(delay) => pause(delay, &mut mode).await,
            _ if shared.is_doomed() => return true,
            _ => {}
        }
        if to.write_all(bytes).await.is_err() {
            return false;
        }
    }
}

/// Server to client.
async fn back(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, link: &Link, shared: &Shared) -> bool {
    let mut mode = shared.mode.subscribe();
    let mut scanner = Scanner::of_server();
    let mut buffer = vec![0; 16 * 1024];
    let mut passed = 0;
    loop {
        let bytes = match from.read(&mut buffer).await {
            Ok(count @ 1..) => &buffer[..count],
            _ => return false,
        };
        let executing = link.executing.load(Ordering::SeqCst);
        let ready = scanner.ended(bytes).iter().any(|(kind, _)| *kind == b'Z');
        match shared.current() {
            Mode::LoseAnswers if executing && ready => return true,
            Mode::LoseAnswers if executing => continue,
            Mode::CutAnswers(length) if executing => {
                let part = bytes.len().min(length - passed);
                if to.write_all(&bytes[..part]).await.is_err() {
                    return false;
                }
                passed += part;
                if passed == length {
                    _ = to.flush().await;
                    return true;
                }
                continue;
            }
            Mode::Hold => _ = mode.wait_for(|mode| *mode != Mode::Hold).await,
            Mode::Delay(delay) => pause(delay, &mut mode).await,
            Mode::Drip(each) => {
                for byte in bytes {
                    if to.write_all(&[*byte]).await.is_err() {
                        return false;
                    }
                    if matches!(shared.current(), Mode::Drip(_)) {
                        sleep(each).await;
                    }
                }
                continue;
            }
            _ if shared.is_doomed() => return true,
            _ => {}
        }
        if ready {
            link.executing.store(false, Ordering::SeqCst);
        }
        if to.write_all(bytes).await.is_err() {
            return false;
        }
    }
}

/// Waits, but not for a delay that has ended.
async fn pause(delay: Duration, mode: &mut watch::Receiver<Mode>) {
    tokio::select! {
        () = sleep(delay) => {}
        _ = mode.wait_for(|mode| !matches!(mode, Mode::Delay(_))) => {}
    }
}

impl Shared {
    fn current(&self) -> Mode {
        *self.mode.borrow()
    }

    fn is_doomed(&self) -> bool {
        self.doomed.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| count.checked_sub(1)).is_ok()
    }
}
