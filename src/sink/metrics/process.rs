//! What the kernel knows about this process.

use std::fs;

/// Figures of /proc/self; `None` where they can't be read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Process {
    /// Resident memory in bytes.
    pub(super) resident: Option<u64>,
    /// Open file descriptors.
    pub(super) open_fds: Option<u64>,
    /// The soft bound of open file descriptors.
    pub(super) max_fds: Option<u64>,
    /// Processor time in whole seconds.
    pub(super) cpu_seconds: Option<u64>,
}

/// Clock ticks a second in /proc: part of the kernel's interface on every platform that Rust builds for.
const USER_HZ: u64 = 100;

/// Reads them now.
pub(super) fn read() -> Process {
    let text = |name: &str| fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
    Process {
        resident: resident(&text("status")),
        open_fds: open_fds(),
        max_fds: max_fds(&text("limits")),
        cpu_seconds: cpu_seconds(&text("stat")),
    }
}

/// The size of their folder is their number since Linux 6.2; before that it is 0, and they are counted one by one.
fn open_fds() -> Option<u64> {
    match fs::metadata("/proc/self/fd").ok()?.len() {
        0 => fs::read_dir("/proc/self/fd").ok().map(|entries| entries.count() as u64),
        number => Some(number),
    }
}

fn resident(status: &str) -> Option<u64> {
    let kib = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?.trim().strip_suffix(" kB")?;
    Some(kib.parse::<u64>().ok()? * 1024)
}

fn max_fds(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|l| l.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Fields 14 and 15, user and system time; the name in field 2 may itself hold spaces and brackets.
fn cpu_seconds(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((user + system) / USER_HZ)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_all_figures() {
        let seen = read();
        assert!(seen.resident.is_some_and(|b| b > 100_000));
        assert!(seen.open_fds.is_some_and(|n| n > 2));
        assert!(seen.max_fds.is_some_and(|n| n > 2));
        assert!(seen.cpu_seconds.is_some());
    }

    #[test]
    fn a_name_with_brackets_is_no_trouble() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 1 0 0 0 250 150 0 0 20 0 1 0 5 6 7";
        assert_eq!(cpu_seconds(stat), Some(4));
        assert_eq!(cpu_seconds("nonsense"), None);
    }
}
