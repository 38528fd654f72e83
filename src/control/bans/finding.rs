//! Bans at a finding's word: AWS GuardDuty, or an Aviatrix gateway, saw the client do it.

use super::{BanView, Inner, Keeper, World, anchor, place_of};
use crate::ban::{Network, Offence, Record, Standing, Step, Who};
use crate::base::clock::Time;
use crate::base::rfc3339;
use crate::client::key::ClientKey;
use crate::config::settings::FindingAction;
use std::net::IpAddr;
use std::time::Duration;

/// What a client is accused of.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    /// Whose finding it is.
    pub by: Who,
    /// The kind of finding, its severity and its id, in words.
    pub text: &'a str,
    /// Its kind alone.
    pub kind: &'a str,
    /// When it was first found: RFC 3339, in UTC.
    pub created_at: &'a str,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// The client is banned.
    Banned(Box<BanView>),
    /// It is banned for as long already, or by an operator.
    Held,
    /// It goes one step up the ladder, as far as the ladder takes it.
    Suspected,
    /// It may not be banned, or an operator lifted its ban for this very finding; in words.
    Spared(String),
    /// There is no room in this minute: the finding has to come again.
    Later,
}

impl Keeper {
    /// Holds a finding against `address`: a ban that lasts for `duration`, or suspicion.
    pub fn accuse(
        &self,
        address: IpAddr,
        action: FindingAction,
        duration: Duration,
        charge: &Charge<'_>,
        now: Time,
    ) -> Effect {
        let policy = self.parts.policy.load_full();
        let client = ClientKey::new(address, policy.settings.client.ipv6_prefix);
        let network = Network::of_client(client, policy.settings.client.ipv6_prefix);
        let world = World::new(&policy, &self.parts.state, &self.parts.pool, now);
        if let Some(why) = world.refuses_operator(network).or_else(|| world.exempt(network)) {
            return Effect::Spared(why);
        }
        let mut inner = self.inner();
        let old = inner.book.get(network).cloned();
        let lifted = old.as_ref().and_then(|r| r.lifted);
        // Both are UTC with a Z at the end, so that they sort as text.
        let lift = lifted.map(|at| rfc3339::from_unix_nanos(anchor(now).unix_ms(at).saturating_mul(1_000_000)));
        if lift.is_some_and(|lift| charge.created_at <= lift.as_str()) {
            return Effect::Spared(format!("an operator lifted the ban of {network} after this was found"));
        }
        if action == FindingAction::Suspect {
            self.parts.state.offences.note(&policy.offences, client, Offence::Finding, charge.kind.as_bytes(), now);
            return Effect::Suspected;
        }
        let until = now + duration;
        let active = old.filter(|r| r.is_active(now));
        if active.as_ref().is_some_and(|r| r.who == Who::Operator || r.until >= until) {
            return Effect::Held;
        }
        if active.is_none() && !inner.ladder.take_on(&policy.settings.ban, now) {
            return Effect::Later;
        }
        let hits = active.as_ref().map_or(0, Record::hits);
        let mut record = Record::new(network, Step::FIRST_BAN, charge.by, now, until).with_hits(hits);
        record.reason = charge.text.to_owned();
        record.lifted = lifted;
        record.stamp = inner.book.get(network).map_or(0, |old| old.stamp);
        if inner.book.put(record.clone(), now).is_err() {
            return Effect::Later;
        }
        inner.added[place_of(&record)] += 1;
        inner.tell(record.clone(), record.until, &anchor(now));
        inner.publish(self, now);
        inner.say_banned(&record, active.is_some(), &anchor(now));
        drop(inner);
        Effect::Banned(Box::new(BanView::new(&record, &anchor(now))))
    }
}

impl Inner {
    /// Remembers that an operator lifted `gone`, where a finding was the reason.
    pub(super) fn keep_lift(&mut self, gone: &Record, now: Time) {
        if let Some(past) = after_lift(gone, now) {
            // Room was made for it just now.
            let _ = self.book.put(past, now);
        }
    }
}

/// What is remembered of a ban that an operator lifts: where a finding was the reason, that it must not come back.
fn after_lift(gone: &Record, now: Time) -> Option<Record> {
    let accused = matches!(gone.who, Who::Finding | Who::Gateway);
    let suspected = gone.evidence.as_ref().is_some_and(|e| e.kind == Offence::Finding);
    (accused || suspected).then(|| {
        let mut past = gone.clone();
        past.who = if accused { gone.who } else { Who::Finding };
        past.until = past.until.min(now);
        past.lifted = Some(now);
        past
    })
}
