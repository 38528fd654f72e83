//! Active health checks: a GET to every endpoint of both groups, again and again.

use super::resolve::pause;
use crate::config::settings::{self, OriginProtocol};
use crate::origin::{HealthChange, Pool, Target};
use http::{Request, StatusCode, header};
use http_body_util::Empty;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

/// The most bytes of an answer's head.
const MAX_HEAD: usize = 16 * 1024;

/// The shortest time between two rounds, whatever the settings say.
const MIN_INTERVAL: Duration = Duration::from_millis(10);

/// Checks endpoints as the settings in force say, until `stop` is true or gone. A round checks all endpoints at once
/// and ends with the last of them, so an endpoint that hangs delays the next round by no more than the timeout.
pub async fn run(pool: Arc<Pool>, mut stop: watch::Receiver<bool>) {
    let work = async {
        loop {
            let settings = pool.settings();
            if settings.health.enabled {
                round(&pool, &settings).await;
            }
            pause(|| pool.settings().health.interval.max(MIN_INTERVAL)).await;
        }
    };
    tokio::select! {
        () = work => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

async fn round(pool: &Pool, settings: &Arc<settings::Origin>) {
    let mut checks = JoinSet::new();
    for target in pool.endpoints() {
        let settings = settings.clone();
        checks.spawn(async move {
            // Many weirs started at once must not check in step.
            tokio::time::sleep(jitter(settings.health.interval / 10)).await;
            let checked = timeout(settings.health.timeout, check(&target, &settings)).await;
            let checked = checked.unwrap_or_else(|_| Err(format!("no answer within {:?}", settings.health.timeout)));
            (target, checked)
        });
    }
    while let Some(joined) = checks.join_next().await {
        match joined {
            Ok((target, checked)) => mark(pool, &target, checked),
            Err(error) => tracing::error!(%error, "a health check broke off"),
        }
    }
}

fn mark(pool: &Pool, target: &Target, checked: Result<StatusCode, String>) {
    let (address, name) = (target.addr, target.host.as_deref());
    match (pool.mark_health(address, checked.is_ok()), checked) {
        (HealthChange::Down, Err(reason)) => {
            tracing::warn!(%address, name, reason, "origin endpoint is unhealthy");
        }
        (HealthChange::Up, Ok(status)) => {
            tracing::info!(%address, name, status = status.as_u16(), "origin endpoint is healthy again");
        }
        _ => {}
    }
}

/// One check: the status of a good answer, or what was wrong.
async fn check(target: &Target, settings: &settings::Origin) -> Result<StatusCode, String> {
    let stream = TcpStream::connect(target.addr).await.map_err(|e| format!("no connection: {e}"))?;
    let io = TokioIo::new(stream);
    let broken = |e: hyper::Error| format!("no whole answer: {e}");
    let (status, _connection) = match settings.protocol {
        OriginProtocol::Http1 => {
            let (mut sender, connection) =
                http1::Builder::new().max_buf_size(MAX_HEAD).handshake(io).await.map_err(broken)?;
            let connection = Connection(tokio::spawn(connection).abort_handle());
            let request = request(target, settings, false)?;
            (sender.send_request(request).await.map_err(broken)?.status(), connection)
        }
        OriginProtocol::H2c => {
            let mut builder = http2::Builder::new(TokioExecutor::new());
            let builder = builder.max_header_list_size(MAX_HEAD as u32);
            let (mut sender, connection) = builder.handshake(io).await.map_err(broken)?;
            let connection = Connection(tokio::spawn(connection).abort_handle());
            let request = request(target, settings, true)?;
            (sender.send_request(request).await.map_err(broken)?.status(), connection)
        }
    };
    if status.is_success() || status.is_redirection() {
        Ok(status)
    } else {
        Err(format!("status {}, expected 2xx or 3xx", status.as_u16()))
    }
}

fn request(
    target: &Target,
    settings: &settings::Origin,
    absolute: bool,
) -> Result<Request<Empty<&'static [u8]>>, String> {
    let path = &settings.health.path;
    let authority = match &target.host {
        Some(host) => format!("{host}:{}", target.addr.port()),
        None => target.addr.to_string(),
    };
    let request = Request::get(if absolute { format!("http://{authority}{path}") } else { path.clone() })
        .header(header::USER_AGENT, "weir-health");
    // HTTP/2 has the authority in the URI.
    let request =
        if absolute { request } else { request.header(header::HOST, authority).header(header::CONNECTION, "close") };
    request.body(Empty::new()).map_err(|e| format!("no valid request to {path:?}: {e}"))
}

/// A check's connection, closed with it: the body of an answer is of no interest and may never end.
struct Connection(AbortHandle);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A random part of `most`. The standard library's hasher seeds itself at random, which is random enough here.
fn jitter(most: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish() as u32;
    most.mul_f64(f64::from(random) / f64::from(u32::MAX))
}
