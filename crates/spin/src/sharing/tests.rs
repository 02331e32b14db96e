use super::calls::Calls;
use super::*;

thread_local! {
    /// The time that has passed in this test.
    static PASSED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    static BEGUN: Instant = Instant::now();
    /// The connections that are watched.
    static WATCHED: RefCell<Vec<Watch>> = const { RefCell::new(Vec::new()) };
}

type Watch = Idle<u32, Calls>;
type Held = Lease<u32, Calls>;

fn sharing() -> Rc<Sharing<u32, Calls>> {
    let clock = || BEGUN.with(|begun| *begun) + PASSED.get();
    Sharing::new(Calls::default(), clock, |idle| WATCHED.with_borrow_mut(|watched| watched.push(idle)))
}

fn pass(milliseconds: u64) {
    PASSED.set(PASSED.get() + Duration::from_millis(milliseconds));
}

/// The watches that were called for since this was last asked.
fn watches() -> Vec<Watch> {
    WATCHED.take()
}

#[track_caller]
fn open(sharing: &Rc<Sharing<u32, Calls>>, connection: u32) -> Held {
    match sharing.step() {
        Step::Open(opening) => opening.done(connection),
        Step::Share(lease) => panic!("connection {} is shared", lease.connection()),
        Step::Wait(()) => panic!("it waits"),
    }
}

#[track_caller]
fn share(sharing: &Rc<Sharing<u32, Calls>>) -> Held {
    match sharing.step() {
        Step::Share(lease) => lease,
        Step::Open(_) => panic!("a new connection is opened"),
        Step::Wait(()) => panic!("it waits"),
    }
}

/// Which connection is shared; the request ends well.
#[track_caller]
fn joined(sharing: &Rc<Sharing<u32, Calls>>) -> u32 {
    let lease = share(sharing);
    lease.is_good();
    *lease.connection()
}

#[track_caller]
fn wait(sharing: &Rc<Sharing<u32, Calls>>) {
    assert!(matches!(sharing.step(), Step::Wait(())));
}

fn called_by(sharing: &Rc<Sharing<u32, Calls>>, act: impl FnOnce()) -> u32 {
    let before = sharing.queue.called.get();
    act();
    sharing.queue.called.get() - before
}

fn well(lease: Held) {
    lease.is_good();
}

#[test]
fn sixteen_share_a_connection_and_the_next_one_opens_another() {
    let sharing = sharing();
    let first = open(&sharing, 1);
    let others: Vec<_> = (1..SHARERS).map(|_| share(&sharing)).collect();
    assert!(others.iter().all(|lease| *lease.connection() == 1));
    let second = open(&sharing, 2);
    // The one with fewer users is joined.
    assert_eq!(joined(&sharing), 2);
    drop((first, others, second));
}

#[test]
fn those_who_come_while_a_connection_is_opened_wait_and_are_called_when_it_is_there() {
    let sharing = sharing();
    let Step::Open(opening) = sharing.step() else { panic!("nothing is open") };
    (0..20).for_each(|_| wait(&sharing));
    let mut lease = None;
    // As many as there is room for beside the one who opened it.
    assert_eq!(called_by(&sharing, || lease = Some(opening.done(1))), SHARERS - 1);
    assert_eq!(joined(&sharing), 1);
}

#[test]
fn a_failed_opening_calls_one_who_waits_and_that_one_opens() {
    let sharing = sharing();
    let Step::Open(opening) = sharing.step() else { panic!("nothing is open") };
    wait(&sharing);
    wait(&sharing);
    assert_eq!(called_by(&sharing, || drop(opening)), 1);
    let lease = open(&sharing, 1);
    assert_eq!(joined(&sharing), 1);
    drop(lease);
}

#[test]
fn whoever_leaves_a_connection_calls_one_who_waits() {
    let sharing = sharing();
    let lease = open(&sharing, 1);
    assert_eq!(called_by(&sharing, || well(lease)), 1);
    let lease = share(&sharing);
    assert_eq!(called_by(&sharing, || drop(lease)), 1);
}

#[test]
fn a_connection_that_met_an_error_is_shared_no_further() {
    let sharing = sharing();
    let broken = open(&sharing, 1);
    let beside = share(&sharing);
    drop(broken);
    let other = open(&sharing, 2);
    assert_eq!(joined(&sharing), 2);
    // A good answer to another request does not bring the connection back.
    assert_eq!(*beside.connection(), 1);
    well(beside);
    assert_eq!(joined(&sharing), 2);
    drop(watches());
    drop(other);
}

#[test]
fn nobody_watches_a_connection_that_is_shared_no_further() {
    let sharing = sharing();
    drop(open(&sharing, 1));
    assert!(watches().is_empty());
    let (broken, beside) = (open(&sharing, 2), share(&sharing));
    drop(broken);
    well(beside);
    assert!(watches().is_empty());
}

#[test]
fn a_connection_on_which_nothing_moves_is_not_joined() {
    let sharing = sharing();
    let stuck = open(&sharing, 1);
    pass(249);
    let late = share(&sharing);
    pass(1);
    // That one came does not move it; an answer does.
    let other = open(&sharing, 2);
    well(late);
    assert_eq!(joined(&sharing), 1);
    drop((stuck, other));
}

#[test]
fn a_pause_is_not_a_connection_on_which_nothing_moves() {
    let sharing = sharing();
    well(open(&sharing, 1));
    pass(10_000);
    let first = share(&sharing);
    assert_eq!(joined(&sharing), 1);
    drop(first);
}

#[test]
fn no_more_than_three_are_open() {
    let sharing = sharing();
    let mut stuck: Vec<_> = (1..=3)
        .map(|number| {
            let lease = open(&sharing, number);
            pass(250);
            lease
        })
        .collect();
    wait(&sharing);
    // A broken one makes room for one more.
    drop(stuck.remove(0));
    stuck.push(open(&sharing, 4));
    pass(250);
    wait(&sharing);
}

#[test]
fn a_connection_lingers_for_five_milliseconds() {
    let sharing = sharing();
    well(open(&sharing, 1));
    let watch = watches().pop().unwrap();
    assert_eq!(watch.left(), Some(LINGER));
    pass(3);
    assert_eq!(watch.left(), Some(Duration::from_millis(2)));
    // Used in between: it lingers from then on.
    well(share(&sharing));
    assert!(watches().is_empty(), "it is watched already");
    assert_eq!(watch.left(), Some(LINGER));
    pass(5);
    assert_eq!(watch.left(), None);
    drop(open(&sharing, 2));
}

#[test]
fn a_connection_that_is_in_use_again_stays_and_is_watched_anew() {
    let sharing = sharing();
    well(open(&sharing, 1));
    let watch = watches().pop().unwrap();
    let lease = share(&sharing);
    pass(100);
    assert_eq!(watch.left(), None);
    assert_eq!(joined(&sharing), 1);
    assert!(watches().is_empty());
    well(lease);
    assert_eq!(watches().len(), 1);
}
