//! weir's own messages: on stderr, for people at a terminal, as JSON otherwise.

use super::exit::{Code, Failure};
use crate::control::identity::Identity;
use serde_json::json;
use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;
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

/// What every JSON line begins with in ECS: who says it.
static NAME: OnceLock<String> = OnceLock::new();

/// From now on every JSON line says which task of ECS wrote it; elsewhere nothing changes.
pub fn name(identity: &Identity) {
    let Some(cluster) = &identity.cluster else { return };
    let mut fields = format!("{{\"task\":{},\"cluster\":{}", json!(identity.task), json!(cluster));
    if let Some(family) = &identity.family {
        fields += &format!(",\"family\":{}", json!(family));
    }
    // The first name stays: one process is one task.
    let _ = NAME.set(fields + ",");
}

/// Standard error, with the name of the task in every JSON line.
#[derive(Default)]
struct Named;

impl Write for Named {
    /// The log hands over a whole line at a time.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut out = io::stderr().lock();
        match (NAME.get(), line.strip_prefix(b"{")) {
            (Some(name), Some(rest)) => out.write_all(&[name.as_bytes(), rest].concat())?,
            _ => out.write_all(line)?,
        }
        Ok(line.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

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
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(Named::default);
    let started = if std::io::stderr().is_terminal() {
        log.with_target(false).finish().with(filter_fn(keeps_secrets)).try_init()
    } else {
        let log = log.json().flatten_event(true).with_current_span(false).with_span_list(false).with_ansi(false);
        log.finish().with(filter_fn(keeps_secrets)).try_init()
    };
    started.map_err(|e| anyhow::anyhow!("the log can't start: {e}"))
}
