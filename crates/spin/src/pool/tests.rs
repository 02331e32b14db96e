use super::counting_queue::CountingQueue;
use super::*;

thread_local! {
    /// The time that has passed in this test.
    static PASSED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    static BEGUN: Instant = Instant::now();
    /// The idle timers that were started.
    static IDLE_TIMERS: RefCell<Vec<IdleTimer>> = const { RefCell::new(Vec::new()) };
}

type IdleTimer = Idle<u32, CountingQueue>;
type Held = Lease<u32, CountingQueue>;

fn pool() -> Rc<ConnectionPool<u32, CountingQueue>> {
    let clock = || BEGUN.with(|begun| *begun) + PASSED.get();
    ConnectionPool::new(CountingQueue::default(), clock, |idle| IDLE_TIMERS.with_borrow_mut(|timers| timers.push(idle)))
}

fn pass(milliseconds: u64) {
    PASSED.set(PASSED.get() + Duration::from_millis(milliseconds));
}

/// The idle timers that were started since the last call.
fn started_timers() -> Vec<IdleTimer> {
    IDLE_TIMERS.take()
}

#[track_caller]
fn open(pool: &Rc<ConnectionPool<u32, CountingQueue>>, connection: u32) -> Held {
    match pool.checkout() {
        Checkout::Open(opening) => opening.add(connection),
        Checkout::Use(lease) => panic!("connection {} is shared", lease.connection()),
        Checkout::Wait(()) => panic!("it waits"),
    }
}

#[track_caller]
fn join(pool: &Rc<ConnectionPool<u32, CountingQueue>>) -> Held {
    match pool.checkout() {
        Checkout::Use(lease) => lease,
        Checkout::Open(_) => panic!("a new connection is opened"),
        Checkout::Wait(()) => panic!("it waits"),
    }
}

/// The connection that a request joins and keeps in the pool.
#[track_caller]
fn joined(pool: &Rc<ConnectionPool<u32, CountingQueue>>) -> u32 {
    let lease = join(pool);
    lease.mark_reusable();
    *lease.connection()
}

#[track_caller]
fn wait(pool: &Rc<ConnectionPool<u32, CountingQueue>>) {
    assert!(matches!(pool.checkout(), Checkout::Wait(())));
}

fn woken_by(pool: &Rc<ConnectionPool<u32, CountingQueue>>, act: impl FnOnce()) -> u32 {
    let before = pool.queue.woken.get();
    act();
    pool.queue.woken.get() - before
}

fn keep(lease: Held) {
    lease.mark_reusable();
}

#[test]
fn sixteen_share_a_connection_and_the_next_one_opens_another() {
    let pool = pool();
    let first = open(&pool, 1);
    let others: Vec<_> = (1..MAX_LEASES_PER_CONNECTION).map(|_| join(&pool)).collect();
    assert!(others.iter().all(|lease| *lease.connection() == 1));
    let second = open(&pool, 2);
    // The one with fewer users is joined.
    assert_eq!(joined(&pool), 2);
    drop((first, others, second));
}

#[test]
fn requests_wait_while_a_connection_is_opened_and_are_woken_when_it_is_open() {
    let pool = pool();
    let Checkout::Open(opening) = pool.checkout() else { panic!("nothing is open") };
    (0..20).for_each(|_| wait(&pool));
    let mut lease = None;
    // As many as there is room for beside the request that opened it.
    assert_eq!(woken_by(&pool, || lease = Some(opening.add(1))), MAX_LEASES_PER_CONNECTION - 1);
    assert_eq!(joined(&pool), 1);
}

#[test]
fn after_a_failed_opening_one_waiting_request_is_woken_and_opens() {
    let pool = pool();
    let Checkout::Open(opening) = pool.checkout() else { panic!("nothing is open") };
    wait(&pool);
    wait(&pool);
    assert_eq!(woken_by(&pool, || drop(opening)), 1);
    let lease = open(&pool, 1);
    assert_eq!(joined(&pool), 1);
    drop(lease);
}

#[test]
fn releasing_a_lease_wakes_one_waiting_request() {
    let pool = pool();
    let lease = open(&pool, 1);
    assert_eq!(woken_by(&pool, || keep(lease)), 1);
    let lease = join(&pool);
    assert_eq!(woken_by(&pool, || drop(lease)), 1);
}

#[test]
fn a_connection_that_met_an_error_leaves_the_pool() {
    let pool = pool();
    let broken = open(&pool, 1);
    let beside = join(&pool);
    drop(broken);
    let other = open(&pool, 2);
    assert_eq!(joined(&pool), 2);
    // A good answer to another request does not bring the connection back.
    assert_eq!(*beside.connection(), 1);
    keep(beside);
    assert_eq!(joined(&pool), 2);
    drop(started_timers());
    drop(other);
}

#[test]
fn a_connection_that_left_the_pool_has_no_idle_timer() {
    let pool = pool();
    drop(open(&pool, 1));
    assert!(started_timers().is_empty());
    let (broken, beside) = (open(&pool, 2), join(&pool));
    drop(broken);
    keep(beside);
    assert!(started_timers().is_empty());
}

#[test]
fn a_stalled_connection_is_not_joined() {
    let pool = pool();
    let stalled = open(&pool, 1);
    pass(249);
    let late = join(&pool);
    pass(1);
    // A new request is no progress; an answer is.
    let other = open(&pool, 2);
    keep(late);
    assert_eq!(joined(&pool), 1);
    drop((stalled, other));
}

#[test]
fn an_idle_connection_is_not_stalled() {
    let pool = pool();
    keep(open(&pool, 1));
    pass(10_000);
    let first = join(&pool);
    assert_eq!(joined(&pool), 1);
    drop(first);
}

#[test]
fn no_more_than_three_are_open() {
    let pool = pool();
    let mut stalled: Vec<_> = (1..=3)
        .map(|number| {
            let lease = open(&pool, number);
            pass(250);
            lease
        })
        .collect();
    wait(&pool);
    // A broken one makes room for one more.
    drop(stalled.remove(0));
    stalled.push(open(&pool, 4));
    pass(250);
    wait(&pool);
}

#[test]
fn an_idle_connection_closes_after_five_milliseconds() {
    let pool = pool();
    keep(open(&pool, 1));
    let timer = started_timers().pop().unwrap();
    assert_eq!(timer.time_left(), Some(IDLE_TIMEOUT));
    pass(3);
    assert_eq!(timer.time_left(), Some(Duration::from_millis(2)));
    // Used in between: the time begins again.
    keep(join(&pool));
    assert!(started_timers().is_empty(), "it has a timer already");
    assert_eq!(timer.time_left(), Some(IDLE_TIMEOUT));
    pass(5);
    assert_eq!(timer.time_left(), None);
    drop(open(&pool, 2));
}

#[test]
fn a_connection_that_is_in_use_again_stays_and_gets_a_new_idle_timer() {
    let pool = pool();
    keep(open(&pool, 1));
    let timer = started_timers().pop().unwrap();
    let lease = join(&pool);
    pass(100);
    assert_eq!(timer.time_left(), None);
    assert_eq!(joined(&pool), 1);
    assert!(started_timers().is_empty());
    keep(lease);
    assert_eq!(started_timers().len(), 1);
}
