//! What the tests stand on: a target, its database, and a client that reads like a person's.

#[path = "support/client.rs"]
mod client;
#[path = "support/issuer.rs"]
mod issuer;
#[path = "support/scratch.rs"]
mod scratch;
#[path = "support/session.rs"]
mod session;
#[path = "support/signer.rs"]
mod signer;
#[path = "support/target.rs"]
mod target;

pub use client::{Reply, User, anonymous, patiently, token_with};
pub use issuer::{Answer, Issuer, jwks};
pub use scratch::{Scratch, scratch};
pub use session::{Held, Session};
pub use signer::{Signer, base64url, fixture};
pub use target::{
    CORS_ORIGIN, Ending, Process, RUNTIME, Runs, SECRET, Target, kind, log_with, manifest, migrations, target,
};
