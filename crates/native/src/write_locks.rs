//! Per-user write locks of this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::timeout;

/// The locks of all users that have writes in flight.
#[derive(Clone, Default)]
pub(crate) struct WriteLocks(Arc<Mutex<UserLocks>>);

type UserLocks = HashMap<String, UserLock>;
/// The lock of one user. It is fair: the first that waits is the first to get it.
type UserLock = Arc<tokio::sync::Mutex<()>>;

/// A write in flight, with the lock of its user. Dropping it releases the lock.
pub(crate) struct WriteGuard {
    /// `None` after a timeout. Dropped before the reference.
    _guard: Option<OwnedMutexGuard<()>>,
    _reference: Reference,
}

/// A reference to the lock of a user. Dropping the last one removes the lock.
struct Reference {
    locks: WriteLocks,
    user: String,
    /// `None` only while it is dropped.
    lock: Option<UserLock>,
}

impl WriteLocks {
    /// Waits until all earlier writes of this user have ended, until the timeout.
    pub(crate) async fn lock(&self, user: &str, limit: Duration) -> WriteGuard {
        let lock = Arc::clone(self.users().entry(user.to_owned()).or_default());
        let reference = Reference { locks: self.clone(), user: user.to_owned(), lock: Some(Arc::clone(&lock)) };
        let guard = timeout(limit, lock.lock_owned()).await.ok();
        WriteGuard { _guard: guard, _reference: reference }
    }

    fn users(&self) -> MutexGuard<'_, UserLocks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        let mut users = self.locks.users();
        // Released under the lock of the map, so that the later of two concurrent drops finds itself the last.
        self.lock = None;
        if users.get(&self.user).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            users.remove(&self.user);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(1);

    #[tokio::test]
    async fn a_lock_excludes_other_writes_of_its_user_and_no_others() {
        let locks = WriteLocks::default();
        let first = locks.lock("alice", LONG).await;
        assert!(first._guard.is_some());
        assert!(locks.lock("bob", LONG).await._guard.is_some());
        assert!(locks.lock("alice", SHORT).await._guard.is_none(), "timeout");
        let second = tokio::spawn({
            let locks = locks.clone();
            async move { locks.lock("alice", LONG).await._guard.is_some() }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        assert!(second.await.unwrap());
    }

    #[tokio::test]
    async fn the_last_reference_removes_the_lock() {
        let locks = WriteLocks::default();
        let first = locks.lock("alice", LONG).await;
        drop(locks.lock("alice", SHORT).await);
        // A request that is cancelled while it waits.
        tokio::time::timeout(SHORT, locks.lock("alice", LONG)).await.err().unwrap();
        assert_eq!(locks.users().len(), 1);
        drop(first);
        assert_eq!(locks.users().len(), 0);
    }
}
