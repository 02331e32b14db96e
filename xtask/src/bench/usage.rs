//! Processor time and memory of a process and its children, as Linux tells them in /proc.

use std::{collections::HashMap, fs};

use serde::Serialize;

/// What a tree of processes has used so far, and holds now.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Usage {
    /// Microseconds of processor time, those of children that have ended included.
    pub(crate) cpu_micros: u64,
    /// Memory in KiB; what several processes share is divided among them (PSS).
    pub(crate) memory_kib: u64,
}

/// The tree below `root`; `None` where there is no /proc.
pub(crate) fn of(root: u32) -> Option<Usage> {
    let mut stats: HashMap<u32, (u32, u64)> = HashMap::new();
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Some(stat) = fs::read_to_string(entry.path().join("stat")).ok().and_then(|text| parent_and_ticks(&text))
        {
            stats.insert(pid, stat);
        }
    }
    let tick = 1_000_000 / rustix::param::clock_ticks_per_second().max(1);
    let mut usage = Usage::default();
    let mut waiting = vec![root];
    while let Some(pid) = waiting.pop() {
        let Some((_, ticks)) = stats.get(&pid) else { continue };
        usage.cpu_micros += ticks * tick;
        usage.memory_kib += memory(pid);
        waiting.extend(stats.iter().filter(|(_, (parent, _))| *parent == pid).map(|(child, _)| *child));
    }
    Some(usage)
}

/// Fields 4 and 14 to 17 of proc_pid_stat(5). The name in field 2 may hold anything but ends with the last parenthesis.
fn parent_and_ticks(stat: &str) -> Option<(u32, u64)> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok());
    let parent = u32::try_from(number(1)?).ok()?;
    Some((parent, number(11)? + number(12)? + number(13)? + number(14)?))
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
        assert_eq!(parent_and_ticks(stat), Some((3, 100)));
    }

    #[test]
    fn this_process_uses_something() {
        let usage = of(std::process::id());
        assert!(usage.is_none_or(|usage| usage.memory_kib > 100), "{usage:?}");
    }
}
