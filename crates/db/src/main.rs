//! `errand-db`: errand's database in production, where there is neither cargo nor a checkout.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use errand_db::{Command, Embedded, doctor};
use errand_postgres::{address::Address, role, secret};

/// Migrate, inspect and examine errand's database.
///
/// The migrations are in this program. It works with the database's administrator, but for `doctor`, which takes the component's login.
#[derive(Parser)]
#[command(name = "errand-db", version, arg_required_else_help = true)]
struct Cli {
    /// The administrator's connection string
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL", global = true)]
    database_url: Option<String>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    #[command(flatten)]
    Shared(Command),
    Doctor(Doctor),
    Password(Password),
}

/// Examine the way from the component to its database: TLS, pooler, role, time limits, versions
#[derive(Args)]
struct Doctor {
    /// The component's connection string
    #[arg(env = APP_URL, hide_env_values = true, value_name = "URL")]
    url: String,
}

/// Give a login of the component's a new password, and print its connection string
#[derive(Args)]
struct Password {
    /// Which of the two logins; the other one goes on
    #[arg(long, default_value = role::APP_ROLE, value_parser = role::LOGINS)]
    login: String,
    /// Instead: let this login log in no more
    #[arg(long)]
    retire: bool,
}

/// The component's connection string, as Spin reads it from the environment.
const APP_URL: &str = "SPIN_VARIABLE_DATABASE_URL";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<()> {
    let admin = || {
        let url = cli.database_url.as_deref().filter(|url| !url.is_empty());
        let url = url.context("which database? Set DATABASE_URL, or say --database-url")?;
        Address::parse(url).context("the administrator's connection string is of no use")
    };
    match cli.action {
        Action::Shared(command) => {
            command.run(&admin()?, &Embedded).await?;
            match std::env::var(APP_URL) {
                // What was migrated is to be served, so it is examined as the component will see it.
                Ok(url) if matches!(command, Command::Migrate) && !url.is_empty() => examine(&url).await,
                _ => Ok(()),
            }
        }
        Action::Doctor(Doctor { url }) => examine(&url).await,
        Action::Password(Password { login, retire }) => {
            let admin = admin()?;
            if retire {
                role::lock_out(&admin, &login).await?;
                println!("{login} can log in no more");
            } else {
                println!("{}", role::ensure_login(&admin, &login, &secret::hex(24)?).await?);
            }
            Ok(())
        }
    }
}

async fn examine(url: &str) -> Result<()> {
    let address = Address::parse(url).context("the component's connection string is of no use")?;
    match doctor::examine_aloud(&address).await? {
        0 => Ok(()),
        1 => bail!("1 thing is wrong with {address}"),
        several => bail!("{several} things are wrong with {address}"),
    }
}
