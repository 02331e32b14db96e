//! Secrets that change while clients are at work: a new process takes over with the new one, and nobody notices.

use std::time::{Duration, SystemTime};

use errand_postgres::address::Address;
use errand_postgres::connect::connect;
use errand_postgres::role::{LOGINS, ensure_login, lock_out};
use serde_json::json;
use tokio::time::sleep;
use uuid::Uuid;

use errand_testing::token::{SECRET, token_signed};

use crate::support::client::Client;
use crate::support::host::Host;
use crate::support::lasting;
use crate::support::load::Load;
use crate::support::trial::{compare, shown};
use crate::support::world::{PASSWORD, RUNTIME, World, world};

/// Clients at work on a process until they are called away; it has failed none of them.
async fn at_work(world: &World, host: &Host, secret: &str, meanwhile: impl Future<Output = ()>) {
    let run = Uuid::now_v7().simple().to_string();
    let load = Load::start_signed(host.address, secret, &run, 16, Some(150.0), 1);
    sleep(lasting(500)).await;
    meanwhile.await;
    sleep(lasting(500)).await;
    let seen = load.seen.clone();
    let workers = load.finish().await;
    let failures = seen.failures().into_iter().map(|failed| failed.told).collect();
    let wrong = [seen.wrong(), failures, compare(world, &workers).await].concat();
    assert!(wrong.is_empty(), "{}", shown(&wrong));
}

async fn stop(mut host: Host) {
    host.terminate();
    assert!(host.ended(Duration::from_secs(11)).await.expect("the host is still there").success());
    assert_eq!(host.complaints(0, Duration::MAX), [""; 0]);
}

#[test]
fn the_password_of_the_database_changes_under_load() {
    let world = world();
    RUNTIME.block_on(async {
        let [new_login, old_login] = LOGINS;
        ensure_login(world.address(), old_login, "old").await.unwrap();
        let url = |login: &str, password: &str| [("SPIN_VARIABLE_DATABASE_URL", world.url_of(login, password))];
        let old = world.another_host("old password.log", &[], &url(old_login, "old"));
        at_work(&world, &old, SECRET, async {
            ensure_login(world.address(), new_login, PASSWORD).await.unwrap();
        })
        .await;
        let new = world.another_host("new password.log", &[], &url(new_login, PASSWORD));
        at_work(&world, &old, SECRET, at_work(&world, &new, SECRET, sleep(lasting(500)))).await;
        // The clients have gone over to the new process: nobody has the old login in hand.
        at_work(&world, &new, SECRET, async {
            stop(old).await;
            lock_out(world.address(), old_login).await.unwrap();
        })
        .await;
        assert!(connect(&Address::parse(&world.url_of(old_login, "old")).unwrap()).await.is_err());
        stop(new).await;
    });
}

#[test]
fn the_secret_of_the_tokens_changes_under_load() {
    const NEW: &str = "another secret for tests, and for nothing else";
    let world = world();
    RUNTIME.block_on(async {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let user = format!("rotation-{}", Uuid::now_v7());
        let claims = json!({"sub": user, "iat": now, "exp": now + 600});
        let status = async |host: &Host, secret: &str| {
            let mut client = Client::new(host.address, &user).with_token(token_signed(secret, &claims));
            client.send("GET", "", None, None).await.unwrap().status
        };
        let with =
            |secrets: &str| world.another_host("secrets.log", &[], &[("SPIN_VARIABLE_JWT_SECRET", secrets.to_owned())]);
        let both = with(&format!("{NEW},{SECRET}"));
        // They have tokens of the old secret.
        at_work(&world, &both, SECRET, async {
            for _ in 0..20 {
                assert_eq!((status(&both, NEW).await, status(&both, SECRET).await), (200, 200));
                sleep(lasting(20)).await;
            }
        })
        .await;
        // Then they have tokens of the new one, and go over to a process that knows no other.
        let new = with(NEW);
        at_work(&world, &both, NEW, at_work(&world, &new, NEW, sleep(lasting(500)))).await;
        at_work(&world, &new, NEW, stop(both)).await;
        assert_eq!((status(&new, NEW).await, status(&new, SECRET).await), (200, 401));
        stop(new).await;
    });
}
