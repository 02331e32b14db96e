//! Users who take what they can get, beside one who works: four of them with 64 connections each, on the component and on the
//! native server. What they hold is counted in the database; the other one's times are printed, and decide nothing.
//!
//! How much they send is less than the smallest machine can refuse or answer: who may send more is a matter of the gateway.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use crate::support::client::{Client, Reply};
use crate::support::trial::shown;
use crate::support::world::{RUNTIME, World, world};
use crate::support::{lasting, native};

const ATTACKERS: usize = 4;
const CONNECTIONS: usize = 64;
/// What a user may have at work over connections that are not shared.
const SLOTS: i64 = 3;
/// How many expired keys a write clears away.
const CLEARED: i64 = 50;
/// How long they are at it when the other one begins.
const WARMING: Duration = Duration::from_secs(3);
/// Nothing that shares a connection is at work for so long, however busy the machine is.
const LONG: &str = "500 ms";

/// What one user does to the others.
struct Attack {
    name: &'static str,
    /// Fills the account of a user.
    fill: fn(&str) -> String,
    /// The request: method, rest of the path, whether it has a key, body.
    request: fn() -> (&'static str, &'static str, bool, Option<Value>),
    /// How long each of their connections takes for a request and the time until the next.
    pace: Duration,
    /// How it may be answered.
    answers: &'static [u16],
    /// The longest answer, in bytes.
    longest: usize,
    /// How many expired keys the account has at first.
    expired: i64,
}

#[test]
fn texts_that_cost_the_square_of_their_length() {
    attack(&Attack {
        name: "costly texts",
        fill: |_| String::new(),
        request: || {
            let marks = format!("a{}{}", "\u{344}".repeat(5_000), "\u{f73}".repeat(4_999));
            ("POST", "", false, Some(json!({"title": "t", "description": marks})))
        },
        pace: Duration::from_secs(1),
        answers: &[400],
        longest: 1_000,
        expired: 0,
    });
}

#[test]
fn searches_that_read_all_of_an_account() {
    attack(&Attack {
        name: "searches",
        fill: |user| {
            format!(
                "insert into errand.account values ('{user}', 10000, now());
                 insert into errand.task (user_id, id, seq, created_at, updated_at, completed, priority, tags, title, description)
                 select '{user}', gen_random_uuid(), n, now(), now(), false, 0, '{{}}', 'task', words.text
                 from (select string_agg(md5(n::text), ' ') as text from generate_series(1, 60) as n) as words,
                     generate_series(1, 50) as n;
                 set session_replication_role = replica;
                 insert into errand.task
                     (user_id, id, seq, created_at, updated_at, completed, priority, tags, title, description,
                      due_key, title_key, words, json)
                 select user_id, gen_random_uuid(), seq + 50 * n, created_at, updated_at, completed, priority, tags, title,
                     description, due_key, title_key, words, json
                 from errand.task, generate_series(1, 199) as n where user_id = '{user}';
                 set session_replication_role = origin"
            )
        },
        request: || ("GET", "?q=a+b+c+d+e+f+g&count=exact", false, None),
        pace: Duration::from_secs(4),
        answers: &[200, 429],
        longest: 1_000,
        expired: 0,
    });
}

#[test]
fn pages_of_the_longest_tasks() {
    attack(&Attack {
        name: "long pages",
        fill: |user| {
            format!(
                "insert into errand.account values ('{user}', 500, now());
                 insert into errand.task (user_id, id, seq, created_at, updated_at, completed, priority, tags, title, description)
                 select '{user}', gen_random_uuid(), n, now(), now(), false, 0, '{{}}', 'task', repeat('€', 10000)
                 from generate_series(1, 500) as n"
            )
        },
        request: || ("GET", "?limit=500", false, None),
        pace: Duration::from_secs(10),
        answers: &[200],
        // A mebibyte of tasks, their tags, and the list around them.
        longest: (1 << 20) + 10_000,
        expired: 0,
    });
}

#[test]
fn writes_with_keys_over_many_expired_ones() {
    attack(&Attack {
        name: "expired keys",
        fill: |user| {
            format!(
                "insert into errand.account (user_id, seq, last_at, keys) values ('{user}', 1, now(), 70000);
                 insert into errand.idempotency (user_id, key, fingerprint, created_at, task, version, seq, number)
                 select '{user}', 'old ' || n, 'f', now() - interval '2 days', '{{}}', 1, 1, n from generate_series(1, 70000) as n"
            )
        },
        request: || ("POST", "", true, Some(json!({"title": "keyed"}))),
        pace: Duration::from_secs(1),
        answers: &[201, 429],
        longest: 1_000,
        expired: 70_000,
    });
}

fn attack(attack: &Attack) {
    let world = world();
    RUNTIME.block_on(async {
        let deadline = [("SPIN_VARIABLE_DATABASE_DEADLINE_MS", "5000".to_owned())];
        let component = world.another_host(&format!("{}.log", attack.name), &[], &deadline);
        against(&world, attack, "component", component.address).await;
        let complaints = component.complaints(0, Duration::MAX);
        assert!(complaints.is_empty(), "{}", shown(&complaints));
        drop(component);
        against(&world, attack, "native", native::start(&world.url(), Duration::from_secs(5)).await).await;
        world.quiet().await;
    });
}

async fn against(world: &World, attack: &Attack, runtime: &str, address: SocketAddr) {
    let run = Uuid::now_v7().simple().to_string();
    let users: Vec<_> = (0..ATTACKERS).map(|number| format!("attacker-{run}-{number}")).collect();
    for user in &users {
        world.execute(&(attack.fill)(user)).await;
    }
    let over = Arc::new(AtomicBool::new(false));
    let attackers: Vec<_> = users
        .iter()
        .flat_map(|user| (0..CONNECTIONS).map(|_| Client::new(address, user)))
        .map(|client| tokio::spawn(insist(client, attack.request, attack.pace, Arc::clone(&over))))
        .collect();
    // Connections that are new have everything to compile and to plan, and make all slow for a moment.
    sleep(WARMING).await;
    let watching = tokio::spawn(watch(world.admin().await, Arc::clone(&over)));
    let (mut times, mut wrong) = work(Client::new(address, &format!("bystander-{run}"))).await;
    over.store(true, Ordering::SeqCst);

    let mut statuses = BTreeMap::new();
    for attacker in attackers {
        for (status, length) in attacker.await.unwrap() {
            *statuses.entry(status).or_insert(0) += 1;
            // In the beginning some may wait too long.
            if status != 503 && !attack.answers.contains(&status) {
                wrong.push(format!("an attacker was told {status}"));
            }
            if length > attack.longest {
                wrong.push(format!("an answer had {length} bytes"));
            }
        }
    }
    let seen = watching.await.unwrap();
    times.sort_unstable();
    eprintln!(
        "{}, {runtime}: {} requests of the bystander's, p50 {} ms, p99 {} ms; the attackers' {statuses:?}; {seen:?}",
        attack.name,
        times.len(),
        times[times.len() / 2].as_millis(),
        times[times.len() * 99 / 100].as_millis(),
    );
    if seen.long_and_shared > 0 {
        wrong.push(format!("{} statements held up others on their connection", seen.long_and_shared));
    }
    // The bystander sends one request at a time.
    if seen.own > SLOTS * i64::try_from(ATTACKERS).unwrap() + 1 {
        wrong.push(format!("{} statements were at work in {SLOTS} slots of each attacker's", seen.own));
    }
    let left =
        format!("select count(*) from errand.idempotency where user_id like 'attacker-{run}-%' and key like 'old %'");
    let left: i64 = world.admin().await.query_one(&left, &[]).await.unwrap().get(0);
    let least = attack.expired * i64::try_from(ATTACKERS).unwrap() - CLEARED * statuses.values().sum::<i64>();
    if left < least {
        wrong.push(format!("{left} expired keys are left, and not {least}: a write has cleared more than {CLEARED}"));
    }
    assert!(wrong.is_empty(), "{}, {runtime}: {} things are wrong:\n{}", attack.name, wrong.len(), shown(&wrong));
}

/// Sends the same again and again.
async fn insist(
    mut client: Client,
    request: fn() -> (&'static str, &'static str, bool, Option<Value>),
    pace: Duration,
    over: Arc<AtomicBool>,
) -> Vec<(u16, usize)> {
    let (method, rest, keyed, body) = request();
    let mut answers = Vec::new();
    let mut next = Instant::now() + pace.mul_f64(fastrand::f64());
    loop {
        while Instant::now() < next && !over.load(Ordering::SeqCst) {
            sleep(next.saturating_duration_since(Instant::now()).min(Duration::from_millis(50))).await;
        }
        if over.load(Ordering::SeqCst) {
            return answers;
        }
        next = (next + pace).max(Instant::now());
        let key = keyed.then(|| Uuid::now_v7().to_string());
        let Reply { status, body, .. } = client.send(method, rest, key.as_deref(), body.as_ref()).await.unwrap();
        answers.push((status, body.len()));
    }
}

/// The bystander's day: how long each request took, and those that failed.
async fn work(mut client: Client) -> (Vec<Duration>, Vec<String>) {
    let (mut times, mut wrong) = (Vec::new(), Vec::new());
    let mut send = async |method: &str, rest: &str, body: Option<Value>| {
        let begun = Instant::now();
        let outcome = client.send(method, rest, None, body.as_ref()).await;
        times.push(begun.elapsed());
        match outcome {
            Ok(reply) if reply.status < 300 => Some(reply.json()),
            other => {
                wrong.push(format!("the bystander's {method} {rest}: {other:?}"));
                None
            }
        }
    };
    let until = Instant::now() + lasting(3_000);
    while Instant::now() < until {
        if let Some(task) = send("POST", "", Some(json!({"title": "work"}))).await {
            let path = format!("/{}", task["id"].as_str().unwrap());
            send("GET", &path, None).await;
            send("PATCH", &path, Some(json!({"title": "done"}))).await;
        }
        send("GET", "?limit=50", None).await;
        send("GET", "?completed=false&limit=10", None).await;
        sleep(Duration::from_millis(10)).await;
    }
    (times, wrong)
}

/// The most that was seen at one time.
#[derive(Debug, Default)]
struct AtWork {
    /// Statements that have lasted long over connections that others share.
    long_and_shared: i64,
    /// Statements that have lasted longer than it takes to find no slot, over connections of their own.
    own: i64,
}

async fn watch(admin: tokio_postgres::Client, over: Arc<AtomicBool>) -> AtWork {
    let sql = format!(
        "select count(*) filter (where application_name not like 'errand-%' and age > interval '{LONG}'),
             count(*) filter (where application_name = 'errand-heavy' and age > interval '{LONG}')
         from (
             select application_name, clock_timestamp() - query_start as age from pg_stat_activity
             where usename = 'errand_app' and state = 'active' and query like '%api.%'
                 -- A commit that waits for its WAL is at the mercy of the disk.
                 and coalesce(wait_event, '') not in ('WALSync', 'WALWrite')) as statement"
    );
    let mut most = AtWork::default();
    while !over.load(Ordering::SeqCst) {
        let row = admin.query_one(&sql, &[]).await.unwrap();
        most.long_and_shared = most.long_and_shared.max(row.get(0));
        most.own = most.own.max(row.get(1));
        sleep(Duration::from_millis(20)).await;
    }
    most
}
