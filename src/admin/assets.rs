//! The live page's files, embedded: with entity tags, so that a browser keeps them, and compressed once.

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::sync::OnceLock;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Name, type and content of every file.
const FILES: &[(&str, &str, &str)] = &[
    ("page.html", HTML, include_str!("page/page.html")),
    ("page.css", CSS, include_str!("page/page.css")),
    ("main.js", SCRIPT, include_str!("page/main.js")),
    ("net.js", SCRIPT, include_str!("page/net.js")),
    ("dom.js", SCRIPT, include_str!("page/dom.js")),
    ("series.js", SCRIPT, include_str!("page/series.js")),
    ("charts.js", SCRIPT, include_str!("page/charts.js")),
    ("now.js", SCRIPT, include_str!("page/now.js")),
    ("bans.js", SCRIPT, include_str!("page/bans.js")),
    ("limits.js", SCRIPT, include_str!("page/limits.js")),
    ("health.js", SCRIPT, include_str!("page/health.js")),
    ("theme.js", SCRIPT, include_str!("page/theme.js")),
    ("uplot-1.6.32.min.css", CSS, include_str!("page/vendor/uplot-1.6.32.min.css")),
    ("uplot-1.6.32.iife.min.js", SCRIPT, include_str!("page/vendor/uplot-1.6.32.iife.min.js")),
];

/// The page itself.
pub(super) async fn index(headers: HeaderMap) -> Response {
    serve("page.html", &headers)
}

/// A file that it names.
pub(super) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    serve(&name, &headers)
}

/// `text` as JSON, compressed where that is understood.
pub(super) fn json(text: String, headers: &HeaderMap) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    if !takes_gzip(headers) {
        return (kind, text).into_response();
    }
    (kind, [(header::CONTENT_ENCODING, "gzip"), (header::VARY, "accept-encoding")], gzip(&text, Compression::fast()))
        .into_response()
}

struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
    gzip: Bytes,
    tag: String,
}

fn assets() -> &'static [Asset] {
    static ASSETS: OnceLock<Vec<Asset>> = OnceLock::new();
    let made = |&(name, kind, text): &(&'static str, &'static str, &'static str)| {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let tag = format!("\"{:016x}\"", hasher.finish());
        Asset { name, kind, text, gzip: gzip(text, Compression::best()).into(), tag }
    };
    ASSETS.get_or_init(|| FILES.iter().map(made).collect())
}

fn serve(name: &str, headers: &HeaderMap) -> Response {
    let Some(asset) = assets().iter().find(|asset| asset.name == name) else {
        return (StatusCode::NOT_FOUND, "no such file\n").into_response();
    };
    let common = [
        (header::CONTENT_TYPE, asset.kind),
        (header::ETAG, &asset.tag),
        (header::CACHE_CONTROL, "no-cache"),
        (header::VARY, "accept-encoding"),
    ];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    if known.is_some_and(|tags| tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == asset.tag)) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let mut response = (common, Body::from(asset.text)).into_response();
    if takes_gzip(headers) {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        *response.body_mut() = Body::from(asset.gzip.clone());
    }
    response
}

/// Whether `gzip` is named without `q=0`; every browser names it so.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let named = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    named.split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim().eq_ignore_ascii_case("gzip") && weight.replace(' ', "") != "q=0"
    })
}

fn gzip(text: &str, level: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    // Writing to memory can't fail.
    let _ = encoder.write_all(text.as_bytes());
    encoder.finish().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &str, fields: &[(header::HeaderName, &str)]) -> Response {
        let mut headers = HeaderMap::new();
        fields.iter().for_each(|(key, value)| drop(headers.insert(key, value.parse().unwrap())));
        serve(name, &headers)
    }

    #[test]
    fn the_first_view_is_small_on_the_wire() {
        let bytes: usize = assets().iter().map(|asset| asset.gzip.len()).sum();
        // The hour's timeline and the first event come on top: tests/live_page.rs counts all of it.
        assert!(bytes < 60_000, "{bytes}");
    }

    #[test]
    fn a_file_is_compressed_where_that_is_understood_and_sent_once() {
        let plain = asked("main.js", &[]);
        assert!(plain.status() == 200 && !plain.headers().contains_key(header::CONTENT_ENCODING));
        assert!(
            !asked("main.js", &[(header::ACCEPT_ENCODING, "br, gzip;q=0")]).headers().contains_key("content-encoding")
        );
        let small = asked("main.js", &[(header::ACCEPT_ENCODING, "deflate, gzip")]);
        assert_eq!(small.headers()[header::CONTENT_ENCODING], "gzip");
        let tag = small.headers()[header::ETAG].to_str().unwrap().to_owned();
        assert_eq!(asked("main.js", &[(header::IF_NONE_MATCH, &format!("\"x\", W/{tag}"))]).status(), 304);
        assert_eq!(asked("main.js", &[(header::IF_NONE_MATCH, "\"x\"")]).status(), 200);
        assert_eq!(asked("../Cargo.toml", &[]).status(), 404);
    }

    #[test]
    fn the_page_has_no_script_or_style_of_its_own_and_names_only_files_that_are_there() {
        let page = FILES[0].2;
        assert!(!page.contains("<style") && !page.contains(" style=") && !page.contains(" onclick"));
        for part in page.split("<script").skip(1) {
            assert!(part.split('>').next().unwrap().contains("src="), "{part}");
        }
        let names: Vec<&str> = page.split("page/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert!(names.len() > 3 && names.iter().all(|name| FILES.iter().any(|f| f.0 == *name)), "{names:?}");
        let lines = |text: &str| text.lines().count();
        assert!(FILES.iter().all(|f| lines(f.2) < 400));
    }
}
