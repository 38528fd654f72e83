//! What can be asked.

use super::Source;
use super::guard::{Guard, check};
use crate::control::bans::BanRequest;
use crate::control::status::Phase;
use crate::sink::prometheus;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
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

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

pub(super) fn router(source: Shared, guard: Guard) -> Router {
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
        .route(
            "/",
            get(async || ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], include_str!("page/page.html"))),
        )
        .route("/page.js", get(async || ([(header::CONTENT_TYPE, JAVASCRIPT)], include_str!("page/page.js"))))
        .route("/page.css", get(async || ([(header::CONTENT_TYPE, "text/css")], include_str!("page/page.css"))))
        .layer(middleware::from_fn_with_state(guard, check))
        .with_state(source)
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
