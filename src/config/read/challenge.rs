//! The keys of `[flood.challenge]`.

use super::limit::is_token;
use crate::config::kind::{Kind, choice, duration, flag, list, whole};
use crate::config::place::{path_pattern, secret_file};
use crate::config::section::{Section, When};
use crate::config::settings::Challenge;
use crate::config::words::CHALLENGE_FORMS;
use serde_json::json;

/// The most exempt headers: each is sought in every request.
const MOST_HEADERS: usize = 4;

pub(super) fn challenge(s: &mut Section<'_, '_>) -> Challenge {
    let challenge = Challenge {
        enabled: s.live("enabled", flag(), "true", "Whether newcomers are asked in an attack to show a browser."),
        form: s.live(
            "form",
            choice(CHALLENGE_FORMS),
            r#""redirect""#,
            "What they are asked: to bring back a cookie over a redirect, which needs no script; or a proof of work, \
             against bots that keep cookies. Cookies of the redirect are then no longer enough.",
        ),
        secret: s.optional(
            "secret_file",
            secret_file(s.base()),
            "A file with at least 32 random bytes, the same for every task of a fleet. Without it each process makes a \
             secret of its own: cookies are then worth nothing after a restart and at other tasks.",
            When::Live,
        ),
        rotate_every: s.live(
            "rotate_every",
            duration("10m", "30d"),
            r#""24h""#,
            "How long a key signs; all keys are derived from the secret and the time.",
        ),
        lifetime: s.live(
            "lifetime",
            duration("1m", "30d"),
            r#""12h""#,
            "How long a client that passed is not asked again; at most rotate_every.",
        ),
        difficulty: s.live(
            "difficulty",
            whole(8..=24),
            "16",
            "Leading zero bits that a proof of work must have: each one more doubles the work. 16 take a desktop's \
             browser about 0.05s and a slow phone's about 0.5s.",
        ),
        exempt: s.live(
            "exempt",
            list(path_pattern()),
            r#"["/api/*", "/health*", "/.well-known/*", "/robots.txt", "/sitemap*", "/favicon.ico"]"#,
            "Paths that are never challenged: exact, or a beginning with a * at its end.",
        ),
        exempt_headers: s.live(
            "exempt_headers",
            list(header()),
            r#"["authorization"]"#,
            "Requests with one of these headers are never challenged: programs that can't answer. They keep their \
             limits, so a header that anybody may send opens nothing.",
        ),
    };
    together(s, &challenge);
    challenge
}

/// What the keys mean together.
fn together(s: &mut Section<'_, '_>, challenge: &Challenge) {
    let [rotate, lifetime, headers] = ["rotate_every", "lifetime", "exempt_headers"].map(|name| s.join(name));
    let document = s.document();
    if challenge.lifetime > challenge.rotate_every {
        let message = "is longer than rotate_every: a cookie would outlive its key; write at most rotate_every";
        document.fault_between(&[&lifetime, &rotate], message);
    }
    if challenge.exempt_headers.len() > MOST_HEADERS {
        document.fault(&headers, format!("names more than {MOST_HEADERS} headers; each is sought in every request"));
    }
}

fn header() -> Kind<String> {
    const WANT: &str = "a header's name such as \"Authorization\"";
    let schema = json!({"type": "string", "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$"});
    Kind::string("name of a header", WANT, schema, |text| {
        if is_token(text) { Ok(text.to_ascii_lowercase()) } else { Err(format!("is no header's name; write {WANT}")) }
    })
}
