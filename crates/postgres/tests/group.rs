//! Programs that start children and do not end them: the whole group ends with its owner.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use errand_postgres::group::GroupGuard;
use rustix::process::{Pid, Signal, kill_process, test_kill_process_group};

/// A program whose child goes on when Ctrl-C ends the program alone: a shell's background jobs ignore it.
const CARELESS: &str = "sleep 600 & echo started; wait";
/// A program that says that it was asked, and takes its child with it. It waits for a moment at a time, because a signal that reaches a
/// shell just before `wait` begins is noticed at its end.
const ORDERLY: &str =
    "trap 'echo asked; kill $child; exit' INT; sleep 600 & child=$!; echo started; while :; do sleep 0.1; done";

/// Set for the process that [`the_group_of_an_owner_that_is_killed_ends`] starts: own a group, until you are killed.
const OWNER: &str = "ERRAND_TEST_OWNS_A_GROUP";

fn start(script: &str) -> (Child, BufReader<ChildStdout>) {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
    let mut child = command.spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "started\n");
    (child, output)
}

fn is_there(leader: u32) -> bool {
    test_kill_process_group(Pid::from_raw(leader.try_into().unwrap()).unwrap()).is_ok()
}

#[test]
fn a_group_is_asked_to_stop_before_it_is_ended() {
    let (mut child, mut output) = start(ORDERLY);
    // So patient that the test would take too long if nothing came of the question.
    let mut guard = GroupGuard::of(child.id(), Duration::from_secs(60)).unwrap();
    guard.release();
    child.wait().unwrap();
    drop(guard);
    let mut told = String::new();
    output.read_to_string(&mut told).unwrap();
    assert_eq!(told, "asked\n");
    assert!(!is_there(child.id()));
}

#[test]
fn children_that_do_not_stop_are_ended() {
    let (mut child, _output) = start(CARELESS);
    let mut guard = GroupGuard::of(child.id(), Duration::from_millis(200)).unwrap();
    guard.release();
    child.wait().unwrap();
    drop(guard);
    assert!(!is_there(child.id()));
}

#[test]
fn the_group_of_an_owner_that_is_killed_ends() {
    if std::env::var_os(OWNER).is_some() {
        let (mut child, _output) = start(CARELESS);
        let _guard = GroupGuard::of(child.id(), Duration::from_millis(200)).unwrap();
        eprintln!("group {}", child.id());
        child.wait().unwrap();
        panic!("the owner was to be killed first");
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "--nocapture", "the_group_of_an_owner_that_is_killed_ends"]);
    let mut owner = command.env(OWNER, "1").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(owner.stderr.take().unwrap()).lines().map_while(Result::ok);
    let leader = lines.filter_map(|line| line.strip_prefix("group ")?.parse().ok()).next().unwrap();
    assert!(is_there(leader));
    kill_process(Pid::from_child(&owner), Signal::KILL).unwrap();
    owner.wait().unwrap();
    let begun = Instant::now();
    while is_there(leader) {
        assert!(begun.elapsed() < Duration::from_secs(30), "group {leader} goes on");
        sleep(Duration::from_millis(20));
    }
}
