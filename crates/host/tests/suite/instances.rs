//! How instances live: reused, shared, limited, and dead after a trap.

use std::time::Duration;

use futures::future::join_all;
use serde_json::json;

use crate::support::App;

#[tokio::test]
async fn an_instance_keeps_its_memory_for_the_next_request() {
    let host = App::new().start();
    assert_eq!(host.json("/served").await, json!({ "served": 1 }));
    assert_eq!(host.json("/served").await, json!({ "served": 2 }));
}

#[tokio::test]
async fn an_instance_serves_128_requests_in_its_life() {
    let host = App::new().start();
    for n in 1..=128 {
        assert_eq!(host.json("/served").await, json!({ "served": n }));
    }
    assert_eq!(host.json("/served").await, json!({ "served": 1 }));
}

#[tokio::test]
async fn the_reuse_count_is_the_flags() {
    let host = App::new().arguments(&["--max-instance-reuse-count", "2"]).start();
    for n in [1, 2, 1, 2, 1] {
        assert_eq!(host.json("/served").await, json!({ "served": n }));
    }
}

/// The most requests that any of `count` met in its instance.
async fn crowd(app: App, count: usize) -> u64 {
    let host = app.start();
    // Together they would be spread over instances started at the same moment.
    let host = &host;
    let answers = join_all((0..count).map(|n| async move {
        tokio::time::sleep(Duration::from_millis(15) * n as u32).await;
        host.json("/sleep?1000").await
    }));
    let answers = answers.await;
    answers.iter().map(|answer| answer["beside"].as_u64().unwrap()).max().unwrap()
}

// A busy machine may spread requests over more instances than it must, so only the upper bound is exact.
#[tokio::test]
async fn an_instance_serves_16_requests_at_once() {
    let most = crowd(App::new(), 50).await;
    assert!((9..=16).contains(&most), "{most}");
}

#[tokio::test]
async fn the_concurrent_count_is_the_flags() {
    let limited = |count| App::new().arguments(&["--max-instance-concurrent-reuse-count", count]);
    let most = crowd(limited("3"), 12).await;
    assert!((2..=3).contains(&most), "{most}");
    assert_eq!(crowd(limited("1"), 4).await, 1);
}

#[tokio::test]
async fn an_idle_instance_goes() {
    let host = App::new().arguments(&["--idle-instance-timeout", "100ms"]).start();
    assert_eq!(host.json("/served").await, json!({ "served": 1 }));
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(host.json("/served").await, json!({ "served": 1 }));
}

#[tokio::test]
async fn a_trap_is_a_500_and_the_next_request_works() {
    let host = App::new().start();
    assert_eq!(host.json("/served").await, json!({ "served": 1 }));
    let response = host.get("/trap").await;
    assert_eq!(response.status(), 500);
    assert!(response.body().is_empty());
    host.await_error("unreachable");
    assert_eq!(host.json("/served").await, json!({ "served": 1 }));
}

#[tokio::test]
async fn a_trap_takes_the_requests_beside_it_along() {
    let host = App::new().start();
    let (sleeping, trapped) = tokio::join!(host.get("/sleep?2000"), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        host.get("/trap").await
    });
    assert_eq!((sleeping.status().as_u16(), trapped.status().as_u16()), (500, 500));
}

#[tokio::test]
async fn a_request_past_the_timeout_is_a_500() {
    let host = App::new().arguments(&["--request-timeout", "200ms"]).start();
    assert_eq!(host.get("/sleep?10").await.status(), 200);
    assert_eq!(host.get("/sleep?3000").await.status(), 500);
    assert_eq!(host.get("/served").await.status(), 200);
}
