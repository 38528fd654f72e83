//! This process.

use super::{count, set};
use crate::sink::metrics::{names, process};

pub(super) fn fill() {
    let seen = process::read();
    for (metric, value) in
        [(&names::MEMORY, seen.resident), (&names::OPEN_FDS, seen.open_fds), (&names::MAX_FDS, seen.max_fds)]
    {
        if let Some(value) = value {
            set(metric, &[], value as f64);
        }
    }
    if let Some(seconds) = seen.cpu_seconds {
        count(&names::CPU_SECONDS, &[], seconds);
    }
}
