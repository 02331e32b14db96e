use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::SystemTime;

use uuid::Uuid;

use super::*;
use crate::auth::{FetchFuture, SleepFuture};

/// An issuer with one key, whose answers can be held back.
#[derive(Default)]
struct Issuer {
    asked: AtomicUsize,
    down: AtomicBool,
    silent: Arc<AtomicBool>,
}

const KEYS: &[u8] =
    br#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"ed","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

impl KeySource for Issuer {
    fn fetch<'a>(&'a self, _: &'a str) -> FetchFuture<'a> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            while self.silent.load(Ordering::SeqCst) {
                self.sleep(POLL_INTERVAL).await;
            }
            if self.down.load(Ordering::SeqCst) { Err("down".to_owned()) } else { Ok(KEYS.to_owned()) }
        })
    }

    fn sleep(&self, _: Duration) -> SleepFuture {
        let mut again = true;
        Box::pin(std::future::poll_fn(
            move |_| if std::mem::take(&mut again) { Poll::Pending } else { Poll::Ready(()) },
        ))
    }
}

/// The clock of these tests stands still. A test says when a request arrived.
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
const AMBIENT: Ambient = Ambient { now: SystemTime::now, clock: || *BEGAN, new_id: Uuid::nil, log: |_| {} };

fn published() -> (Arc<Issuer>, PublishedKeys, Moment) {
    let issuer = Arc::new(Issuer::default());
    let keys = PublishedKeys::new("https://issuer.example".to_owned(), issuer.clone(), AMBIENT);
    let start = Moment { wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000), steady: *BEGAN };
    (issuer, keys, start)
}

impl std::ops::Add<Duration> for Moment {
    type Output = Self;

    fn add(self, passed: Duration) -> Self {
        self.later(passed)
    }
}

/// Runs a future that never waits for long.
fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    for _ in 0..1000 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
    panic!("it waits forever")
}

fn asked(issuer: &Issuer) -> usize {
    issuer.asked.load(Ordering::SeqCst)
}

impl Newer {
    /// The keys that there are.
    #[track_caller]
    fn keys(self) -> Arc<KeySet> {
        match self {
            Self::Keys(keys) => keys,
            _ => panic!("there are no newer keys"),
        }
    }

    /// After how many seconds the issuer may be asked again.
    #[track_caller]
    fn later(self) -> u64 {
        match self {
            Self::RetryAfter(wait) => wait.as_secs(),
            _ => panic!("there is no retry"),
        }
    }
}

mod lease_tests;

#[test]
fn a_set_is_fetched_once_and_again_when_it_is_ten_minutes_old() {
    let (issuer, keys, start) = published();
    assert!(run(keys.get(start)).is_some());
    assert!(run(keys.get(start + (MAX_FRESH_AGE - Duration::from_secs(1)))).is_some());
    assert_eq!(asked(&issuer), 1);
    assert!(run(keys.get(start + MAX_FRESH_AGE)).is_some());
    assert_eq!(asked(&issuer), 2);
}

#[test]
fn the_last_good_set_serves_for_a_day_while_the_issuer_is_down() {
    let (issuer, keys, start) = published();
    run(keys.get(start));
    issuer.down.store(true, Ordering::SeqCst);
    let late = start + MAX_FRESH_AGE;
    assert!(run(keys.get(late)).is_some());
    assert!(run(keys.get(late + (FAILURE_BACKOFF - Duration::from_secs(1)))).is_some());
    assert_eq!(asked(&issuer), 2, "a failure is not repeated at once");
    assert!(run(keys.get(start + (MAX_STALE_AGE - Duration::from_secs(1)))).is_some());
    assert!(run(keys.get(start + MAX_STALE_AGE)).is_none());
    issuer.down.store(false, Ordering::SeqCst);
    assert!(run(keys.get(start + MAX_STALE_AGE + FAILURE_BACKOFF_WITHOUT_KEYS)).is_some());
}

#[test]
fn without_a_set_an_issuer_that_is_down_is_asked_once_a_second() {
    let (issuer, keys, start) = published();
    issuer.down.store(true, Ordering::SeqCst);
    for milliseconds in [0, 1, 500, 999] {
        assert!(run(keys.get(start + Duration::from_millis(milliseconds))).is_none());
    }
    assert_eq!(asked(&issuer), 1);
    assert!(run(keys.get(start + FAILURE_BACKOFF_WITHOUT_KEYS)).is_none());
    assert_eq!(asked(&issuer), 2);
}

#[test]
fn unknown_kids_cause_four_fetches_a_minute() {
    let (issuer, keys, start) = published();
    let after = |seen: &Arc<KeySet>, seconds: u64| run(keys.newer_than(seen, start + Duration::from_secs(seconds)));
    let first = run(keys.get(start)).unwrap();
    // The keys were fetched for this request, or after it arrived, so there are no newer ones.
    assert!(matches!(after(&first, 0), Newer::Unchanged));
    let second = after(&first, 1).keys();
    // A request with the first set gets the second.
    assert!(Arc::ptr_eq(&after(&first, 1).keys(), &second));
    assert!(matches!(after(&second, 1), Newer::Unchanged));
    let third = after(&second, 2).keys();
    let fourth = after(&third, 30).keys();
    let fifth = after(&fourth, 40).keys();
    assert_eq!(asked(&issuer), 5);
    // For now it is unknown whether the key exists.
    assert_eq!([41, 59, 60].map(|seconds| after(&fifth, seconds).later()), [20, 2, 1]);
    assert_eq!(asked(&issuer), 5);
    let sixth = after(&fifth, 61).keys();
    let seventh = after(&sixth, 62).keys();
    assert_eq!(after(&seventh, 63).later(), 27);
    assert_eq!(asked(&issuer), 7);
}

#[test]
fn while_the_issuer_is_down_a_request_with_an_unknown_kid_is_told_to_retry() {
    let (issuer, keys, start) = published();
    let seen = run(keys.get(start)).unwrap();
    issuer.down.store(true, Ordering::SeqCst);
    let late = start + Duration::from_secs(1);
    assert_eq!(run(keys.newer_than(&seen, late)).later(), FAILURE_BACKOFF.as_secs());
    // Requests that waited for that fetch fail with it.
    assert_eq!(run(keys.newer_than(&seen, late)).later(), FAILURE_BACKOFF.as_secs());
    assert_eq!(asked(&issuer), 2);
}

#[test]
fn many_requests_wait_for_one_fetch() {
    let (issuer, keys, start) = published();
    issuer.silent.store(true, Ordering::SeqCst);
    let mut waiting: Vec<_> = (0..100).map(|_| Box::pin(keys.get(start))).collect();
    let mut context = Context::from_waker(Waker::noop());
    for request in &mut waiting {
        assert!(request.as_mut().poll(&mut context).is_pending());
    }
    assert_eq!(asked(&issuer), 1);
    issuer.silent.store(false, Ordering::SeqCst);
    for request in waiting {
        assert!(run(request).is_some());
    }
    assert_eq!(asked(&issuer), 1);
}

#[test]
fn when_the_request_that_fetches_is_cancelled_another_one_fetches() {
    let (issuer, keys, start) = published();
    issuer.silent.store(true, Ordering::SeqCst);
    let mut context = Context::from_waker(Waker::noop());
    let mut fetching = Box::pin(keys.get(start));
    let mut waiting = Box::pin(keys.get(start));
    assert!(fetching.as_mut().poll(&mut context).is_pending());
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    drop(fetching);
    issuer.silent.store(false, Ordering::SeqCst);
    assert!(run(waiting).is_some());
    assert_eq!(asked(&issuer), 2);
}

#[test]
fn while_one_request_fetches_the_others_use_the_cached_keys() {
    let (issuer, keys, start) = published();
    run(keys.get(start));
    issuer.silent.store(true, Ordering::SeqCst);
    let mut fetching = Box::pin(keys.get(start + MAX_FRESH_AGE));
    assert!(fetching.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(run(keys.get(start + MAX_FRESH_AGE)).is_some());
    assert_eq!(asked(&issuer), 2);
}
