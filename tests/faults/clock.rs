//! Clocks that jump: by libfaketime where it is installed (it moves the host's wall clock and not its monotonic one, as a
//! correction of the system's clock does), and by tokens that are of another time, which needs nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::json;
use tokio::time::sleep;
use uuid::Uuid;

use errand_testing::token::token_with;

use crate::support::client::Client;
use crate::support::lasting;
use crate::support::load::Load;
use crate::support::trial::{compare, shown};
use crate::support::world::{RUNTIME, world};
use errand_testing::left_out;

const FIVE_MINUTES: i64 = 300;

/// A token that was issued, begins and ends so many seconds from now.
fn token(user: &str, issued: i64, ends: i64) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as i64;
    token_with(&json!({"sub": user, "iat": now + issued, "nbf": now + issued, "exp": now + ends}))
}

#[test]
fn tokens_of_an_issuer_whose_clock_is_five_minutes_off() {
    let world = world();
    RUNTIME.block_on(async {
        for (issued, ends, expected) in [
            (-2 * FIVE_MINUTES, FIVE_MINUTES, 200),
            (-2 * FIVE_MINUTES, -FIVE_MINUTES, 401),
            (FIVE_MINUTES, 2 * FIVE_MINUTES, 401),
        ] {
            let mut client = Client::new(world.host.address, "clock").with_token(token("clock", issued, ends));
            let reply = client.send("GET", "", None, None).await.unwrap();
            assert_eq!(reply.status, expected, "{issued} {ends}: {}", reply.body);
        }
    });
}

#[test]
fn a_clock_that_jumps_by_five_minutes() {
    let world = world();
    let Some(library) = libfaketime() else {
        left_out("it needs libfaketime (Debian's package faketime)");
        return;
    };
    RUNTIME.block_on(async {
        let offset = world.folder().join("offset");
        jump(&offset, 0);
        let host = world.another_host(
            "clock.log",
            &[],
            &[
                ("LD_PRELOAD", library.display().to_string()),
                ("FAKETIME_TIMESTAMP_FILE", offset.display().to_string()),
                ("FAKETIME_NO_CACHE", "1".to_owned()),
                ("DONT_FAKE_MONOTONIC", "1".to_owned()),
            ],
        );
        let user = format!("clock-{}", Uuid::now_v7());
        let status = async |token: &str| {
            let mut client = Client::new(host.address, &user).with_token(token.to_owned());
            client.send("GET", "", None, None).await.unwrap().status
        };
        let brief = token(&user, -10, FIVE_MINUTES - 120);
        let future = token(&user, FIVE_MINUTES - 60, 2 * FIVE_MINUTES);
        assert_eq!((status(&brief).await, status(&future).await), (200, 401));

        let load = Load::start(host.address, &Uuid::now_v7().simple().to_string(), 16, Some(100.0), 1);
        let mut cursors = Client::new(host.address, &user);
        for number in 0..3 {
            cursors.send("POST", "", None, Some(&json!({"title": number.to_string()}))).await.unwrap();
        }
        let create = json!({"title": "once"});
        let first = cursors.send("POST", "", Some("once"), Some(&create)).await.unwrap();
        assert_eq!(first.status, 201);
        let page = cursors.send("GET", "?limit=1", None, None).await.unwrap().json();
        let next = format!("?limit=1&cursor={}", page["next_cursor"].as_str().unwrap());
        for seconds in [FIVE_MINUTES, 0, -FIVE_MINUTES, 0] {
            jump(&offset, seconds);
            sleep(lasting(500)).await;
            // Verified tokens are kept, and still end at their time.
            let expected = match seconds {
                0 => (200, 401),
                FIVE_MINUTES => (401, 200),
                _ => (401, 401),
            };
            assert_eq!((status(&brief).await, status(&future).await), expected, "{seconds}");
            if seconds >= 0 {
                assert_eq!(cursors.send("GET", &next, None, None).await.unwrap().status, 200);
                let again = cursors.send("POST", "", Some("once"), Some(&create)).await.unwrap();
                assert_eq!(again.body, first.body);
            }
        }
        let seen = load.seen.clone();
        let workers = load.finish().await;
        let refused = |told: &String| told.contains("\"code\":\"invalid_token\"");
        // Five minutes ago the clients' tokens were not issued yet.
        let mut wrong = seen.wrong();
        assert!(wrong.iter().any(refused), "the clock has not jumped");
        wrong.retain(|told| !refused(told));
        wrong.extend(seen.failures().into_iter().map(|failed| failed.told));
        wrong.extend(compare(&world, &workers).await);
        wrong.extend(host.complaints(0, crate::support::host::DEADLINE));
        assert!(wrong.is_empty(), "{}", shown(&wrong));
    });
}

/// Sets the host's clock so far off, in seconds.
fn jump(file: &Path, seconds: i64) {
    let unfinished = file.with_extension("new");
    fs::write(&unfinished, format!("{seconds:+}")).unwrap();
    fs::rename(unfinished, file).unwrap();
    // The library looks at the file with each call.
    std::thread::sleep(Duration::from_millis(10));
}

fn libfaketime() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path());
    let all = folders.chain([PathBuf::from("/usr/lib"), PathBuf::from("/usr/local/lib")]);
    all.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).find(|path| path.is_file())
}
