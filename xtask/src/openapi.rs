//! `cargo xtask openapi`: the committed description of the API.

use anyhow::Result;
use clap::Args;

use crate::{
    process::{self, LONG},
    test::cargo_test,
};

/// Write openapi.json anew from the code
///
/// The copy is committed, and served by the component; a test fails when it is not what the code says.
#[derive(Args)]
pub(crate) struct Openapi {}

impl Openapi {
    pub(crate) async fn run(self) -> Result<()> {
        let test = ["--test", "openapi", "--quiet", "--", "the_committed_copy_is_what_the_code_says"];
        let mut command = cargo_test(&test.map(str::to_owned))?;
        command.env("ERRAND_WRITE_OPENAPI", "1");
        process::run(command, LONG).await
    }
}
