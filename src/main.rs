//! The weir command.

use std::process::ExitCode;
use weir::cli::{self, Command};

/// Half the work of a proxied request beside the kernel's is allocation; this allocator takes a tenth off it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let command = match cli::parse(std::env::args_os()) {
        Ok(command) => command,
        Err(code) => return code,
    };
    cli::exit::report(match command {
        Command::Serve(serve) => {
            cli::logging::start().and_then(|()| cli::serve::run(serve)).map(|()| ExitCode::SUCCESS)
        }
        Command::Check { config } => cli::check::check(config),
        Command::Schema { alarms: Some(watcher), config, .. } => cli::alarms::alarms(watcher, config),
        Command::Schema { markdown, dashboard, .. } => cli::schema::schema(markdown, dashboard),
        Command::Simulate(simulate) => cli::simulate::simulate(&simulate),
        Command::Report(report) => cli::report::report(&report),
        Command::Status { target, json } => cli::status::status(&target, json),
        Command::Ban(command) => cli::ban::ban(command),
        Command::Top { target, interval, once, json } => cli::top::top(&target, interval, once, json),
        Command::Why { address, target, json } => cli::why::why(&target, address, json),
    })
}
