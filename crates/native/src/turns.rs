//! Turns of the writes of a user in this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::timeout;

/// The turns of all users.
#[derive(Clone, Default)]
pub(crate) struct Turns(Arc<Mutex<Queues>>);

type Queues = HashMap<String, Queue>;
/// Those who wait for one user's turn, in their order.
type Queue = Arc<tokio::sync::Mutex<()>>;

/// A turn. The next one begins when the value goes.
pub(crate) struct Turn {
    /// `None` if patience ended first. Dropped before the place.
    _taken: Option<OwnedMutexGuard<()>>,
    _place: Place,
}

/// A place in a queue. The last place removes the queue.
struct Place {
    turns: Turns,
    user: String,
    /// `None` only while it is dropped.
    queue: Option<Queue>,
}

impl Turns {
    /// Waits until all earlier writes of this user have gone, at most this long.
    pub(crate) async fn turn(&self, user: &str, patience: Duration) -> Turn {
        let queue = Arc::clone(self.queues().entry(user.to_owned()).or_default());
        let place = Place { turns: self.clone(), user: user.to_owned(), queue: Some(Arc::clone(&queue)) };
        let taken = timeout(patience, queue.lock_owned()).await.ok();
        Turn { _taken: taken, _place: place }
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut queues = self.turns.queues();
        // Released under the lock of the table, so that the later of two concurrent drops finds itself the last.
        self.queue = None;
        if queues.get(&self.user).is_some_and(|queue| Arc::strong_count(queue) == 1) {
            queues.remove(&self.user);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(1);

    #[tokio::test]
    async fn a_user_has_one_turn_at_a_time_and_other_users_have_theirs() {
        let turns = Turns::default();
        let first = turns.turn("alice", LONG).await;
        assert!(first._taken.is_some());
        assert!(turns.turn("bob", LONG).await._taken.is_some());
        assert!(turns.turn("alice", SHORT).await._taken.is_none(), "patience ends");
        let second = tokio::spawn({
            let turns = turns.clone();
            async move { turns.turn("alice", LONG).await._taken.is_some() }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        assert!(second.await.unwrap());
    }

    #[tokio::test]
    async fn a_queue_goes_with_the_last_place() {
        let turns = Turns::default();
        let first = turns.turn("alice", LONG).await;
        drop(turns.turn("alice", SHORT).await);
        // One that is given up while it waits.
        tokio::time::timeout(SHORT, turns.turn("alice", LONG)).await.err().unwrap();
        assert_eq!(turns.queues().len(), 1);
        drop(first);
        assert_eq!(turns.queues().len(), 0);
    }
}
