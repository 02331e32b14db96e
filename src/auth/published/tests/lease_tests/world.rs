//! The world of the instances of a test: an issuer and a store that can fail, and a clock that stands still.

use std::cell::Cell;
use std::collections::HashMap;

use super::*;
use crate::auth::published::record::Record;
use crate::auth::{FETCH_TIMEOUT, ReadFuture, SharedStore, WriteFuture};

const URL: &str = "https://issuer.example";
pub(super) const OTHER_KEYS: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"new","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

thread_local! {
    /// The time that a slow store and a slow issuer have taken. The clock stands still otherwise.
    pub(super) static PASSED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// What the instances share: an issuer and a store.
#[derive(Default)]
pub(super) struct World {
    pub(super) asked: AtomicUsize,
    pub(super) silent: AtomicBool,
    pub(super) down: AtomicBool,
    pub(super) hanging: AtomicBool,
    pub(super) answers: Mutex<Vec<u8>>,
    pub(super) store: Mutex<HashMap<String, Vec<u8>>>,
    pub(super) reads: AtomicUsize,
    pub(super) broken: AtomicBool,
    pub(super) forgetful: AtomicBool,
    pub(super) slow: AtomicBool,
}

struct Instance {
    world: Arc<World>,
    name: String,
}

impl KeySource for Instance {
    fn fetch<'a>(&'a self, _: &'a str) -> FetchFuture<'a> {
        self.world.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            while self.world.silent.load(Ordering::SeqCst) {
                self.sleep(POLL_INTERVAL).await;
            }
            if self.world.hanging.load(Ordering::SeqCst) {
                self.sleep(FETCH_TIMEOUT).await;
                PASSED.set(PASSED.get() + FETCH_TIMEOUT);
                return Err("deadline passed".to_owned());
            }
            match self.world.down.load(Ordering::SeqCst) {
                true => Err("down".to_owned()),
                false => Ok(self.world.answers.lock().unwrap().clone()),
            }
        })
    }

    fn sleep(&self, time: Duration) -> SleepFuture {
        let mut left = time.as_millis();
        Box::pin(std::future::poll_fn(move |_| {
            left = left.saturating_sub(1);
            if left == 0 { Poll::Ready(()) } else { Poll::Pending }
        }))
    }

    fn shared(&self) -> Option<&dyn SharedStore> {
        Some(self)
    }
}

impl SharedStore for Instance {
    fn instance(&self) -> &str {
        &self.name
    }

    fn read<'a>(&'a self, key: &'a str) -> ReadFuture<'a> {
        self.world.reads.fetch_add(1, Ordering::SeqCst);
        if self.world.slow.load(Ordering::SeqCst) {
            PASSED.set(PASSED.get() + Duration::from_millis(400));
        }
        Box::pin(std::future::ready(match self.world.broken.load(Ordering::SeqCst) {
            true => Err("broken".to_owned()),
            false => Ok(self.world.store.lock().unwrap().get(key).cloned()),
        }))
    }

    fn write<'a>(&'a self, key: &'a str, value: Vec<u8>) -> WriteFuture<'a> {
        if !self.world.forgetful.load(Ordering::SeqCst) {
            self.world.store.lock().unwrap().insert(key.to_owned(), value);
        }
        Box::pin(std::future::ready(Ok(())))
    }
}

impl World {
    pub(super) fn new() -> (Arc<Self>, Moment) {
        let world = Self { answers: Mutex::new(KEYS.to_owned()), ..Self::default() };
        PASSED.set(Duration::ZERO);
        (Arc::new(world), published().2)
    }

    pub(super) fn instance(self: &Arc<Self>) -> PublishedKeys {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = NEXT.fetch_add(1, Ordering::SeqCst).to_string();
        let ambient = Ambient { clock: || *BEGAN + PASSED.get(), ..AMBIENT };
        PublishedKeys::new(URL.to_owned(), Arc::new(Instance { world: Arc::clone(self), name }), ambient)
    }

    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub(super) fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    pub(super) fn record(&self) -> Record {
        Record::parse(&self.store.lock().unwrap()[&Record::key(URL)], URL).unwrap()
    }

    pub(super) fn put(&self, value: Vec<u8>) {
        self.store.lock().unwrap().insert(Record::key(URL), value);
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Record)) {
        let mut record = self.record();
        change(&mut record);
        self.put(record.to_bytes().unwrap());
    }
}

/// Polls all of them in turn until they are done.
pub(super) fn run_all<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut running: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    for _ in 0..10_000 {
        for (future, done) in running.iter_mut().filter(|(_, done)| done.is_none()) {
            if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                *done = Some(value);
            }
        }
        if running.iter().all(|(_, done)| done.is_some()) {
            return running.into_iter().map(|(_, done)| done.unwrap()).collect();
        }
    }
    panic!("they wait forever")
}

pub(super) fn run<T>(future: impl Future<Output = T>) -> T {
    run_all(vec![future]).pop().unwrap()
}

/// Polls for as many milliseconds; whether it is done.
pub(super) fn runs_for<T>(future: &mut std::pin::Pin<Box<impl Future<Output = T>>>, milliseconds: u32) -> bool {
    (0..milliseconds).any(|_| future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready())
}
