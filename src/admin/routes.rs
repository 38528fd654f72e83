//! What can be asked.

use super::feed::Feed;
use super::guard::{Guard, check};
use super::{Source, assets};
use crate::base::units::Share;
use crate::control::bans::BanRequest;
use crate::control::status::Phase;
use crate::sink::prometheus;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router, middleware};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::Arc;

type Shared = Arc<dyn Source>;

/// How many of the latest refusals `/api/recent` gives.
const RECENT: usize = 50;

/// How many bans `/api/bans` gives.
const BANS: usize = 1_000;

/// How many reports of gateways `/api/aviatrix` gives.
const REPORTS: usize = 100;

pub(super) fn router(source: Shared, feed: Arc<Feed>, guard: Guard) -> Router {
    let session = Session { token: guard.token.is_some() };
    Router::new()
        .route("/healthz", get(async || "alive\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/api/status", get(async |State(s): State<Shared>| json(&s, |s| s.status()).await))
        .route("/api/flood", get(async |State(s): State<Shared>| json(&s, |s| s.flood()).await))
        .route("/api/recent", get(async |State(s): State<Shared>| json(&s, |s| s.recent(RECENT)).await))
        .route("/api/aviatrix", get(async |State(s): State<Shared>| json(&s, |s| s.aviatrix(REPORTS)).await))
        .route("/api/why", get(why))
        .route("/api/reload", post(reload))
        .route("/api/bans", get(async |State(s): State<Shared>| json(&s, |s| s.bans(BANS)).await).post(ban))
        .route("/api/bans/pause", post(async |State(s): State<Shared>| json(&s, |s| s.pause_bans(true)).await))
        .route("/api/bans/resume", post(async |State(s): State<Shared>| json(&s, |s| s.pause_bans(false)).await))
        .route("/api/bans/{*address}", delete(unban))
        .route("/api/limits/{name}/enforce", post(enforce))
        .route("/api/timeline", get(timeline))
        .route("/api/live", get(async move |headers: HeaderMap| feed.watch(&headers)))
        .route("/api/session", get(async move || Json(session)))
        .route("/", get(assets::index))
        .route("/page/{name}", get(assets::file))
        .layer(middleware::from_fn_with_state(guard, check))
        .with_state(source)
}

/// What the live page has to know before it has a token.
#[derive(Clone, Copy, Serialize)]
struct Session {
    /// Whether a token is asked for. Where there is none, the page only looks on.
    token: bool,
}

async fn ready(State(source): State<Shared>) -> Response {
    match source.phase() {
        Phase::Serving => "ready\n".into_response(),
        Phase::Starting => (StatusCode::SERVICE_UNAVAILABLE, "not yet listening\n").into_response(),
        Phase::Draining => (StatusCode::SERVICE_UNAVAILABLE, "draining: about to stop\n").into_response(),
    }
}

async fn metrics(State(source): State<Shared>) -> Response {
    let text = away(&source, |s| prometheus::render(&s.status())).await;
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

#[derive(Deserialize)]
struct WhyQuery {
    address: String,
}

async fn why(State(source): State<Shared>, Query(query): Query<WhyQuery>) -> Response {
    match query.address.trim().parse::<IpAddr>() {
        Ok(address) => json(&source, move |s| s.why(address)).await,
        Err(_) => {
            (StatusCode::BAD_REQUEST, "address: expected an IPv4 or IPv6 address such as 192.0.2.7\n").into_response()
        }
    }
}

async fn reload(State(source): State<Shared>) -> Response {
    #[derive(Serialize)]
    struct Refused<T> {
        faults: T,
    }
    match away(&source, |s| s.reload()).await {
        Ok(Ok(changes)) => Json(changes).into_response(),
        Ok(Err(faults)) => (StatusCode::UNPROCESSABLE_ENTITY, Json(Refused { faults })).into_response(),
        Err(failed) => failed.into_response(),
    }
}

async fn ban(State(source): State<Shared>, Json(request): Json<BanRequest>) -> Response {
    match away(&source, move |s| s.ban(&request)).await {
        Ok(Ok(ban)) => Json(ban).into_response(),
        Ok(Err(why)) => (StatusCode::UNPROCESSABLE_ENTITY, why + "\n").into_response(),
        Err(failed) => failed.into_response(),
    }
}

async fn unban(State(source): State<Shared>, Path(address): Path<String>) -> Response {
    match away(&source, move |s| s.unban(&address)).await {
        Ok(Ok(ban)) => Json(ban).into_response(),
        Ok(Err(why)) => (StatusCode::NOT_FOUND, why + "\n").into_response(),
        Err(failed) => failed.into_response(),
    }
}

#[derive(Deserialize)]
struct Range {
    #[serde(default)]
    from: u32,
    #[serde(default = "latest")]
    to: u32,
    #[serde(default)]
    step: u32,
}

const fn latest() -> u32 {
    u32::MAX
}

/// Some 150 KB are made for a whole hour: not on the thread of all viewers.
async fn timeline(State(source): State<Shared>, Query(range): Query<Range>, headers: HeaderMap) -> Response {
    let made = away(&source, move |s| assets::json(s.timeline().json(range.from, range.to, range.step), &headers));
    made.await.into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Enforcement {
    enforce: String,
}

async fn enforce(
    State(source): State<Shared>,
    Path(name): Path<String>,
    Json(Enforcement { enforce }): Json<Enforcement>,
) -> Response {
    let share = match enforce.parse::<Share>() {
        Ok(share) => share,
        Err(why) => return (StatusCode::UNPROCESSABLE_ENTITY, format!("enforce: {enforce:?} {why}\n")).into_response(),
    };
    match away(&source, move |s| s.enforce(&name, share)).await {
        Ok(Ok(limit)) => Json(limit).into_response(),
        Ok(Err(why)) => (StatusCode::NOT_FOUND, why + "\n").into_response(),
        Err(failed) => failed.into_response(),
    }
}

async fn json<T: Serialize + Send + 'static>(
    source: &Shared,
    ask: impl FnOnce(&dyn Source) -> T + Send + 'static,
) -> Response {
    away(source, ask).await.map(Json).into_response()
}

/// Asks on a thread that may wait.
async fn away<T: Send + 'static>(
    source: &Shared,
    ask: impl FnOnce(&dyn Source) -> T + Send + 'static,
) -> Result<T, StatusCode> {
    let source = source.clone();
    let asked = tokio::task::spawn_blocking(move || ask(source.as_ref())).await;
    asked.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}
