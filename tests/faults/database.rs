//! What can happen to PostgreSQL itself.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::support::client::Client;
use crate::support::trial::{CLIENT_SLACK, RECOVERY, SLACK, Trial, grown, patience, shown};
use crate::support::world::{RUNTIME, World, world};
use crate::support::{is_p2, keeps_deadlines, lasting, times};
use errand_testing::left_out;

#[test]
fn a_server_that_is_killed_and_comes_back() {
    let world = world();
    RUNTIME.block_on(async {
        let mut trial = Trial::begin(&world, "kill -9").await;
        for _ in 0..times() {
            trial
                .fault(async {
                    world.cluster.kill().unwrap();
                    sleep(lasting(500)).await;
                    world.cluster.start_again().unwrap();
                })
                .await;
            sleep(Duration::from_secs(1)).await;
        }
        assert!(!trial.failures().is_empty());
        trial.judge().await;
    });
}

#[test]
fn a_server_that_is_stopped_at_once_and_started_again() {
    let world = world();
    RUNTIME.block_on(async {
        let mut trial = Trial::begin(&world, "immediate stop").await;
        trial
            .fault(async {
                world.cluster.stop_immediately().unwrap();
                world.cluster.start_again().unwrap();
            })
            .await;
        trial.judge().await;
    });
}

#[test]
fn sessions_that_are_terminated_again_and_again() {
    let world = world();
    RUNTIME.block_on(async {
        let mut trial = Trial::begin(&world, "terminate storm").await;
        trial
            .fault(async {
                let admin = world.admin().await;
                for _ in 0..20 * times() {
                    World::terminate_sessions(&admin).await;
                    sleep(Duration::from_millis(100)).await;
                }
            })
            .await;
        trial.judge().await;
    });
}

#[test]
fn a_server_without_room_for_more_connections() {
    let world = world();
    RUNTIME.block_on(async {
        // It has its place before there are none.
        let admin = world.admin().await;
        let places = "select current_setting('max_connections')::int";
        let places: i32 = admin.query_one(places, &[]).await.unwrap().get(0);
        let mut trial = Trial::begin(&world, "max_connections").await;
        trial
            .fault(async {
                // They ask to log in and say no more: each takes a place until the server has had enough of it.
                let mut taken = Vec::new();
                for _ in 0..places {
                    taken.push(knock(&world).await);
                }
                for _ in 0..10 * times() {
                    World::terminate_sessions(&admin).await;
                    for _ in 0..places / 20 {
                        taken.push(knock(&world).await);
                    }
                    sleep(Duration::from_millis(100)).await;
                }
            })
            .await;
        assert!(trial.failures().len() > 10, "there was room: {:?}", trial.failures());
        trial.judge().await;
    });
}

/// Begins to log in (manual, "Message Flow"), and waits for the question after the password, or for a refusal.
async fn knock(world: &World) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", world.cluster.port())).await.unwrap();
    let names = b"\0\x03\0\0user\0errand_app\0database\0errand_trials\0\0";
    let length = u32::try_from(names.len() + 4).unwrap().to_be_bytes();
    stream.write_all(&[&length[..], names].concat()).await.unwrap();
    stream.read_u8().await.unwrap();
    stream
}

/// More than the pool has connections.
const VICTIMS: usize = 200;

#[test]
fn a_pool_whose_connections_all_wait_for_locks() {
    let world = world();
    RUNTIME.block_on(async {
        // One request to an instance, so that each wants a connection of its own.
        let host = world.another_host("locks.log", &["--max-instance-concurrent-reuse-count", "1"], &[]);
        let mut victims: Vec<_> =
            (0..VICTIMS).map(|number| Client::new(host.address, &format!("victim-{number}"))).collect();
        // Connected beforehand: more than 128 new connections at once have to wait for TCP to ask again, a second later.
        for victim in &mut victims {
            victim.send_to("GET", "/health/live", None, None).await.unwrap();
        }
        let mut trial = Trial::begin(&world, "locks").await;
        let mut memory = None;
        // The first time, the host makes room for so many instances at once; it keeps that, and needs no more.
        for _ in 0..=times() {
            victims = trial.fault(wait_for_a_lock(&world, victims)).await;
            sleep(RECOVERY).await;
            for victim in &mut victims {
                let reply = victim.send("POST", "", None, Some(&json!({"title": "free again"}))).await.unwrap();
                assert_eq!(reply.status, 201, "{}", reply.body);
            }
            memory = memory.or_else(|| host.rss());
        }
        if keeps_deadlines() {
            assert!(host.told(0, "before there was a connection") > 0, "the pool was not exhausted");
        }
        let mut wrong = host.complaints(0, patience() + SLACK);
        wrong.extend(memory.and_then(|before| grown(&host, before)));
        assert!(wrong.is_empty(), "{}", shown(&wrong));
        trial.judge().await;
    });
}

/// Has each client write while nobody can, and gives them back when all have been told so.
async fn wait_for_a_lock(world: &World, clients: Vec<Client>) -> Vec<Client> {
    let admin = world.admin().await;
    admin.batch_execute("begin; lock table errand.account in exclusive mode").await.unwrap();
    let attempts: Vec<_> = clients
        .into_iter()
        .map(|mut client| {
            tokio::spawn(async move {
                let begun = Instant::now();
                let reply = client.send("POST", "", None, Some(&json!({"title": "locked"}))).await.unwrap();
                (client, reply, begun.elapsed())
            })
        })
        .collect();
    let mut clients = Vec::new();
    for attempt in attempts {
        let (client, reply, took) = attempt.await.unwrap();
        assert_eq!(reply.status, 503, "{}", reply.body);
        assert!(took < patience() + CLIENT_SLACK, "{took:?}");
        clients.push(client);
    }
    admin.batch_execute("rollback").await.unwrap();
    clients
}

#[test]
fn a_server_that_becomes_read_only() {
    let world = world();
    RUNTIME.block_on(async {
        let mut trial = Trial::begin(&world, "read-only").await;
        let reader = || async {
            let mut reader = Client::new(world.host.address, "reader");
            reader.send("GET", "", None, None).await.unwrap().status
        };
        trial
            .fault(async {
                world.set_read_only(true).await;
                // Sessions look at the settings again between statements. Reads are served on.
                let until = Instant::now() + lasting(1_500);
                while Instant::now() < until {
                    assert_eq!(reader().await, 200);
                }
                world.set_read_only(false).await;
            })
            .await;
        let failures = trial.failures();
        assert!(failures.iter().all(|failed| failed.told == "unavailable") && !failures.is_empty(), "{failures:?}");
        trial.judge().await;
    });
}

#[test]
fn a_disk_that_is_full() {
    let world = world();
    let Some(disk) = SmallDisk::mount(&world.folder().join("disk"), world.cluster.folder()) else {
        left_out("it needs a small disk to be mounted, which only root may do, on Linux");
        return;
    };
    RUNTIME.block_on(async {
        let space = disk.folder.join("space").display().to_string();
        world.execute(&format!("create tablespace small location '{space}'")).await;
        world.execute("alter table errand.task set tablespace small").await;
        let mut trial = Trial::begin(&world, "full disk").await;
        let (seen, begun) = (trial.seen(), Instant::now());
        trial
            .fault(async {
                disk.fill();
                // There may be room in the table's own pages for a while.
                while seen.failures().is_empty() && begun.elapsed() < Duration::from_secs(15) {
                    sleep(Duration::from_millis(50)).await;
                }
                sleep(lasting(1_000)).await;
                disk.free();
                // Before anything is judged: the trials that follow need the table.
                world.execute("alter table errand.task set tablespace pg_default").await;
                world.execute("drop tablespace small").await;
                // Or a recovery would want the disk back.
                world.execute("checkpoint").await;
            })
            .await;
        let failures = trial.failures();
        assert!(failures.iter().any(|failed| failed.told == "unavailable"), "the disk was not full: {failures:?}");
        trial.judge().await;
    });
}

/// Enough clients for batches.
const CROWD: u64 = 64;

#[test]
fn reads_that_cannot_be_batched_are_sent_on_their_own() {
    if is_p2() {
        left_out("a component of WASI 0.2 does not batch reads, because each of its instances serves one request");
        return;
    }
    let world = world();
    RUNTIME.block_on(async {
        let admin = world.admin().await;
        let rolled_back = async || -> i64 {
            let sql = "select xact_rollback from pg_stat_database where datname = current_database()";
            admin.query_one(sql, &[]).await.unwrap().get(0)
        };
        // Batched statements unnest arrays, and so do searches, which stop below.
        let before = rolled_back().await;
        let mut trial = Trial::with(&world, "no batched statements", CROWD, None).await.harmless();
        trial.seen().searchless.store(true, Ordering::SeqCst);
        sleep(lasting(500)).await;
        trial
            .fault(async {
                admin.batch_execute("revoke execute on function unnest(anyarray) from public").await.unwrap();
                sleep(lasting(1000)).await;
                admin.batch_execute("grant execute on function unnest(anyarray) to public").await.unwrap();
            })
            .await;
        trial.judge().await;
        assert!(rolled_back().await > before, "no reads were batched");
    });
}

/// A file system of some megabytes, in memory.
struct SmallDisk {
    folder: std::path::PathBuf,
}

impl SmallDisk {
    /// Mounts it for the user that owns the other folder.
    fn mount(folder: &Path, like: &Path) -> Option<Self> {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
        fs::create_dir_all(folder).ok()?;
        for above in folder.ancestors().take(2) {
            fs::set_permissions(above, fs::Permissions::from_mode(0o755)).ok()?;
        }
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=24m,mode=755", "tmpfs"]).arg(folder);
        mount.status().ok()?.success().then_some(())?;
        let disk = Self { folder: folder.to_owned() };
        let owner = fs::metadata(like).ok()?;
        fs::create_dir(folder.join("space")).ok()?;
        chown(folder.join("space"), Some(owner.uid()), Some(owner.gid())).ok()?;
        Some(disk)
    }

    fn fill(&self) {
        let chunk = vec![0; 4096];
        let mut file = fs::File::create(self.folder.join("filling")).unwrap();
        while std::io::Write::write_all(&mut file, &chunk).is_ok() {}
    }

    fn free(&self) {
        fs::remove_file(self.folder.join("filling")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        _ = Command::new("umount").arg("--lazy").arg(&self.folder).status();
    }
}
