//! The keys of `[ban]`.

use crate::config::kind::{duration, flag, list, rate, whole};
use crate::config::place::{file_to_write, path_pattern};
use crate::config::section::{Section, When};
use crate::config::settings::{Ban, Threshold};

/// The most steps of the ladder: each is remembered.
const MOST_STEPS: usize = 16;

/// Where the login pages of common frameworks are.
const LOGIN_PATHS: &str = r#"["/login*", "/signin*", "/sign-in*", "/users/sign_in", "/user/login", "/account/login*", "/accounts/login*", "/auth/login*", "/api/login*", "/api/auth/login", "/session", "/sessions", "/oauth/token", "/wp-login.php*", "/xmlrpc.php*", "/administrator*", "/admin/login*"]"#;

pub(super) fn ban(s: &mut Section<'_, '_>) -> Ban {
    let doc = "Where bans outlive the process; its folder must be writable.";
    let file = s.optional("file", file_to_write(s.base()), doc, When::Start);
    Ban {
        enabled: s.live(
            "enabled",
            flag(),
            "true",
            "Whether clients climb the ladder. If not, its bans do not hold either; an operator's always do.",
        ),
        refuse: s.live(
            "refuse",
            duration("1s", "1h"),
            r#""10s""#,
            "How long the first step lasts: every request is answered 403.",
        ),
        close: s.live(
            "close",
            duration("1s", "1h"),
            r#""30s""#,
            "How long the second step lasts: connections are closed without a reply (403 behind a trusted proxy).",
        ),
        ladder: ladder(s),
        forget_after: s.live(
            "forget_after",
            duration("1m", "365d"),
            r#""24h""#,
            "The longest that a past step counts; a shorter one counts for 60 times as long as it lasted.",
        ),
        max_per_minute: s.live(
            "max_per_minute",
            whole(1..=10_000),
            "100",
            "The most clients that the ladder takes on in a minute; more wait, and are counted.",
        ),
        rollup_members: s.live(
            "rollup_members",
            whole(0..=256),
            "8",
            "From how many banned clients on their network (/24; /56 and /48 of IPv6) may be banned whole; 0 bans none.",
        ),
        honeypot: s.live(
            "honeypot",
            list(path_pattern()),
            "[]",
            "Paths that no client has a reason to ask for: one request makes the first step.",
        ),
        login_paths: s.live(
            "login_paths",
            list(path_pattern()),
            LOGIN_PATHS,
            "Where people log in: a POST that is answered 4xx, or that a limit refuses, is a failed login.",
        ),
        refusals: s.table("refusals", "Requests that a limit by client refused, or a ban.", |s| {
            threshold(s, r#""120/m""#, "120")
        }),
        client_errors: s.table("client_errors", "Answers 4xx of the origin, but for 401 and 403.", |s| {
            threshold(s, r#""120/m""#, "120")
        }),
        protocol: s.table("protocol", "Malformed or ambiguous requests, and too many resets of streams.", |s| {
            threshold(s, r#""6/m""#, "10")
        }),
        login: s.table("login", "Failed logins.", |s| threshold(s, r#""3/m""#, "8")),
        slow: s.table("slow", "Heads and bodies that a deadline cut off.", |s| threshold(s, r#""6/m""#, "10")),
        file,
    }
}

fn threshold(s: &mut Section<'_, '_>, usual: &'static str, burst: &'static str) -> Threshold {
    Threshold {
        rate: s.live("rate", rate(), usual, "So many are forgiven as time goes."),
        burst: s.live("burst", whole(0..=1_000_000), burst, "So many at once make one step; 0 counts none."),
    }
}

fn ladder(s: &mut Section<'_, '_>) -> Vec<std::time::Duration> {
    let doc = "How long the first ban lasts after these two steps, the second, and so on.";
    let ladder = s.live("ladder", list(duration("1s", "365d")), r#"["1m", "10m", "1h"]"#, doc);
    let path = s.join("ladder");
    if ladder.len() > MOST_STEPS {
        s.document().fault(&path, format!("has {} steps; at most {MOST_STEPS} are held", ladder.len()));
    }
    if ladder.windows(2).any(|pair| pair[0] > pair[1]) {
        s.document().note(&path, "a later step is shorter than an earlier one");
    }
    ladder
}
