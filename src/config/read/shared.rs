//! The keys of `[waf]`, `[guardduty]` and `[fleet]`.

use crate::config::kind::{Kind, choice, duration, flag, list, rate};
use crate::config::place::{file, file_to_write, secret_place};
use crate::config::section::{Section, When};
use crate::config::settings::{Fleet, GuardDuty, Waf};
use crate::config::words::{FINDING_ACTIONS, WAF_SCOPES, WAF_STEPS};
use serde_json::json;

/// The most sets of one family: AWS lets a web ACL refer to 50 sets and rule groups.
const MOST_SETS: usize = 50;

pub(super) fn waf(s: &mut Section<'_, '_>) -> Waf {
    let doc = "Where weir keeps what it put into the sets, so that it takes out its own after a crash. \
               With a fleet the store keeps it too; its folder must be writable.";
    let waf = Waf {
        enabled: s.start("enabled", flag(), "false", "Whether bans are handed to AWS WAF."),
        scope: s.start("scope", choice(WAF_SCOPES), r#""regional""#, "Where the web ACL is: regional for a load balancer, cloudfront for CloudFront (its sets live in us-east-1)."),
        ipv4_sets: s.start("ipv4_sets", list(name()), r#"["weir-ipv4-0"]"#, "Names of IPv4 sets that exist already; each holds 10,000 networks."),
        ipv6_sets: s.start("ipv6_sets", list(name()), r#"["weir-ipv6-0"]"#, "Names of IPv6 sets that exist already; each holds 10,000 networks."),
        from_step: s.live("from_step", choice(WAF_STEPS), r#""refuse""#, "The lowest step of the ladder that is handed on. An operator's bans always are."),
        update_rate: s.start("update_rate", rate(), r#""1/s""#, "The most updates, all sets together. 1/s is the quota of an AWS account and Region for all callers; write less where others call too."),
        grace: s.live("grace", duration("1s", "1d"), r#""10m""#, "How long an address stays that weir put there and that its book does not know: after a start the book may come late."),
        leftovers_after: s.optional("leftovers_after", duration("1m", "365d"), "After how long an address goes that no record of weir's explains. None: never, as it may be somebody else's. Only for sets that nobody else writes to.", When::Live),
        file: s.optional("file", file_to_write(s.base()), doc, When::Start),
    };
    if waf.enabled {
        built_with_aws(s);
        if waf.ipv4_sets.is_empty() && waf.ipv6_sets.is_empty() {
            let path = s.join("ipv4_sets");
            s.document().fault(&path, "is empty, and so is ipv6_sets; write the name of at least one set");
        }
    }
    for (key, sets) in [("ipv4_sets", &waf.ipv4_sets), ("ipv6_sets", &waf.ipv6_sets)] {
        let path = s.join(key);
        if sets.len() > MOST_SETS {
            s.document().fault(&path, format!("has {} sets; a web ACL can refer to {MOST_SETS} at most", sets.len()));
        }
        if let Some(twice) = sets
            .iter()
            .enumerate()
            .find(|(i, set)| sets[..*i].contains(set) || (key == "ipv6_sets" && waf.ipv4_sets.contains(set)))
        {
            s.document().fault(&path, format!("names {:?} twice; a set has one family, and is named once", twice.1));
        }
    }
    if waf.update_rate.count > 1 && waf.update_rate.period.as_secs_f64() / f64::from(waf.update_rate.count) < 1.0
        || waf.update_rate.period.as_secs() < 1
    {
        let path = s.join("update_rate");
        s.document().fault(&path, "is more than AWS takes from one account; write \"1/s\" or less");
    }
    waf
}

pub(super) fn guardduty(s: &mut Section<'_, '_>) -> GuardDuty {
    let enabled = s.start("enabled", flag(), "false", "Whether findings are taken from the queue.");
    let url = || url(&["http", "https"]);
    let queue_url = s.optional("queue_url", url(), "The SQS queue that EventBridge writes findings to.", When::Start);
    if enabled {
        built_with_aws(s);
        if queue_url.is_none() && !s.has("queue_url") {
            let path = s.join("queue_url");
            s.document().fault(&path, "is missing; write the URL of the SQS queue that findings come to");
        }
    }
    GuardDuty {
        enabled,
        queue_url: queue_url.unwrap_or_default(),
        poison_queue_url: s.optional("poison_queue_url", url(), "The SQS queue that messages go to that can't be read. None: they stay, for the queue's own redrive policy.", When::Start),
        min_severity: s.live("min_severity", severity(), "4.0", "Findings below it are passed over. GuardDuty calls 4.0 medium, 7.0 high, 9.0 critical."),
        action: s.live("action", choice(FINDING_ACTIONS), r#""ban""#, "What a finding leads to: a ban as long as duration says, or one step up the ladder."),
        duration: s.live("duration", duration("1m", "365d"), r#""1h""#, "How long the ban for a finding lasts."),
    }
}

pub(super) fn fleet(s: &mut Section<'_, '_>) -> Fleet {
    let doc = "The store: redis://HOST:PORT, or rediss:// for TLS. The password stands in password_file.";
    let fleet = Fleet {
        enabled: s.start("enabled", flag(), "false", "Whether this weir shares with others."),
        url: s.start("url", store(), r#""redis://127.0.0.1:6379""#, doc),
        name: s.start("name", name(), r#""production""#, "Who shares with whom."),
        user: s.optional("user", name(), "The user of the store; its default user where there is none.", When::Start),
        password_file: s.optional(
            "password_file",
            secret_place(s.base()),
            "The password of the store: a file, read at each connect, or an environment variable as env:NAME.",
            When::Start,
        ),
        ca_file: s.optional(
            "ca_file",
            file(s.base()),
            "PEM certificates that the store's certificate is checked against. None: the usual public authorities.",
            When::Start,
        ),
    };
    if fleet.url.contains('@') {
        let path = s.join("url");
        let message = "holds a user or a password, which would be shown with it; write them as user and password_file";
        s.document().fault_of_secret(&path, message);
    }
    fleet
}

pub(super) fn built_with_aws(s: &mut Section<'_, '_>) {
    if cfg!(not(feature = "aws")) {
        let path = s.join("enabled");
        s.document().fault(
            &path,
            "cannot be had: this weir was built without AWS; build it with --features aws, or write false",
        );
    }
}

/// Kept in tenths, as GuardDuty gives them.
fn severity() -> Kind<u16> {
    const WANT: &str = "a severity from 0 to 10 such as 4.0";
    Kind::scalar("severity, 0 to 10", WANT, json!({"type": "number", "minimum": 0, "maximum": 10}), |value| {
        let number = match value {
            toml::de::DeValue::Integer(number) => number.as_str().parse::<f64>().ok(),
            toml::de::DeValue::Float(number) => number.as_str().parse().ok(),
            _ => None,
        };
        match number.filter(|n| (0.0..=10.0).contains(n)) {
            Some(number) => Ok((number * 10.0).round() as u16),
            None => Err(format!("is no severity; write {WANT}")),
        }
    })
}

fn store() -> Kind<String> {
    const WANT: &str = "a URL such as \"redis://127.0.0.1:6379\", or with rediss:// for TLS";
    Kind::string("URL", WANT, json!({"type": "string", "pattern": "^rediss?://[^@]+$"}), |text| {
        let rest = text.strip_prefix("redis://").or_else(|| text.strip_prefix("rediss://"));
        match rest {
            // One with a password is told of later, without its value.
            _ if text.contains('@') => Ok(text.to_owned()),
            Some(rest) if !rest.is_empty() => Ok(text.to_owned()),
            _ => Err(format!("is not such a URL; write {WANT}")),
        }
    })
}

pub(super) fn name() -> Kind<String> {
    let schema = json!({"type": "string", "minLength": 1, "maxLength": 256});
    Kind::string("name", "a name", schema, |text| {
        let sound = (1..=256).contains(&text.len()) && !text.contains(char::is_control);
        if sound { Ok(text.to_owned()) } else { Err("cannot be a name; write 1 to 256 letters".to_owned()) }
    })
}

pub(super) fn url(schemes: &'static [&'static str]) -> Kind<String> {
    let want = format!(
        "a URL that begins with {}",
        schemes.iter().map(|s| format!("{s}://")).collect::<Vec<_>>().join(" or ")
    );
    let message = want.clone();
    let schema = json!({"type": "string", "pattern": format!("^({})://.+", schemes.join("|"))});
    Kind::string("URL", want, schema, move |text| {
        let known = text.split_once("://").is_some_and(|(scheme, rest)| schemes.contains(&scheme) && !rest.is_empty());
        if known { Ok(text.to_owned()) } else { Err(format!("is not such a URL; write {message}")) }
    })
}
