//! Several instances and one store. A sleep takes as many polls as it has milliseconds, so that several instances can be polled in
//! turn, without a clock.

mod world;

use super::*;
use crate::auth::FETCH_TIMEOUT;
use crate::auth::published::lease::{LEASE_POLL_INTERVAL, LEASE_TTL, SETTLE_TIME};
use crate::auth::published::record::{Record, unix_millis};
use world::{OTHER_KEYS, PASSED, World, run, run_all, runs_for};

#[test]
fn what_one_instance_fetched_serves_the_others_for_as_long_as_it() {
    let (world, start) = World::new();
    assert!(run(world.instance().get(start)).is_some());
    let second = world.instance();
    assert!(run(second.get(start + Duration::from_secs(540))).is_some());
    assert_eq!(world.asked(), 1);
    // Its age is that of the fetch, not of the read from the store.
    assert!(run(second.get(start + MAX_FRESH_AGE)).is_some());
    assert_eq!(world.asked(), 2);
}

#[test]
fn an_instance_with_fresh_keys_does_not_read_the_store() {
    let (world, start) = World::new();
    let instance = world.instance();
    run(instance.get(start));
    let reads = world.reads();
    for seconds in 0..600 {
        run(instance.get(start + Duration::from_secs(seconds)));
    }
    assert_eq!(world.reads(), reads);
}

#[test]
fn of_instances_that_start_at_once_one_fetches() {
    let (world, start) = World::new();
    let instances: Vec<_> = (0..50).map(|_| world.instance()).collect();
    let sets = run_all(instances.iter().map(|instance| instance.get(start)).collect());
    assert!(sets.iter().all(Option::is_some));
    assert_eq!(world.asked(), 1);
}

#[test]
fn an_unknown_kid_causes_one_fetch_for_all_instances() {
    let (world, start) = World::new();
    let instances: Vec<_> = (0..20).map(|_| world.instance()).collect();
    let sets = run_all(instances.iter().map(|instance| instance.get(start)).collect());
    let sets: Vec<_> = sets.into_iter().flatten().collect();
    let start = start + Duration::from_secs(1);
    let newer = run_all(instances.iter().zip(&sets).map(|(instance, seen)| instance.newer_than(seen, start)).collect());
    let mut seen: Vec<_> = newer.into_iter().map(Newer::keys).collect();
    assert_eq!((seen.len(), world.asked()), (20, 2));
    // The fetches of a minute are for all of them.
    for seconds in 1..=3 {
        seen[0] = run(instances[0].newer_than(&seen[0], start + Duration::from_secs(seconds))).keys();
    }
    assert_eq!(world.asked(), 5);
    // The next request is told to retry later, and so is an instance that starts now. They do not read the store each time.
    let late = world.instance();
    let last = run(late.get(start)).unwrap();
    for (seconds, wait) in [(4, 56), (30, 30), (59, 1)] {
        let then = start + Duration::from_secs(seconds);
        run(instances[0].newer_than(&seen[0], then)).later();
        assert_eq!(run(late.newer_than(&last, then)).later(), wait);
    }
    let reads = world.reads();
    run(late.newer_than(&last, start + Duration::from_secs(59))).later();
    assert_eq!((world.asked(), world.reads()), (5, reads));
    run(late.newer_than(&last, start + REFETCH_WINDOW)).keys();
    assert_eq!(world.asked(), 6);
}

#[test]
fn a_key_that_another_instance_learned_needs_no_fetch() {
    let (world, start) = World::new();
    let [first, second] = [world.instance(), world.instance()];
    let old = run(first.get(start)).unwrap();
    let seen = run(second.get(start)).unwrap();
    *world.answers.lock().unwrap() = OTHER_KEYS.as_bytes().to_owned();
    assert!(run(first.newer_than(&old, start + Duration::from_secs(1))).keys().knows("new"));
    assert!(run(second.newer_than(&seen, start + Duration::from_secs(2))).keys().knows("new"));
    assert_eq!(world.asked(), 2);
}

#[test]
fn clocks_of_instances_may_differ_by_seconds() {
    let (world, start) = World::new();
    let [first, second] = [world.instance(), world.instance()];
    let seen = run(first.get(start)).unwrap();
    let slow = Moment { wall: start.wall - Duration::from_secs(4), ..start };
    let old = run(second.get(slow)).unwrap();
    assert_eq!(world.asked(), 1);
    *world.answers.lock().unwrap() = OTHER_KEYS.as_bytes().to_owned();
    assert!(run(second.newer_than(&old, slow + Duration::from_secs(1))).keys().knows("new"));
    assert!(run(first.newer_than(&seen, start + Duration::from_secs(1))).keys().knows("new"));
    assert_eq!(world.asked(), 2);
}

#[test]
fn a_refetch_is_counted_by_the_instance_that_fetches_not_by_those_that_wait() {
    let (world, start) = World::new();
    let [first, second] = [world.instance(), world.instance()];
    run(first.get(start));
    let seen = run(second.get(start)).unwrap();
    // The first refreshes its stale keys while the second looks for a new key. The issuer answers with the old keys.
    world.silent.store(true, Ordering::SeqCst);
    let mut refreshing = Box::pin(first.get(start + MAX_FRESH_AGE));
    assert!(!runs_for(&mut refreshing, 200));
    let mut asking = Box::pin(second.newer_than(&seen, start + MAX_FRESH_AGE));
    assert!(!runs_for(&mut asking, 200));
    world.silent.store(false, Ordering::SeqCst);
    run(refreshing);
    let newer = run(asking).keys();
    *world.answers.lock().unwrap() = OTHER_KEYS.as_bytes().to_owned();
    assert!(run(second.newer_than(&newer, start + MAX_FRESH_AGE + Duration::from_secs(60))).keys().knows("new"));
    assert_eq!(world.asked(), 3);
}

#[test]
fn a_failure_counts_for_all_instances() {
    let (world, start) = World::new();
    world.down.store(true, Ordering::SeqCst);
    for milliseconds in [0, 1, 500, 899] {
        assert!(run(world.instance().get(start + Duration::from_millis(milliseconds))).is_none());
    }
    assert_eq!(world.asked(), 1);
    world.down.store(false, Ordering::SeqCst);
    assert!(run(world.instance().get(start + FAILURE_BACKOFF_WITHOUT_KEYS)).is_some());
    assert_eq!(world.record().failed_at, None);
}

#[test]
fn requests_that_wait_for_a_hanging_issuer_fail_with_the_first() {
    // Requests of one instance that arrive while the first waits; with the store and without.
    for broken in [false, true] {
        let (world, start) = World::new();
        world.hanging.store(true, Ordering::SeqCst);
        world.broken.store(broken, Ordering::SeqCst);
        let instance = world.instance();
        let came = [0, 1500, 2900].map(|milliseconds| start + Duration::from_millis(milliseconds));
        let sets = run_all(came.map(|moment| instance.get(moment)).into());
        assert_eq!((sets.iter().flatten().count(), world.asked()), (0, 1));
    }
    // Instances.
    let (world, start) = World::new();
    world.hanging.store(true, Ordering::SeqCst);
    let instances: Vec<_> = (0..20).map(|_| world.instance()).collect();
    let sets = run_all(instances.iter().map(|instance| instance.get(start)).collect());
    assert_eq!((sets.iter().flatten().count(), world.asked()), (0, 1));
    // The failure counts for its backoff and no longer.
    world.hanging.store(false, Ordering::SeqCst);
    assert!(run(world.instance().get(start + FETCH_TIMEOUT + FAILURE_BACKOFF_WITHOUT_KEYS)).is_some());
}

#[test]
fn a_request_that_waited_knows_what_time_it_is() {
    let waited = Duration::from_secs(6);
    let (world, start) = World::new();
    world.silent.store(true, Ordering::SeqCst);
    PASSED.set(waited);
    let instance = world.instance();
    assert!(!runs_for(&mut Box::pin(instance.get(start)), 50));
    assert_eq!(
        world.record().lease_acquired_at,
        Some(unix_millis((start + waited).wall)),
        "else the lease would have expired for the others"
    );
    let (world, start) = World::new();
    world.broken.store(true, Ordering::SeqCst);
    PASSED.set(waited);
    let instance = world.instance();
    run(instance.get(start));
    run(instance.get(start + waited + (MAX_FRESH_AGE - Duration::from_secs(1))));
    assert_eq!(world.asked(), 1);
}

#[test]
fn while_one_instance_fetches_the_others_serve_stale_keys() {
    let (world, start) = World::new();
    let first = world.instance();
    run(first.get(start));
    world.silent.store(true, Ordering::SeqCst);
    let late = start + MAX_FRESH_AGE;
    let mut fetching = Box::pin(first.get(late));
    assert!(!runs_for(&mut fetching, 200));
    let [known, new] = [&first, &world.instance()];
    assert!(runs_for(&mut Box::pin(known.get(late)), 1));
    assert!(runs_for(&mut Box::pin(new.get(late)), 1), "it does not wait for the holder");
    // It does not read the store for each request, either.
    let reads = world.reads();
    run(new.get(late + (LEASE_POLL_INTERVAL - Duration::from_millis(1))));
    assert_eq!(world.reads(), reads);
    run(new.get(late + LEASE_POLL_INTERVAL));
    assert_eq!(world.reads(), reads + 1);
    drop(fetching);
    world.silent.store(false, Ordering::SeqCst);
    assert!(run(new.get(late + LEASE_TTL)).is_some());
    assert_eq!(world.asked(), 3, "and takes over an expired lease");
}

#[test]
fn a_document_that_no_record_can_have_is_refused_by_all() {
    let (world, start) = World::new();
    let mut answer = KEYS.to_owned();
    answer.splice(1..1, *b"\"comment\":\"\xff\",");
    *world.answers.lock().unwrap() = answer;
    for _ in 0..2 {
        assert!(run(world.instance().get(start)).is_none(), "it is not UTF-8");
    }
    assert_eq!(world.asked(), 1);
}

#[test]
fn new_instances_serve_stale_keys_while_the_issuer_is_down() {
    let (world, start) = World::new();
    run(world.instance().get(start));
    world.down.store(true, Ordering::SeqCst);
    let late = start + MAX_FRESH_AGE;
    for seconds in [0, 1, 9] {
        assert!(run(world.instance().get(late + Duration::from_secs(seconds))).is_some());
    }
    assert_eq!(world.asked(), 2);
    assert!(run(world.instance().get(start + (MAX_STALE_AGE - Duration::from_secs(1)))).is_some());
    assert!(run(world.instance().get(start + MAX_STALE_AGE)).is_none());
}

#[test]
fn the_lease_of_an_instance_that_died_expires() {
    let (world, start) = World::new();
    let dying = world.instance();
    world.silent.store(true, Ordering::SeqCst);
    let mut fetching = Box::pin(dying.get(start));
    assert!(!runs_for(&mut fetching, 200));
    drop(fetching);
    world.silent.store(false, Ordering::SeqCst);
    let successor = world.instance();
    let mut waiting = Box::pin(successor.get(start));
    assert!(!runs_for(&mut waiting, 1000), "it may be alive");
    assert!(run(waiting).is_some());
    assert_eq!(world.asked(), 2);
    // An instance does not wait for its own lease.
    let (world, start) = World::new();
    let instance = world.instance();
    world.silent.store(true, Ordering::SeqCst);
    let mut cancelled = Box::pin(instance.get(start));
    assert!(!runs_for(&mut cancelled, 200));
    drop(cancelled);
    world.silent.store(false, Ordering::SeqCst);
    assert!(runs_for(&mut Box::pin(instance.get(start)), 10));
}

#[test]
fn the_wait_for_leases_of_others_has_a_limit() {
    let (world, start) = World::new();
    run(world.instance().get(start));
    let late = start + MAX_STALE_AGE;
    let instance = world.instance();
    let mut waiting = Box::pin(instance.get(late));
    // One after the other, other instances hold the lease, and none publishes keys.
    for tenths in 0..95 {
        let lease_acquired_at = unix_millis((late + Duration::from_millis(100 * tenths)).wall);
        world.change(|record| {
            (record.lease_holder, record.lease_acquired_at) = (Some(format!("other {tenths}")), Some(lease_acquired_at))
        });
        assert!(!runs_for(&mut waiting, 100), "after {tenths} tenths of a second");
    }
    assert!(runs_for(&mut waiting, 1000));
    assert_eq!(world.asked(), 2);
}

#[test]
fn of_many_instances_that_waited_for_an_expired_lease_one_fetches() {
    let (world, start) = World::new();
    let dying = world.instance();
    world.silent.store(true, Ordering::SeqCst);
    // A little after the others arrived, so that they wait for longer than clocks may differ.
    let mut fetching = Box::pin(dying.get(start + Duration::from_millis(200)));
    assert!(!runs_for(&mut fetching, 200));
    drop(fetching);
    let successors: Vec<_> = (0..20).map(|_| world.instance()).collect();
    let mut waiting: Vec<_> = successors.iter().map(|successor| Box::pin(successor.get(start))).collect();
    for _ in 0..5500 {
        assert!(!waiting.iter_mut().any(|successor| runs_for(successor, 1)));
    }
    world.silent.store(false, Ordering::SeqCst);
    let sets = run_all(waiting);
    assert_eq!((sets.iter().flatten().count(), world.asked()), (20, 2));
}

#[test]
fn a_slow_store_does_not_prolong_the_wait() {
    let (world, start) = World::new();
    let dying = world.instance();
    world.silent.store(true, Ordering::SeqCst);
    let mut fetching = Box::pin(dying.get(start));
    assert!(!runs_for(&mut fetching, 200));
    drop(fetching);
    world.silent.store(false, Ordering::SeqCst);
    world.slow.store(true, Ordering::SeqCst);
    assert!(run(world.instance().get(start)).is_some());
    assert!(PASSED.get() <= LEASE_TTL + Duration::from_secs(1), "{:?}", PASSED.get());
}

#[test]
fn a_store_that_loses_writes_holds_up_no_instance() {
    let (world, start) = World::new();
    world.forgetful.store(true, Ordering::SeqCst);
    for fetches in 1..=2 {
        let instance = world.instance();
        assert!(runs_for(&mut Box::pin(instance.get(start)), 110));
        assert_eq!(world.asked(), fetches);
    }
    // Unknown `kid`s cause no more fetches than elsewhere.
    let instance = world.instance();
    let mut seen = run(instance.get(start)).unwrap();
    for seconds in [1, 2, 3, 4] {
        seen = run(instance.newer_than(&seen, start + Duration::from_secs(seconds))).keys();
    }
    run(instance.newer_than(&seen, start + Duration::from_secs(59))).later();
    assert_eq!(world.asked(), 7);
}

#[test]
fn instances_whose_clocks_are_far_apart_do_not_contend_forever() {
    let (world, start) = World::new();
    let [first, second] = [world.instance(), world.instance()];
    let ahead = Moment { wall: start.wall + Duration::from_secs(3600), ..start };
    // For the second the first's lease has expired; for the first the second's is in the future.
    let mut early = Box::pin(first.get(start));
    assert!(!runs_for(&mut early, 50));
    let mut late = Box::pin(second.get(ahead));
    let mut done = [false; 2];
    for _ in 0..300 {
        done[0] = done[0] || runs_for(&mut early, 1);
        done[1] = done[1] || runs_for(&mut late, 1);
    }
    assert_eq!((done, world.asked()), ([true; 2], 2));
}

#[test]
fn what_is_wrong_in_the_store_is_ignored_and_replaced() {
    let (world, start) = World::new();
    run(world.instance().get(start));
    let good = world.record();
    let bytes = |change: &dyn Fn(&mut Record)| {
        let mut record = good.clone();
        change(&mut record);
        record.to_bytes().unwrap()
    };
    let text = String::from_utf8(good.to_bytes().unwrap()).unwrap();
    for (name, value) in [
        ("nothing", Vec::new()),
        ("no JSON", b"\xff\0{".to_vec()),
        ("no record", b"[]".to_vec()),
        ("another version", text.replace("\"version\":1", "\"version\":2").into_bytes()),
        ("another URL", text.replace("issuer.example", "another.example").into_bytes()),
        ("a negative time", text.replace("\"fetched_at\":", "\"fetched_at\":-").into_bytes()),
        ("endless", [b"{", &b" ".repeat(1024 * 1024)[..], &text.as_bytes()[1..]].concat()),
        ("no JWKS", bytes(&|record| record.document = Some("{}".to_owned()))),
        ("a long document", bytes(&|record| record.document = Some(" ".repeat(300 * 1024) + &text))),
        ("a secret", bytes(&|record| record.document = Some(r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#.to_owned()))),
        ("a time to come", bytes(&|record| record.fetched_at = record.fetched_at.map(|time| time + 3_600_000))),
        ("a set of the day before", bytes(&|record| record.fetched_at = Some(unix_millis(start.wall) - 86_400_000))),
    ] {
        world.put(value);
        let before = world.asked();
        assert!(run(world.instance().get(start)).is_some(), "{name}");
        assert_eq!(world.asked(), before + 1, "{name}");
        assert_eq!(world.record().document, good.document, "{name}");
        assert!(run(world.instance().get(start)).is_some(), "{name}");
        assert_eq!(world.asked(), before + 1, "{name}: it was replaced");
    }
}

#[test]
fn a_clock_that_jumps_costs_a_fetch_at_most() {
    let (world, start) = World::new();
    let instance = world.instance();
    let seen = run(instance.get(start)).unwrap();
    run(instance.newer_than(&seen, start + Duration::from_secs(1))).keys();
    let back = Moment { wall: start.wall - Duration::from_secs(7200), ..start };
    let late = world.instance();
    let seen = run(late.get(back)).unwrap();
    assert_eq!(world.asked(), 3, "a time in the future is ignored");
    run(late.newer_than(&seen, back + Duration::from_secs(1))).keys();
    assert_eq!(world.asked(), 4);
    // An instance that fetched before the jump still takes newer keys.
    let ahead = Moment { wall: start.wall + Duration::from_secs(86_400 * 400), ..start };
    assert!(run(world.instance().get(ahead)).is_some());
    assert_eq!(world.asked(), 5);
    // A lease from the future holds up no instance.
    world.change(|record| {
        (record.lease_holder, record.fetched_at) = (Some("other".to_owned()), None);
        record.lease_acquired_at = Some(unix_millis(start.wall) + 3_600_000);
    });
    let instance = world.instance();
    assert!(runs_for(&mut Box::pin(instance.get(start)), 110));
}

#[test]
fn without_the_store_an_instance_fetches_for_itself() {
    let (world, start) = World::new();
    world.broken.store(true, Ordering::SeqCst);
    for instance in [world.instance(), world.instance()] {
        let seen = run(instance.get(start)).unwrap();
        run(instance.newer_than(&seen, start + Duration::from_secs(1))).keys();
        run(instance.newer_than(&seen, start + Duration::from_secs(2))).keys();
        assert!(run(instance.get(start + Duration::from_secs(1) + MAX_FRESH_AGE)).is_some());
    }
    assert_eq!((world.asked(), world.reads()), (6, 2), "a broken store is tried once");
}

#[test]
fn an_instance_waits_only_for_its_lease_to_settle() {
    assert!(LEASE_POLL_INTERVAL < SETTLE_TIME && SETTLE_TIME < LEASE_TTL && LEASE_TTL > crate::auth::FETCH_TIMEOUT);
    let (world, start) = World::new();
    let instance = world.instance();
    assert!(runs_for(&mut Box::pin(instance.get(start)), 110), "the settle time, and a fetch");
}
