//! What is taken from the machine: threads and file descriptors.

use crate::config::settings::Settings;
use tokio::runtime::{Builder, Runtime};

/// The runtime of everything slow.
pub(super) fn control_runtime() -> anyhow::Result<Runtime> {
    Ok(Builder::new_multi_thread().worker_threads(1).thread_name("weir-control").enable_all().build()?)
}

pub(super) fn worker_count(settings: &Settings) -> usize {
    match settings.listen.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => usize::from(n),
    }
}

/// Takes all file descriptors that the system grants; how many.
pub(super) fn raise_descriptors() -> u64 {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return 1024 };
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(_) => soft,
    }
}

/// A connection may need a second descriptor, to the origin; some are kept for everything else.
pub(super) fn connections_within(descriptors: u64) -> u32 {
    u32::try_from(descriptors.saturating_sub(48).max(16) / 2).unwrap_or(u32::MAX)
}
