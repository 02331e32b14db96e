//! A running errand, and one in a process of its own.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use errand::Config;
use errand_postgres::group::GroupGuard;

use crate::checkout;

/// A running errand.
pub trait Runs: Send + Sync {
    /// Where it listens: scheme and authority.
    fn url(&self) -> &str;
}

/// Sets errand's variables in the environment of a server. A variable that is not in the list is set to the empty string, so that the
/// checkout's `.env` has no effect.
pub fn set(command: &mut Command, variables: &[(&'static str, String)]) {
    let variable = |name: &str| format!("SPIN_VARIABLE_{}", name.to_uppercase());
    command.envs(Config::names().map(|name| (variable(name), "")));
    command.envs(variables.iter().map(|(name, value)| (variable(name), value)));
}

/// A server in a process of its own.
pub struct Process {
    url: String,
    /// Its standard input is held open: when this process goes, the local host sees the end of it and goes too.
    child: Child,
    /// Spin does not look at its standard input, and what serves is a child of it.
    guard: Option<GroupGuard>,
}

/// How a server is ended.
pub enum Ending {
    /// It is one process.
    Kill,
    /// It is asked to stop, with its children, and has so long for it.
    Group(Duration),
}

impl Process {
    /// Starts it in a process group of its own, and waits until it says where it serves.
    ///
    /// `log` gets the lines of its standard error.
    pub fn start(
        mut command: Command,
        variables: &[(&'static str, String)],
        ending: Ending,
        log: impl Fn(String) + Send + 'static,
    ) -> Self {
        set(&mut command, variables);
        command.current_dir(checkout());
        // As some operators have it; the log is to be as short with it.
        command.env("RUST_BACKTRACE", "1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let child = command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let guard = match ending {
            Ending::Kill => None,
            Ending::Group(patience) => Some(GroupGuard::of(child.id(), patience).unwrap()),
        };
        // From here on it ends with this value, whatever fails.
        let mut process = Self { url: String::new(), child, guard };
        let lines = BufReader::new(process.child.stderr.take().unwrap()).lines();
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(log));
        let mut lines = BufReader::new(process.child.stdout.take().unwrap()).lines();
        process.url = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once("Serving ")?.1.trim().to_owned()))
            .expect("the server stopped before it served; its messages are above");
        // Read on, so that the server never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        process
    }

    /// Its process, and the group that this leads.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Runs for Process {
    fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        match &mut self.guard {
            None => _ = self.child.kill(),
            Some(guard) => guard.release(),
        }
        _ = self.child.wait();
    }
}
