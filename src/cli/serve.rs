//! `weir serve`: start, wait for signals, drain.

use super::exit::{Code, Failure};
use crate::app::{self, App, StartError};
use std::path::Path;
use tokio::signal::unix::{SignalKind, signal};

/// Serves until SIGTERM or SIGINT.
pub fn run(config: &Path) -> anyhow::Result<()> {
    if let Err(e) = std::fs::File::open(config) {
        let message = format!("{}: cannot be read: {e}; name a config with --config FILE", config.display());
        return Err(Failure::new(Code::NoInput, message).into());
    }
    let app = app::start(config).map_err(|e| match e {
        StartError::Config(_) => Failure::new(Code::Config, e.to_string()),
        StartError::Bind(_) => Failure::new(Code::Unavailable, e.to_string()),
        StartError::System(_) => Failure::new(Code::System, e.to_string()),
    })?;
    eprintln!("{}", app::banner(&app));
    wait(&app)?;
    std::thread::spawn(end_at_once_if_told_again);
    if !app.drain() {
        tracing::warn!("some requests were cut: they took longer than listen.drain_timeout");
    }
    Ok(())
}

/// Until told to stop; SIGHUP reloads meanwhile.
fn wait(app: &App) -> anyhow::Result<()> {
    let reloader = app.reloader();
    app.runtime().block_on(async move {
        let mut hangup = signal(SignalKind::hangup())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        loop {
            tokio::select! {
                _ = terminate.recv() => return Ok(()),
                _ = interrupt.recv() => return Ok(()),
                // The outcome is logged and in the status.
                _ = hangup.recv() => drop(reloader.reload("SIGHUP").await),
            }
        }
    })
}

/// Whoever asks twice means it.
fn end_at_once_if_told_again() {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async {
        let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        else {
            return;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        eprintln!("stopped at once");
        std::process::exit(1);
    });
}
