//! `weir serve`: start, wait for signals, drain.

use super::exit::{Code, Failure};
use super::{Serve, logging, status};
use crate::app::{self, App, StartError};
use crate::control::ecs;
use crate::control::source::{Options, Source};
use std::io;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Serves until SIGTERM or SIGINT.
pub fn run(serve: Serve) -> anyhow::Result<()> {
    // Before anything else: a signal that comes during the start must neither kill nor be lost.
    let mut signals = Signals::listen()?;
    let options = Options { every: serve.config_poll, cache: serve.config_cache };
    let source = Source::new(serve.config, options).map_err(|e| Failure::new(Code::Usage, e))?;
    let identity = ecs::identify();
    logging::name(&identity);
    tracing::info!("weir {} starts as task {}", env!("CARGO_PKG_VERSION"), status::task(&identity));
    let app = app::start_from(source, identity).map_err(|e| match e {
        StartError::NoInput(_) => Failure::new(Code::NoInput, format!("{e}; name a config with --config FILE")),
        StartError::Config(_) => Failure::new(Code::Config, e.to_string()),
        StartError::Bind(_) => Failure::new(Code::Unavailable, e.to_string()),
        StartError::System(_) => Failure::new(Code::System, e.to_string()),
    })?;
    eprintln!("{}", app::banner(&app));
    signals.reload_until_told_to_stop(&app);
    std::thread::spawn(move || signals.end_at_once_when_told_again());
    app.drain();
    Ok(())
}

/// The signals that weir knows.
struct Signals {
    runtime: Runtime,
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let entered = runtime.enter();
        let (hangup, terminate, interrupt) =
            (signal(SignalKind::hangup())?, signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        drop(entered);
        Ok(Self { runtime, hangup, terminate, interrupt })
    }

    fn reload_until_told_to_stop(&mut self, app: &App) {
        let Self { runtime, hangup, terminate, interrupt } = self;
        runtime.block_on(async {
            loop {
                tokio::select! {
                    biased;
                    _ = terminate.recv() => return,
                    _ = interrupt.recv() => return,
                    _ = hangup.recv() => {
                        let reloader = app.reloader();
                        // The outcome is logged and in the status.
                        app.runtime().spawn(async move { drop(reloader.reload("SIGHUP").await) });
                    }
                }
            }
        });
    }

    /// Whoever asks twice means it.
    fn end_at_once_when_told_again(self) {
        let Self { runtime, mut terminate, mut interrupt, .. } = self;
        runtime.block_on(async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        });
        eprintln!("stopped at once");
        std::process::exit(1);
    }
}
