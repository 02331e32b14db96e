use std::collections::{HashMap, HashSet, VecDeque};

use super::*;

const DEADLINE: Duration = Duration::from_secs(5);
/// How long the server takes for a call, in milliseconds.
const COST: u64 = 5;

impl Admission {
    pub(in crate::data) fn in_flight(&self) -> u32 {
        self.state().in_flight
    }
}

/// A server that answers one call after the other, and its clients. A step is a millisecond.
struct Server<'a> {
    admission: &'a Admission,
    begun: Instant,
    now: u64,
    queue: VecDeque<Call<'a>>,
    worked: u64,
    acknowledged: HashMap<&'static str, u32>,
    refused: HashMap<&'static str, u32>,
}

struct Call<'a> {
    user: &'static str,
    begun: u64,
    /// `None` after its deadline. The server answers it all the same.
    admitted: Option<Admitted<'a>>,
}

impl<'a> Server<'a> {
    fn of(admission: &'a Admission) -> Self {
        let begun = Instant::now();
        let [acknowledged, refused] = [HashMap::new(), HashMap::new()];
        Self { admission, begun, now: 0, queue: VecDeque::new(), worked: 0, acknowledged, refused }
    }

    fn at(&self, milliseconds: u64) -> Instant {
        self.begun + Duration::from_millis(milliseconds)
    }

    fn come(&mut self, user: &'static str) {
        match self.admission.enter(user, self.at(self.now)) {
            Ok(admitted) => self.queue.push_back(Call { user, begun: self.now, admitted: Some(admitted) }),
            Err(_) => *self.refused.entry(user).or_default() += 1,
        }
    }

    fn step(&mut self, works: bool) {
        self.now += 1;
        let (now, at) = (self.at(self.now), |milliseconds| self.begun + Duration::from_millis(milliseconds));
        for call in &mut self.queue {
            if call.admitted.is_some() && now.duration_since(at(call.begun)) >= DEADLINE {
                self.admission.ended(at(call.begun), now, Some(&DatabaseError::Deadline { sent: true }));
                call.admitted = None;
            }
        }
        if works && !self.queue.is_empty() {
            self.worked += 1;
        }
        if self.worked == COST {
            self.worked = 0;
            if let Some(Call { user, begun, admitted: Some(_) }) = self.queue.pop_front() {
                self.admission.ended(self.at(begun), now, None);
                *self.acknowledged.entry(user).or_default() += 1;
            }
        }
    }

    /// Lets each user send a call every given number of milliseconds, for `milliseconds`.
    fn load(&mut self, users: &[(&'static str, u64)], milliseconds: u64, works: bool) {
        for step in 0..milliseconds {
            users.iter().filter(|(_, each)| step % each == 0).for_each(|(user, _)| self.come(user));
            self.step(works);
        }
    }

    fn refused(&self) -> u32 {
        self.refused.values().sum()
    }
}

#[test]
fn what_is_answered_at_twice_the_capacity_is_the_capacity() {
    let admission = Admission::new(DEADLINE);
    let mut server = Server::of(&admission);
    server.load(&[("alice", 5), ("bob", 5)], 20_000, true);
    let acknowledged: u32 = server.acknowledged.values().sum();
    // 200 a second, of 400 that come.
    assert!((3_700..=4_000).contains(&acknowledged), "{acknowledged}");
    // What is not answered within its time was refused before.
    let in_flight = admission.in_flight();
    assert!(acknowledged + server.refused() + in_flight >= 7_900, "{acknowledged} {} {in_flight}", server.refused());
    assert!(u64::from(in_flight) * COST < 2 * QUEUEING_LATENCY.as_millis() as u64, "{in_flight}");
}

#[test]
fn below_the_capacity_no_user_is_refused() {
    let admission = Admission::new(DEADLINE);
    let mut server = Server::of(&admission);
    server.load(&[("alice", 12), ("bob", 12)], 20_000, true);
    assert_eq!(server.refused(), 0);
}

#[test]
fn a_crowd_of_clients_that_wait_for_their_answers_is_not_refused() {
    let admission = Admission::new(DEADLINE);
    let mut server = Server::of(&admission);
    // Each waits for 0.9 s, because the server takes 5 ms for a call.
    for _ in 0..20_000 {
        for _ in server.queue.len()..180 {
            server.come("alice");
        }
        server.step(true);
    }
    assert_eq!(server.refused(), 0);
}

#[test]
fn overload_begins_when_two_windows_in_succession_miss_the_target() {
    let admission = Admission::new(DEADLINE);
    let begun = Instant::now();
    let _waiting: Vec<_> = (0..16).map(|_| admission.enter("alice", begun).unwrap()).collect();
    let window = |number: u32, latency: Duration| {
        let first = begun + 2 * MAX_WINDOW_LENGTH * number;
        // So many answers that the rate is no reason to refuse.
        (0..10).for_each(|_| admission.ended(first, first + latency, None));
        admission.ended(first + MAX_WINDOW_LENGTH, first + MAX_WINDOW_LENGTH + latency, None);
        admission.state().limit.is_some()
    };
    let target = DEADLINE / 5;
    assert!(!window(1, target));
    assert!(!window(2, target - Duration::from_millis(1)));
    assert!(!window(3, target));
    assert!(window(4, target));
}

#[test]
fn the_shortest_and_the_longest_deadline_are_measured() {
    for deadline in [Duration::from_millis(100), Duration::from_secs(60)] {
        let admission = Admission::new(deadline);
        let begun = Instant::now();
        let _waiting: Vec<_> = (0..16).map(|_| admission.enter("alice", begun).unwrap()).collect();
        for call in 0..100 {
            admission.ended(begun, begun + deadline / 2 * call, None);
        }
        assert!(admission.state().limit.is_some(), "{deadline:?}");
    }
}

#[test]
fn a_pause_of_seconds_leads_to_no_refusal() {
    let admission = Admission::new(DEADLINE);
    let mut server = Server::of(&admission);
    let load = [("alice", 40), ("bob", 40)];
    for pause in [500, 2_000, 4_000] {
        server.load(&load, 1_000, true);
        server.load(&load, pause, false);
        // A restart or a lock ends for all who wait at once.
        while !server.queue.is_empty() {
            let Some(call) = server.queue.pop_front() else { break };
            admission.ended(server.at(call.begun), server.at(server.now), None);
        }
        server.load(&load, 2_000, true);
        assert_eq!(server.refused(), 0, "{pause}");
    }
}

#[test]
fn slow_calls_beside_fast_ones_are_no_overload() {
    let admission = Admission::new(DEADLINE);
    let begun = Instant::now();
    let slow: Vec<_> = (0..50).map(|_| admission.enter("alice", begun).unwrap()).collect();
    for step in 1..100 {
        let now = begun + Duration::from_millis(100 * step);
        let fast = if step % 2 == 0 { now - Duration::from_millis(5) } else { begun };
        admission.ended(fast, now, None);
        assert!(admission.enter("bob", now).is_ok(), "{step}");
    }
    drop(slow);
}

#[test]
fn few_slow_calls_are_no_overload() {
    let admission = Admission::new(DEADLINE);
    let begun = Instant::now();
    let _slow: Vec<_> = (1..OVERLOAD_THRESHOLD).map(|_| admission.enter("alice", begun).unwrap()).collect();
    for step in 1..20 {
        let now = begun + DEADLINE * step;
        admission.ended(begun, now, None);
        assert!(admission.enter("alice", now).is_ok(), "{step}");
    }
}

#[test]
fn refusals_end_with_the_overload() {
    let admission = Admission::new(DEADLINE);
    let mut server = Server::of(&admission);
    server.load(&[("alice", 5), ("bob", 5)], 10_000, true);
    let before = server.refused();
    assert!(before > 0);
    // What waits is answered, and a window passes.
    server.load(&[("alice", 10)], 3_000, true);
    let after = server.refused();
    server.load(&[("alice", 10)], 10_000, true);
    assert_eq!(server.refused(), after);
    // A limit also ends when no request comes.
    server.load(&[("alice", 5), ("bob", 5)], 10_000, true);
    assert!(admission.state().limit.is_some());
    let late = server.at(server.now) + 3 * DEADLINE;
    let _many: Vec<_> = (0..1_000).map(|_| admission.enter("alice", late).unwrap()).collect();
}

#[test]
fn an_outage_leads_to_refusals_and_they_end_with_it() {
    let admission = Admission::new(DEADLINE);
    let mut server = Server::of(&admission);
    let load = [("alice", 20), ("bob", 20)];
    server.load(&load, 1_000, true);
    server.load(&load, 12_000, false);
    assert!(server.refused() > 500, "{}", server.refused());
    server.queue.clear();
    server.load(&load, 1_000, true);
    let before = server.refused();
    server.load(&load, 5_000, true);
    assert_eq!(server.refused(), before);
}

#[test]
fn a_user_who_floods_leaves_room_for_another() {
    let admission = Admission::new(DEADLINE);
    let bucket = |user: &str| admission.hasher.hash_one(user) as usize % USER_BUCKETS;
    let other = ["alice", "bob", "carol", "dave"].into_iter().find(|user| bucket(user) != bucket("flood")).unwrap();
    let mut server = Server::of(&admission);
    let load = [("flood", 1), (other, 100)];
    server.load(&load, 10_000, true);
    server.acknowledged.clear();
    server.refused.clear();
    server.load(&load, 20_000, true);
    assert_eq!(server.refused.get(other), None, "{:?}", server.refused);
    assert!(server.acknowledged[other] > 180, "{:?}", server.acknowledged);
    // The flood has the rest.
    assert!(server.acknowledged["flood"] > 3_500, "{:?}", server.acknowledged);
}

#[test]
fn those_who_are_refused_come_back_at_different_times() {
    let admission = Admission::new(DEADLINE);
    let now = Instant::now();
    admission.state().limit = Some(Limit { number: 0, set: now });
    let refusals = (0..100).map(|_| admission.enter("alice", now).err());
    let times: HashSet<_> = refusals
        .map(|error| match error {
            Some(Error::Overloaded { retry_after }) => retry_after,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(times, HashSet::from([1, 2, 3]));
}
