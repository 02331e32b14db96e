//! Instructions of processes as the processor counts them, by `perf stat`. They depend on nothing else that runs, but virtual
//! machines and containers often do not let them be counted.

use std::{fs, path::PathBuf};

use anyhow::Result;
use tokio::process::Command;

use super::{usage, usage::Processes};
use crate::{
    process::{self, BRIEF},
    workspace,
};

/// The user's and the kernel's, and where only the former are allowed, those.
const EVENTS: [&str; 2] = ["instructions", "instructions:u"];

/// A counter that works here.
#[derive(Debug)]
pub(crate) struct Instructions {
    event: &'static str,
    told: PathBuf,
}

impl Instructions {
    /// Tries it.
    pub(crate) async fn find() -> Option<Self> {
        let told = workspace::root().ok()?.join("target/bench/perf.csv");
        for event in EVENTS {
            let counter = Self { event, told: told.clone() };
            let mut command = workspace::program("perf").ok()?;
            command.args(["stat", "--field-separator", ",", "--event", event, "--output"]).arg(&told).arg("true");
            process::capture(command, BRIEF).await;
            if counter.counted().is_some() {
                return Some(counter);
            }
        }
        None
    }

    /// The same with a file of its own, for what is counted at the same time.
    pub(crate) fn beside(&self) -> Self {
        Self { event: self.event, told: self.told.with_file_name("perf-beside.csv") }
    }

    /// A command that counts, for as long as the program runs, what these processes and their children do meanwhile.
    /// The program's arguments follow.
    pub(crate) fn during(&self, program: &str, processes: &[Option<Processes>]) -> Result<Command> {
        let pids: Vec<String> =
            processes.iter().flatten().flat_map(|these| usage::pids(*these)).map(|pid| pid.to_string()).collect();
        let _ = fs::remove_file(&self.told);
        let mut command = workspace::program("perf")?;
        command.args(["stat", "--field-separator", ",", "--event", self.event, "--output"]).arg(&self.told);
        command.args(["--pid", &pids.join(","), "--", program]);
        Ok(command)
    }

    /// What the last command has counted.
    pub(crate) fn counted(&self) -> Option<u64> {
        count(&fs::read_to_string(&self.told).ok()?)
    }

    pub(crate) fn event(&self) -> &'static str {
        self.event
    }
}

/// The value of the only event: `48211,,instructions,1000,100.00,,`, or `<not supported>,,...`.
fn count(csv: &str) -> Option<u64> {
    let line = csv.lines().find(|line| !line.is_empty() && !line.starts_with('#'))?;
    line.split(',').next()?.parse().ok().filter(|count| *count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_read_and_its_absence_noticed() {
        let head = "# started on Thu Nov 26 03:30:38 2026\n\n";
        assert_eq!(count(&format!("{head}48211,,instructions,1000,100.00,,\n")), Some(48_211));
        assert_eq!(count(&format!("{head}<not supported>,,instructions,0,100.00,,\n")), None);
        assert_eq!(count(&format!("{head}<not counted>,,instructions,0,100.00,,\n")), None);
        assert_eq!(count(""), None);
    }
}
