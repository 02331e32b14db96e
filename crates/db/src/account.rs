//! `account`: what a data-protection officer asks for.

use std::{
    fs::{self, OpenOptions},
    io::{self, BufRead, BufWriter, IsTerminal, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::{Subcommand, builder::NonEmptyStringValueParser};
use errand_postgres::{
    account::{self, Erasure},
    address::Address,
};

/// Commands on one user's data. The user is the `sub` of their tokens.
#[derive(Debug, Clone, Subcommand)]
pub enum Account {
    /// Write all that is kept of the user as one JSON object
    Export {
        /// The `sub` of the user's tokens
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        user: String,
        /// A new file for it, which only you may read; without it, standard output
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Delete all that is kept of the user; if it is ended early, run it again
    Erase {
        /// The `sub` of the user's tokens
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        user: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

impl Account {
    pub(crate) async fn run(&self, address: &Address) -> Result<()> {
        match self {
            Self::Export { user, output } => export(address, user, output.as_deref()).await,
            Self::Erase { user, yes } => erase(address, user, *yes, io::stdin().is_terminal()).await,
        }
    }
}

async fn export(address: &Address, user: &str, output: Option<&Path>) -> Result<()> {
    let rows = match output {
        None => account::export(address, user, &mut BufWriter::new(io::stdout().lock())).await?,
        Some(path) => {
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
            let file = file.with_context(|| format!("{} could not be created", path.display()))?;
            match account::export(address, user, &mut BufWriter::new(file)).await {
                Ok(rows) => rows,
                Err(error) => {
                    // A part of a document could be taken for all of it.
                    fs::remove_file(path)
                        .with_context(|| format!("{} has a part of the export only", path.display()))?;
                    return Err(error);
                }
            }
        }
    };
    match rows {
        // An answer, too, so no error.
        0 => eprintln!("errand: {address} keeps nothing of {user:?}; the tables of the export are empty"),
        _ => eprintln!("errand: exported {rows} rows of {user:?} from {address}"),
    }
    Ok(())
}

async fn erase(address: &Address, user: &str, yes: bool, terminal: bool) -> Result<()> {
    const REPORT_INTERVAL: Duration = Duration::from_secs(2);
    if !yes {
        if !terminal {
            bail!("this deletes all that {address} keeps of {user:?}; say --yes if that is meant");
        }
        let counts = account::count(address, user).await?;
        let counts: Vec<_> = counts.iter().map(|(table, rows)| format!("{table} {rows}")).collect();
        eprintln!("{address} has these rows of {user:?}: {}", counts.join(", "));
        if !confirmed(user, &mut io::stdin().lock())? {
            bail!("nothing was deleted");
        }
    }
    let mut told = Instant::now();
    let erased = account::erase(address, user, |erased| {
        if told.elapsed() > REPORT_INTERVAL {
            told = Instant::now();
            eprintln!("errand: deleted {} rows", erased.rows());
        }
        true
    })
    .await
    .context("what was deleted is gone; run it again for the rest")?;
    println!("{}", report(address, user, &erased));
    Ok(())
}

/// Whether the next line is the user's id.
fn confirmed(user: &str, input: &mut impl BufRead) -> Result<bool> {
    eprint!("Type the user's id to delete them: ");
    io::stderr().flush()?;
    let mut line = String::new();
    input.read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']) == user)
}

fn report(address: &Address, user: &str, erased: &Erasure) -> String {
    if erased.rows() == 0 {
        return format!("{address} kept nothing of {user:?}");
    }
    let tables: Vec<_> = erased.0.iter().map(|(table, rows)| format!("{rows} of {table}")).collect();
    format!("{address} keeps nothing of {user:?} any more; rows deleted: {}", tables.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_users_id_confirms() {
        for (typed, expected) in [
            ("alice\n", true),
            ("alice\r\n", true),
            ("alice", true),
            ("y\n", false),
            ("Alice\n", false),
            ("\n", false),
            ("", false),
        ] {
            assert_eq!(confirmed("alice", &mut typed.as_bytes()).unwrap(), expected, "{typed:?}");
        }
    }

    #[tokio::test]
    async fn without_a_terminal_an_erasure_must_be_meant() {
        // Nothing listens there, so that it fails in another way if it does not refuse.
        let address = Address::parse("postgres://u@127.0.0.1:1/db").unwrap();
        let told = format!("{:#}", erase(&address, "alice", false, false).await.unwrap_err());
        assert!(told.contains("--yes") && told.contains("alice"), "{told}");
        let told = format!("{:#}", erase(&address, "alice", true, false).await.unwrap_err());
        assert!(told.contains("could not connect"), "{told}");
    }

    #[tokio::test]
    async fn an_export_that_fails_leaves_no_file_and_one_that_is_there_stays() {
        let address = Address::parse("postgres://u@127.0.0.1:1/db").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alice.json");
        export(&address, "alice", Some(&path)).await.unwrap_err();
        assert!(!path.exists());
        fs::write(&path, "another").unwrap();
        let told = format!("{:#}", export(&address, "alice", Some(&path)).await.unwrap_err());
        assert!(told.contains("could not be created"), "{told}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "another");
    }
}
