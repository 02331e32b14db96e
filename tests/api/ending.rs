//! The tests' own servers end with their tests. What stands for Spin here is a script that starts a child, as `spin up`
//! does, because Spin itself is rarely installed.

use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, test_kill_process_group};

use crate::support::{Ending, Process, Runs};

/// The child ignores SIGINT, as a shell's background jobs do.
const SPIN: &str = "sleep 600 & echo Serving http://127.0.0.1:1; wait";

#[test]
fn nothing_of_a_server_runs_on_after_its_test() {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", SPIN]);
    let process = Process::start(command, &[], Ending::Group(Duration::from_millis(100)), drop);
    assert_eq!(process.url(), "http://127.0.0.1:1");
    let group = Pid::from_raw(process.id().try_into().unwrap()).unwrap();
    drop(process);
    assert!(test_kill_process_group(group).is_err(), "the server's child runs on");
}
