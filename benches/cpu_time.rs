//! The thread's own time: what else runs on the machine is left out as far as can be.

use nix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// CPU time of this thread since it began.
pub fn cpu_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("every Linux has it").into()
}

/// CPU time that `work` takes.
pub fn spent(work: impl FnOnce()) -> Duration {
    let start = cpu_time();
    work();
    cpu_time() - start
}
