//! errand's development tasks. `cargo xtask --help` lists them; one file per command.

mod bench;
mod build;
mod check;
mod contract;
mod coverage;
mod db;
mod dist;
mod faults;
mod fuzz;
mod issuer;
mod manifests;
mod mutants;
mod openapi;
mod sql;
mod test;
mod token;
mod up;

mod budget;
mod database;
mod deploy;
mod dotenv;
mod embedded;
mod http;
mod live;
mod outside;
mod pooler;
mod process;
mod python;
mod runtime;
mod settings;
mod toolchain;
mod tools;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// errand's development tasks.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Up(up::Up),
    Token(token::Token),
    Issuer(issuer::Issuer),
    Db(db::Db),
    Build(build::Build),
    Openapi(openapi::Openapi),
    Contract(contract::Contract),
    Manifests(manifests::Manifests),
    Sql(sql::Sql),
    Test(test::Test),
    Dist(dist::Dist),
    Soak(faults::Soak),
    Check(check::Check),
    Coverage(coverage::Coverage),
    Fuzz(fuzz::Fuzz),
    Bench(bench::Bench),
    Mutants(mutants::Mutants),
    #[command(hide = true)]
    MutantsRunner(mutants::runner::Runner),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Up(up) => up.run().await,
        Command::Token(token) => token.run(),
        Command::Issuer(issuer) => issuer.run().await,
        Command::Db(db) => db.run().await,
        Command::Build(build) => build.run().await,
        Command::Openapi(openapi) => openapi.run().await,
        Command::Contract(contract) => contract.run(),
        Command::Manifests(manifests) => manifests.run().await,
        Command::Sql(sql) => sql.run(),
        Command::Test(test) => test.run().await,
        Command::Dist(dist) => dist.run().await,
        Command::Soak(soak) => soak.run().await,
        Command::Check(check) => check.run().await,
        Command::Coverage(coverage) => coverage.run().await,
        Command::Fuzz(fuzz) => fuzz.run().await,
        Command::Bench(bench) => bench.run().await,
        Command::Mutants(mutants) => mutants.run().await,
        Command::MutantsRunner(runner) => runner.run().await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => embedded::retry(&error).await.unwrap_or_else(|| match error.downcast_ref::<test::NotRun>() {
            Some(why) => {
                eprintln!("errand: {why}");
                ExitCode::from(test::NotRun::CODE)
            }
            None => {
                eprintln!("error: {error:#}");
                ExitCode::FAILURE
            }
        }),
    }
}
