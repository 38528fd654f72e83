//! The demo service's paths.

use super::page;
use super::workers::{Capacity, Overloaded, Workers};
use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use serde::Deserialize;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// The largest download.
const MAX_DOWNLOAD: u64 = 64 << 20;
const CHUNK: &[u8] = &[b'.'; 16 << 10];
/// The longest answer of `/slow`.
const MAX_SLOW: Duration = Duration::from_secs(10);
/// The longest life of an upgraded connection.
const MAX_UPGRADED: Duration = Duration::from_secs(600);
const MAX_LOGIN_BODY: usize = 4096;

#[derive(Debug)]
struct Service {
    capacity: Capacity,
    workers: Workers,
}

type Shared = State<Arc<Service>>;

pub(super) fn router(capacity: Capacity) -> Router {
    let workers = Workers::new(&capacity);
    Router::new()
        .route("/", get(|| async { Html(page::INDEX) }))
        .route("/upload", post(upload))
        .route("/download", get(download))
        .route("/profile", get(profile))
        .route("/login", post(login))
        .route("/search", get(search))
        .route("/health", get(|| async { "ok\n" }))
        .route("/slow", get(slow))
        .route("/echo", any(echo))
        .route("/ws", any(upgrade))
        .route("/stats", get(stats))
        .with_state(Arc::new(Service { capacity, workers }))
}

impl IntoResponse for Overloaded {
    fn into_response(self) -> Response {
        (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "error": "overloaded" }))).into_response()
    }
}

fn bad_request(error: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response()
}

/// How many bytes a body has, and their CRC-32. Nothing is kept.
async fn count(mut body: Body) -> Result<(u64, u32), axum::Error> {
    let (mut bytes, mut crc) = (0, flate2::Crc::new());
    while let Some(frame) = body.frame().await {
        if let Some(data) = frame?.data_ref() {
            bytes += data.len() as u64;
            crc.update(data);
        }
    }
    Ok((bytes, crc.sum()))
}

async fn upload(State(service): Shared, request: Request) -> Response {
    let Ok((bytes, crc)) = count(request.into_body()).await else {
        return bad_request("the body broke off");
    };
    match service.workers.work(service.capacity.light).await {
        Ok(()) => Json(json!({ "bytes": bytes, "crc32": format!("{crc:08x}") })).into_response(),
        Err(overloaded) => overloaded.into_response(),
    }
}

#[derive(Deserialize)]
struct Download {
    #[serde(default = "one_mebibyte")]
    size: String,
}

fn one_mebibyte() -> String {
    "1MiB".to_owned()
}

async fn download(State(service): Shared, Query(query): Query<Download>) -> Response {
    let Some(size) = parse_size(&query.size).filter(|&size| size <= MAX_DOWNLOAD) else {
        return bad_request("size: expected bytes, such as 500, 64KiB or 1MiB, at most 64MiB");
    };
    if let Err(overloaded) = service.workers.work(service.capacity.light).await {
        return overloaded.into_response();
    }
    let content_type = (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    ([content_type], Body::new(Filler { left: size })).into_response()
}

fn parse_size(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

/// A body of so many bytes, made as they are sent.
struct Filler {
    left: u64,
}

impl hyper::body::Body for Filler {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let size = self.left.min(CHUNK.len() as u64);
        self.left -= size;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&CHUNK[..size as usize])))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

async fn profile(State(service): Shared) -> Result<Json<Value>, Overloaded> {
    service.workers.work(service.capacity.light).await?;
    Ok(Json(json!({ "user": "demo", "name": "Demo User", "plan": "free" })))
}

async fn login(State(service): Shared, request: Request) -> Response {
    let Ok(body) = axum::body::to_bytes(request.into_body(), MAX_LOGIN_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    match service.workers.work(service.capacity.login).await {
        Err(overloaded) => overloaded.into_response(),
        Ok(()) if has_password(&body) => Json(json!({ "user": "demo" })).into_response(),
        Ok(()) => (StatusCode::UNAUTHORIZED, Json(json!({ "error": "wrong password" }))).into_response(),
    }
}

/// Whether a JSON or form body carries the demo's password.
fn has_password(body: &[u8]) -> bool {
    if let Ok(json) = serde_json::from_slice::<Value>(body) {
        return json.get("password").and_then(Value::as_str) == Some(page::PASSWORD);
    }
    let mut fields = body.split(|&b| b == b'&').filter_map(|field| field.strip_prefix(b"password="));
    fields.next() == Some(page::PASSWORD.as_bytes())
}

#[derive(Deserialize)]
struct Search {
    #[serde(default)]
    q: String,
}

async fn search(State(service): Shared, Query(query): Query<Search>) -> Result<Json<Value>, Overloaded> {
    service.workers.work(service.capacity.search).await?;
    let q: String = query.q.chars().take(100).collect();
    let results: Vec<_> = (1..=3).map(|n| format!("{q} {n}")).collect();
    Ok(Json(json!({ "query": q, "results": results })))
}

#[derive(Deserialize)]
struct Slow {
    #[serde(default)]
    ms: u64,
}

/// Takes time but no worker, as a service that waits for another.
async fn slow(Query(query): Query<Slow>) -> Json<Value> {
    let waited = Duration::from_millis(query.ms).min(MAX_SLOW);
    tokio::time::sleep(waited).await;
    Json(json!({ "waited_ms": waited.as_millis() as u64 }))
}

/// What arrived, for tests of what a proxy carries on.
async fn echo(request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok((bytes, crc)) = count(body).await else {
        return bad_request("the body broke off");
    };
    let headers: Vec<_> =
        head.headers.iter().map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes()))).collect();
    Json(json!({
        "method": head.method.as_str(),
        "path": head.uri.path(),
        "query": head.uri.query(),
        "version": format!("{:?}", head.version),
        "headers": headers,
        "bytes": bytes,
        "crc32": format!("{crc:08x}"),
    }))
    .into_response()
}

/// Switches to whatever protocol is asked for and sends every byte back.
async fn upgrade(mut request: Request) -> Response {
    let Some(protocol) = request.headers().get(header::UPGRADE).cloned() else {
        return (StatusCode::UPGRADE_REQUIRED, [(header::UPGRADE, "echo")]).into_response();
    };
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(tokio::time::timeout(MAX_UPGRADED, async move {
        // Whatever ends this, either side hanging up included, there is nobody left to tell.
        if let Ok(connection) = upgraded.await {
            let (mut from, mut to) = tokio::io::split(hyper_util::rt::TokioIo::new(connection));
            let _ = tokio::io::copy(&mut from, &mut to).await;
            let _ = tokio::io::AsyncWriteExt::shutdown(&mut to).await;
        }
    }));
    let upgrade = (header::CONNECTION, HeaderValue::from_static("upgrade"));
    (StatusCode::SWITCHING_PROTOCOLS, [upgrade, (header::UPGRADE, protocol)]).into_response()
}

async fn stats(State(service): Shared) -> Json<Value> {
    let Capacity { workers, light, .. } = service.capacity;
    Json(json!({ "workers": workers, "light_ms": light.as_millis() as u64, "totals": service.workers.stats() }))
}
