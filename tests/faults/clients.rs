//! Clients that behave badly, and a host that is told to stop.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::sleep;
use uuid::Uuid;

use crate::support::client::Client;
use crate::support::host::Host;
use crate::support::load::Load;
use crate::support::proxy::Mode;
use crate::support::trial::{Trial, compare, shown};
use crate::support::world::{RUNTIME, World, world};
use crate::support::{lasting, times};

/// A request as it goes over the wire.
fn request(client: &Client, method: &str, rest: &str, body: &str) -> String {
    format!(
        "{method} /api/{}/tasks{rest} HTTP/1.1\r\nhost: errand\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        client.user,
        client.token(),
        body.len()
    )
}

#[test]
fn clients_that_vanish() {
    let world = world();
    RUNTIME.block_on(async {
        let trial = Trial::begin(&world, "vanishing clients").await.harmless();
        let titles: Vec<_> = (0..300 * times()).map(|number| format!("vanished {number}")).collect();
        let user = format!("vanishing-{}", Uuid::now_v7());
        let client = Client::new(world.host.address, &user);
        for (number, title) in titles.iter().enumerate() {
            let whole = request(&client, "POST", "", &json!({"title": title}).to_string());
            // In the head, in the body, before the answer.
            let part = [40, whole.len() - 5, whole.len()][number % 3];
            let mut stream = TcpStream::connect(world.host.address).await.unwrap();
            stream.write_all(&whole.as_bytes()[..part]).await.unwrap();
            sleep(Duration::from_millis(number as u64 % 7)).await;
            drop(stream);
        }
        trial.judge().await;
        let rows = World::rows(&world.admin().await, &user).await;
        for row in &rows {
            let number = titles.iter().position(|title| *title == row.title).unwrap();
            assert_eq!(number % 3, 2, "half a request made {}", row.title);
            assert_eq!(rows.iter().filter(|other| other.title == row.title).count(), 1, "{} is there twice", row.title);
        }
    });
}

#[test]
fn clients_that_send_and_read_one_byte_a_second() {
    let world = world();
    RUNTIME.block_on(async {
        let user = format!("slow-{}", Uuid::now_v7());
        let mut client = Client::new(world.host.address, &user);
        for _ in 0..100 {
            let body = json!({"title": "long", "description": "x".repeat(4_000)});
            assert_eq!(client.send("POST", "", None, Some(&body)).await.unwrap().status, 201);
        }
        let trial = Trial::begin(&world, "slow clients").await.harmless();
        let until = Instant::now() + lasting(5_000);
        let mut slow = Vec::new();
        for _ in 0..20 * times() {
            let whole = request(&client, "POST", "", &json!({"title": "slow"}).to_string());
            let mut stream = TcpStream::connect(world.host.address).await.unwrap();
            // All but the end of the body, so that the component waits as well.
            let (first, last) = whole.split_at(whole.len() - 10);
            stream.write_all(first.as_bytes()).await.unwrap();
            let last = last.to_owned();
            slow.push(tokio::spawn(async move {
                for byte in last.bytes() {
                    if Instant::now() < until {
                        stream.write_all(&[byte]).await.unwrap();
                        sleep(Duration::from_secs(1)).await;
                    }
                }
            }));
            let whole = request(&client, "GET", "?limit=100", "");
            let socket = TcpSocket::new_v4().unwrap();
            // The answer does not fit in here: the host has to wait for the reader.
            socket.set_recv_buffer_size(4_096).unwrap();
            let mut stream = socket.connect(world.host.address).await.unwrap();
            slow.push(tokio::spawn(async move {
                stream.write_all(whole.as_bytes()).await.unwrap();
                let mut byte = [0];
                while Instant::now() < until {
                    assert_eq!(stream.read(&mut byte).await.unwrap(), 1);
                    sleep(Duration::from_secs(1)).await;
                }
            }));
        }
        for task in slow {
            task.await.unwrap();
        }
        trial.judge().await;
    });
}

/// How long the host may take to go, with requests in flight.
const LEAVING: Duration = Duration::from_secs(11);
/// How long a request takes to be on its way.
const GRACE: Duration = Duration::from_millis(10);

#[test]
fn a_host_that_is_told_to_stop_answers_what_it_has_begun() {
    let world = world();
    RUNTIME.block_on(async {
        let mut host = world.another_host("stopped.log", &[], &[]);
        world.proxy.set(Mode::Delay(Duration::from_millis(70)));
        let user = Uuid::now_v7();
        let requests: Vec<_> = (0..50)
            .map(|number| {
                let mut client = Client::new(host.address, &format!("{user}-{number}"));
                tokio::spawn(async move {
                    let outcome = client.send("POST", "", None, Some(&json!({"title": "last"}))).await;
                    (client, outcome)
                })
            })
            .collect();
        // They are on their way by then, and their answers are not.
        sleep(Duration::from_millis(300)).await;
        let unanswered = requests.iter().filter(|request| !request.is_finished()).count();
        assert!(unanswered > 0, "there was nothing to wait for");
        host.terminate();
        let admin = world.admin().await;
        for request in requests {
            let (client, outcome) = request.await.unwrap();
            let reply = outcome.unwrap_or_else(|failure| panic!("{failure:?}"));
            let stored = World::rows(&admin, &client.user).await.len();
            match (reply.status, reply.code().as_str()) {
                (201, _) => assert_eq!(stored, 1),
                (503, "unavailable") => assert_eq!(stored, 0),
                (503, "outcome_unknown") => {}
                _ => panic!("{} {}", reply.status, reply.body),
            }
        }
        world.proxy.set(Mode::Pass);
        left(&mut host).await;
    });
}

#[test]
fn a_host_that_is_told_to_stop_under_load_loses_nothing() {
    let world = world();
    RUNTIME.block_on(async {
        let mut host = world.another_host("stopped under load.log", &[], &[]);
        let load = Load::start(host.address, &Uuid::now_v7().simple().to_string(), 16, Some(150.0), 1);
        sleep(lasting(1_500)).await;
        let terminated = Instant::now();
        host.terminate();
        left(&mut host).await;
        let seen = load.seen.clone();
        let failures = seen.failures();
        // A connection that is idle may be closed just as it is taken up; a request that was begun in time is answered.
        let early: Vec<_> = failures.iter().filter(|failed| failed.begun + GRACE < terminated).collect();
        assert!(early.is_empty(), "{early:?}");
        let workers = load.abandon().await;
        let wrong = [seen.wrong(), compare(&world, &workers).await].concat();
        assert!(wrong.is_empty(), "{}", shown(&wrong));
    });
}

async fn left(host: &mut Host) {
    let status = host.ended(LEAVING).await.expect("the host is still there");
    assert!(status.success(), "{status}");
    assert_eq!(host.complaints(0, Duration::MAX), [""; 0]);
}
