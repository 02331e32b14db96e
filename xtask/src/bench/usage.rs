//! Processor time and memory of processes, as Linux tells them in /proc.

use std::{collections::HashMap, fs};

use serde::Serialize;

/// What processes have used, and hold now.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Usage {
    /// Microseconds of processor time.
    pub(crate) cpu_micros: u64,
    /// Memory in KiB; what several processes share is divided among them (PSS).
    pub(crate) memory_kib: u64,
}

/// Which processes are looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Processes {
    /// This one and all below it.
    Tree(u32),
    /// The processes of a PostgreSQL server that serve clients of this database. The number is the postmaster's.
    Database(u32, &'static str),
}

/// The processor time of processes at one moment, to be compared with a later one.
#[derive(Debug)]
pub(crate) struct Look {
    processes: Processes,
    /// Microseconds of each process.
    each: HashMap<u32, u64>,
}

impl Look {
    /// Looks at them. `None` where there is no /proc.
    pub(crate) fn at(processes: Processes) -> Option<Self> {
        let each = found(processes)?.into_iter().map(|(pid, ticks)| (pid, micros(pid, ticks))).collect();
        Some(Self { processes, each })
    }

    /// What they have used since this look, and hold. What a process of a database used before it ended is missing; that of a tree is in
    /// the figure of its parent.
    ///
    /// Reading what a process holds takes milliseconds where much of it is shared: too long for each of PostgreSQL's, of which there is
    /// one for each connection.
    pub(crate) fn used(&self) -> Option<Usage> {
        let now = Self::at(self.processes)?;
        let memory_kib = now.each.keys().map(|pid| memory(*pid)).sum();
        Some(Usage { cpu_micros: self.until(&now), memory_kib })
    }

    /// Microseconds of processor time since this look.
    pub(crate) fn spent(&self) -> Option<u64> {
        Some(self.until(&Self::at(self.processes)?))
    }

    fn until(&self, now: &Self) -> u64 {
        let before = |pid| self.each.get(pid).copied().unwrap_or_default();
        let grown: u64 = now.each.iter().map(|(pid, micros)| micros.saturating_sub(before(pid))).sum();
        let ended = self.each.iter().filter(|(pid, _)| !now.each.contains_key(*pid));
        match self.processes {
            Processes::Tree(_) => grown.saturating_sub(ended.map(|(_, micros)| micros).sum()),
            Processes::Database(..) => grown,
        }
    }
}

fn micros(pid: u32, ticks: Ticks) -> u64 {
    (ticks.own * tick_micros()).max(scheduled_micros(pid)) + ticks.children * tick_micros()
}

/// The ids of these processes.
pub(crate) fn pids(processes: Processes) -> Vec<u32> {
    found(processes).unwrap_or_default().into_iter().map(|(pid, _)| pid).collect()
}

/// The ids of their threads. The threads of the postmaster are among those of a database, because it starts the processes that serve
/// clients.
pub(crate) fn threads(processes: Processes) -> Vec<i32> {
    let mut pids = pids(processes);
    if let Processes::Database(postmaster, _) = processes {
        pids.push(postmaster);
    }
    let tasks =
        pids.into_iter().flat_map(|pid| fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten());
    tasks.filter_map(|task| task.file_name().to_str()?.parse().ok()).collect()
}

fn found(processes: Processes) -> Option<Vec<(u32, Ticks)>> {
    let (root, database) = match processes {
        Processes::Tree(root) => (root, None),
        Processes::Database(root, database) => (root, Some(database)),
    };
    let mut found = tree(root)?;
    if let Some(database) = database {
        found.retain(|(pid, _)| {
            fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|title| serves(&title, database))
        });
    }
    Some(found)
}

/// Whether the title of a process is that of one that serves a client: `postgres: ROLE DATABASE HOST(PORT) ACTIVITY`, with the
/// name of the cluster before the role where it has one (PostgreSQL manual, section 28.1). Others, such as an autovacuum worker,
/// have no host.
fn serves(title: &str, database: &str) -> bool {
    let Some(words) = title.strip_prefix("postgres: ") else { return false };
    let mut words = words.split([' ', '\0']).skip(1).skip_while(|word| *word != database);
    words.nth(1).is_some_and(|host| host == "[local]" || host.ends_with(')'))
}

/// Processor time in ticks of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ticks {
    own: u64,
    /// Of children that have ended and were waited for.
    children: u64,
}

fn tree(root: u32) -> Option<Vec<(u32, Ticks)>> {
    let mut stats: HashMap<u32, (u32, Ticks)> = HashMap::new();
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Some(stat) = fs::read_to_string(entry.path().join("stat")).ok().and_then(|text| parent_and_ticks(&text))
        {
            stats.insert(pid, stat);
        }
    }
    let mut found = Vec::new();
    let mut waiting = vec![root];
    while let Some(pid) = waiting.pop() {
        let Some((_, ticks)) = stats.get(&pid) else { continue };
        found.push((pid, *ticks));
        waiting.extend(stats.iter().filter(|(_, (parent, _))| *parent == pid).map(|(child, _)| *child));
    }
    Some(found)
}

fn tick_micros() -> u64 {
    1_000_000 / rustix::param::clock_ticks_per_second().max(1)
}

/// What the threads that run now have used, to the nanosecond: a tick is 10 ms, and rounded down for each of many processes
/// it hides a few percent. Threads that have ended are in the ticks alone, so the larger of the two figures is right.
fn scheduled_micros(pid: u32) -> u64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let nanos = threads.filter_map(|thread| first_number(&fs::read_to_string(thread.path().join("schedstat")).ok()?));
    nanos.sum::<u64>() / 1_000
}

/// The first field of /proc/PID/schedstat: nanoseconds on a processor.
fn first_number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

/// Fields 4 and 14 to 17 of proc_pid_stat(5). The name in field 2 may hold anything but ends with the last parenthesis.
fn parent_and_ticks(stat: &str) -> Option<(u32, Ticks)> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok());
    let parent = u32::try_from(number(1)?).ok()?;
    Some((parent, Ticks { own: number(11)? + number(12)?, children: number(13)? + number(14)? }))
}

/// The proportional set size, else the resident one, which everybody may read.
fn memory(pid: u32) -> u64 {
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().trim_end_matches("kB").trim().parse().ok()
    };
    field("smaps_rollup", "Pss:").or_else(|| field("status", "VmRSS:")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_confuse() {
        let stat = "7 (a) (b)) S 3 7 7 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1 0 5";
        assert_eq!(parent_and_ticks(stat), Some((3, Ticks { own: 30, children: 70 })));
    }

    #[test]
    fn a_process_serves_the_database_that_its_title_names() {
        let serves = |title| serves(title, "bench_run");
        assert!(serves("postgres: errand_app bench_run 127.0.0.1(55134) idle\0\0\0"));
        assert!(serves("postgres: 15/main: errand_app bench_run 127.0.0.1(55134) idle"));
        for other in [
            "postgres: errand_app bench_run_other 127.0.0.1(55134) idle",
            "postgres: bench_run other 127.0.0.1(55134) idle",
            "postgres: autovacuum worker bench_run",
            "postgres: checkpointer ",
            "/usr/lib/postgresql/15/bin/postgres\0-D\0bench_run\0",
            "",
        ] {
            assert!(!serves(other), "{other}");
        }
    }

    #[test]
    fn a_process_that_ends_takes_nothing_from_the_others() {
        let look = |processes, each: &[(u32, u64)]| Look { processes, each: each.iter().copied().collect() };
        let of = |processes| {
            look(processes, &[(1, 500), (2, 3_000), (3, 40)]).until(&look(processes, &[(1, 600), (3, 50), (4, 7)]))
        };
        assert_eq!(of(Processes::Database(1, "bench_run")), 117);
        // The first process has waited for the second one, whose time is in its own now.
        let tree = Processes::Tree(1);
        let [before, after] = [[(1, 500), (2, 3_000)].as_slice(), &[(1, 3_510)]].map(|each| look(tree, each));
        assert_eq!(before.until(&after), 10);
    }

    #[test]
    fn nanoseconds_are_the_first_field() {
        assert_eq!(first_number("1234567 89 10\n"), Some(1_234_567));
        assert_eq!(first_number(""), None);
    }

    #[test]
    fn this_process_uses_something() {
        let usage = Look::at(Processes::Tree(std::process::id())).and_then(|look| look.used());
        assert!(usage.is_none_or(|usage| usage.memory_kib > 100), "{usage:?}");
    }
}
