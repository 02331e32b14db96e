//! On which processor both sides run.
//!
//! The processors of a virtual machine are not equally fast, because each shares a core with another guest. If each side had its own
//! processor, the faster one would look like the better commit. So both sides run on one processor, and the load generators on the
//! others.

use rustix::{
    process::Pid,
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};

use crate::bench::usage::{self, Processes};

/// The processors of this machine.
#[derive(Debug)]
pub(crate) struct Processors {
    all: CpuSet,
    numbers: Vec<usize>,
}

impl Processors {
    /// The processors that this process may use. `None` if there is only one, or if they are not told.
    pub(crate) fn find() -> Option<Self> {
        let all = sched_getaffinity(None).ok()?;
        let numbers: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|number| all.is_set(*number)).collect();
        (numbers.len() > 1).then_some(Self { all, numbers })
    }

    /// Moves all threads of these processes to one processor, and another one at the next turn. What they start later stays there, too.
    pub(crate) fn gather(&self, processes: &[Processes], turn: u32) {
        let mut one = CpuSet::new();
        let place = turn as usize % self.numbers.len();
        one.set(self.numbers.get(place).copied().unwrap_or_default());
        place_on(&one, processes);
    }

    /// Lets these processes run everywhere again.
    pub(crate) fn release(&self, processes: &[Processes]) {
        place_on(&self.all, processes);
    }
}

/// A process that has ended, or is another user's, stays as it is.
fn place_on(set: &CpuSet, processes: &[Processes]) {
    for thread in processes.iter().flat_map(|processes| usage::threads(*processes)) {
        if let Some(thread) = Pid::from_raw(thread) {
            let _ = sched_setaffinity(Some(thread), set);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn processes_are_moved_to_one_processor_and_back() {
        let Some(processors) = Processors::find() else { return };
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let pid = Pid::from_child(&child);
        let processes = [Processes::Tree(child.id())];
        let mut places = Vec::new();
        for turn in 0..3 {
            processors.gather(&processes, turn);
            let set = sched_getaffinity(Some(pid)).unwrap();
            assert_eq!(set.count(), 1);
            places.push(set);
        }
        assert_ne!(places[0], places[1]);
        assert_eq!(places[0], places[2 % processors.numbers.len()]);
        processors.release(&processes);
        assert_eq!(sched_getaffinity(Some(pid)).unwrap(), processors.all);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
