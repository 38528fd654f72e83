//! What is said, byte by byte; how clients fare with it is in tests/challenge.rs.

use super::*;
use crate::config::settings;
use std::net::IpAddr;

fn challenge() -> Challenge {
    Challenge::new(&settings::Challenge {
        enabled: true,
        form: Form::Redirect,
        secret: None,
        rotate_every: Duration::from_secs(3600),
        lifetime: Duration::from_secs(600),
        difficulty: 8,
        exempt: vec![],
        exempt_headers: vec![],
    })
}

fn client() -> ClientKey {
    ClientKey::new(IpAddr::from([192, 0, 2, 7]), 64)
}

#[test]
fn a_cookie_is_closed_to_scripts_and_bound_to_its_host() {
    let cookie =
        |secure| String::from_utf8(set_cookie(&challenge(), client(), 1, secure, 1_750_000_000).to_vec()).unwrap();
    let secure = cookie(true);
    assert!(secure.starts_with("__Host-weir="), "{secure}");
    assert!(secure.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"), "{secure}");
    let plain = cookie(false);
    assert!(plain.starts_with("weir=") && plain.ends_with("; SameSite=Lax"), "{plain}");
    let token = plain["weir=".len()..].split(';').next().unwrap();
    assert!(matches!(challenge().verify(token.as_bytes(), client(), 1_750_000_000), Proof::Valid { strength: 1, .. }));
}

#[test]
fn the_way_back_leads_to_this_site_only() {
    for own in ["/", "/a?b=c&d=/e?f", "/a//b", "/%2f/x", "/.well-known/x"] {
        assert_eq!(safe(own.as_bytes()), own.as_bytes());
    }
    let strange =
        ["", "//evil.test", "/\\evil.test", "\\\\evil.test", "https://evil.test/", "evil.test", "?", "javascript:x"];
    for strange in strange.into_iter().chain(["/.well-known/weir/c?/", "/.well-known/weir/pow"]) {
        assert_eq!(safe(strange.as_bytes()), b"/", "{strange}");
    }
}

#[test]
fn a_target_is_brought_into_origin_form() {
    for (target, form) in [
        ("/a?b", "/a?b"),
        ("http://host/a?b", "/a?b"),
        ("https://host:8/", "/"),
        ("http://host", "/"),
        ("*", "/"),
        ("http://host?x=/y", "/y"),
    ] {
        assert_eq!(origin_form(target.as_bytes()), form.as_bytes(), "{target}");
    }
}

#[test]
fn what_caches_share_gets_no_cookie() {
    let shared =
        |value: &'static str| is_shared(&HeaderMap::from_iter([(CACHE_CONTROL, HeaderValue::from_static(value))]));
    for value in ["public", "max-age=60", "s-maxage=10", "Public, Max-Age=60", "must-revalidate,max-age=1"] {
        assert!(shared(value), "{value}");
    }
    for value in ["", "private, max-age=60", "no-store", "no-cache, public", "must-revalidate"] {
        assert!(!shared(value), "{value}");
    }
    assert!(!is_shared(&HeaderMap::new()));
}

#[test]
fn an_answer_is_whole_in_both_protocols() {
    let problem = challenge().problem(client(), 1_750_000_000, 1);
    let page = Answer { page: Page::Work(problem, *b"16"), ..Answer::plain(429) };
    let redirect = Answer { location: Some((CHECK, b"/a?b")), cookie: Some(Text::new()), ..Answer::plain(307) };
    for answer in [page, redirect, Answer::plain(204), Answer { page: Page::Failed, ..Answer::plain(403) }] {
        let mut out = BytesMut::new();
        answer.write(false, true, &mut out);
        let text = String::from_utf8(out.to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let (response, content) = answer.response(false).unwrap();
        assert_eq!(content, body.as_bytes());
        assert!(head.starts_with(&format!("HTTP/1.1 {} ", response.status.as_u16())), "{head}");
        let lines = head.lines().skip(1).filter(|l| !l.starts_with("Date") && *l != "Connection: close");
        for (name, value) in lines.map(|line| line.split_once(": ").unwrap()) {
            assert_eq!(response.headers[name], value, "{name}");
        }
        let length = response.headers.get("content-length").map(|v| v.to_str().unwrap().parse::<usize>().unwrap());
        assert_eq!(length.unwrap_or(0), body.len());
        assert_eq!(length.is_none(), answer.status == 204, "RFC 9110, 8.6");
        let mut head_only = BytesMut::new();
        answer.write(true, true, &mut head_only);
        assert!(head_only.ends_with(b"\r\n\r\n") && answer.response(true).unwrap().1.is_empty());
    }
}
