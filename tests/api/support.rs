//! What the tests stand on: a target, its database, and a client that reads like a person's.

mod client;
mod operation;
mod scratch;
mod target;

pub use client::{Reply, User, anonymous, patiently};
pub use errand_testing::issuer::{Answer, Issuer, jwks};
pub use errand_testing::process::{Ending, Process, Runs};
pub use errand_testing::session::{Held, Session};
pub use errand_testing::signer::{Signer, base64url, fixture};
pub use errand_testing::token::{SECRET, token_with};
pub use errand_testing::{RUNTIME, kind};
pub use operation::{Operation, operations, tell};
pub use scratch::{Scratch, scratch};
pub use target::{CORS_ORIGIN, Target, log_with, manifest, migrations, target};
