//! weir's own messages: on stderr, for people at a terminal, as JSON otherwise.

use super::exit::{Code, Failure};
use std::io::IsTerminal;
use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The variable that says what is logged, such as `debug` or `warn,weir=debug,pingora_proxy=info`.
pub const VARIABLE: &str = "WEIR_LOG";

/// weir speaks for itself. Pingora would write a line for every broken connection: an attacker's way to a full disk.
const DEFAULT: &str =
    "warn,weir=info,pingora_core=off,pingora_proxy=off,pingora_http=off,pingora_pool=off,h2=off,hyper=error";

/// Below info, libraries write whole requests down: credentials, cookies, bodies. Whatever was asked for, they don't here.
fn keeps_secrets(about: &Metadata<'_>) -> bool {
    *about.level() <= Level::INFO || about.target().split("::").next() == Some("weir")
}

/// Starts the log, that of libraries which use the `log` crate included.
pub fn start() -> anyhow::Result<()> {
    let filter = match std::env::var(VARIABLE) {
        Ok(text) if !text.trim().is_empty() => EnvFilter::try_new(&text)
            .map_err(|e| Failure::new(Code::Usage, format!("{VARIABLE}: {text:?} is no log filter: {e}")))?,
        _ => EnvFilter::new(DEFAULT),
    };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if std::io::stderr().is_terminal() {
        log.with_target(false).finish().with(filter_fn(keeps_secrets)).try_init()
    } else {
        let log = log.json().flatten_event(true).with_current_span(false).with_span_list(false).with_ansi(false);
        log.finish().with(filter_fn(keeps_secrets)).try_init()
    };
    started.map_err(|e| anyhow::anyhow!("the log can't start: {e}"))
}
