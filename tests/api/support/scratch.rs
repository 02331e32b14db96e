//! A database of its own for tests that change the schema or the policies: each runs in a transaction that is taken back,
//! one after another, and the API never looks there.

use std::ops::Deref;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use errand_postgres::connect::create_database;
use errand_postgres::migrate;

use errand_testing::RUNTIME;
use errand_testing::session::Session;

use super::target::{migrations, target};

/// A transaction of the administrator's in the migrated, empty database.
pub struct Scratch(MutexGuard<'static, Session>);

/// Begins the transaction.
pub fn scratch() -> Scratch {
    static SESSION: LazyLock<Mutex<Session>> = LazyLock::new(|| {
        // First the other database: two migrators may not alter the same role at once.
        let admin = target().admin();
        let address = RUNTIME.block_on(async {
            let name = format!("errand_scratch_{}", std::process::id());
            let address = create_database(admin, &name).await.unwrap();
            migrate::migrate(&address, &migrations()).await.unwrap();
            address
        });
        Mutex::new(Session::open(&address))
    });
    let session = SESSION.lock().unwrap_or_else(PoisonError::into_inner);
    session.rows("rollback; begin");
    Scratch(session)
}

impl Deref for Scratch {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = self.0.run("rollback");
    }
}
