//! What the keeper says of bans: in weir's own log, and as news to whoever keeps the ingress log.

use super::view::{evidence, told};
use super::{Inner, Keeper};
use crate::ban::file::Anchor;
use crate::ban::{Network, Record, Step, Who};
use crate::base::clock::Time;
use crate::base::rfc3339;
use crate::event::news::{BanNews, News};

impl Inner {
    /// A ban began here, or went on higher or longer.
    pub(super) fn say_banned(&self, record: &Record, went_on: bool, at: &Anchor) {
        tracing::warn!("banned: {}", told(record));
        let went_on = went_on || record.who == Who::Ladder && record.step > Step::REFUSE;
        let cause = match &record.evidence {
            Some(evidence) if record.who == Who::Ladder => evidence.kind.code(),
            _ => record.who.code(),
        };
        self.send(record, went_on, cause, "", at);
    }

    /// A ban began because `task` says so.
    pub(super) fn say_heard(&self, record: &Record, task: &str, at: &Anchor) {
        tracing::info!("banned, as {task} says: {}", told(record));
        self.send(record, false, "fleet", &format!("as {task} says: "), at);
    }

    /// A ban was lifted.
    pub(super) fn say_lifted(&self, network: Network, cause: &str, reason: &str, now: Time) {
        tracing::warn!("ban lifted: {network} ({cause}){}{reason}", if reason.is_empty() { "" } else { ": " });
        self.send_end("lifted", network, cause, reason, now);
    }

    /// Bans that were over since `before`.
    pub(super) fn say_expired(&self, before: Time, now: Time) {
        for record in self.book.records().filter(|r| r.until <= now && r.until > before) {
            // Of one that an operator lifted that was said then.
            if record.lifted != Some(record.until) {
                self.send_end("expired", record.network, "time", "", record.until);
            }
        }
    }

    fn send(&self, record: &Record, went_on: bool, cause: &str, head: &str, at: &Anchor) {
        let action = if went_on { "raised" } else { "added" };
        let mut news = BanNews::new(action, record.network.net(), cause, at.now);
        let evidence = evidence(record);
        news.step = record.step.to_string();
        news.reason = format!("{head}{}", if evidence.is_empty() { &record.reason } else { &evidence });
        news.until = rfc3339::from_unix_nanos(at.unix_ms(record.until).saturating_mul(1_000_000));
        self.news.send(News::Ban(news));
    }

    fn send_end(&self, action: &str, network: Network, cause: &str, reason: &str, at: Time) {
        let mut news = BanNews::new(action, network.net(), cause, at);
        news.reason = reason.into();
        self.news.send(News::Ban(news));
    }
}

impl Keeper {
    /// Strikes out who may not be banned by a new config, and says so.
    pub(super) fn spare(inner: &mut Inner, unfit: impl Fn(&Record) -> Option<String>, now: Time) {
        let gone: Vec<_> =
            inner.book.records().filter_map(|r| Some((r.network, r.is_active(now), unfit(r)?))).collect();
        for (network, held, why) in gone {
            inner.book.remove(network);
            if held {
                inner.say_lifted(network, "config", &why, now);
            }
        }
    }
}
