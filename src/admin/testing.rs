//! A source with fixed answers, for tests of the server and of the commands that ask it.

use super::{Admin, Picture, Source, Token};
use crate::base::clock::Time;
use crate::base::units::{Rate, Share};
use crate::control::aviatrix::AviatrixView;
use crate::control::bans::{BanRequest, BanStatus, BanView, BansView};
use crate::control::flood::{self, FloodReport, StandingView};
use crate::control::recent::Recent;
use crate::control::status::{FaultView, LimitStatus, Owed, Phase, RecentView, Reloaded, Status, Why, fixture};
use crate::control::timeline::Timeline;
use crate::event::entry::Entry;
use crate::event::record::{Outcome, Record, Text};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) const TOKEN: &str = "0123456789abcdef0123";

pub(crate) struct Fixed {
    pub(crate) phase: Mutex<Phase>,
    pub(crate) faults: Vec<FaultView>,
    pub(crate) timeline: Timeline,
}

impl Fixed {
    pub(crate) fn new(phase: Phase, faults: Vec<FaultView>) -> Self {
        Self { phase: Mutex::new(phase), faults, timeline: Timeline::default() }
    }
}

/// A server on a free loopback port.
pub(crate) fn start(token: Option<&str>, phase: Phase, faults: Vec<FaultView>) -> Admin {
    let source = Arc::new(Fixed::new(phase, faults));
    Admin::start(([127, 0, 0, 1], 0).into(), token.map(|t| Token::new(t).unwrap()), source).unwrap()
}

pub(crate) fn refusal(client: IpAddr) -> Entry<'static> {
    let mut record = Record::blank(Time::from_nanos(86_400_000_000_000));
    record.client = client;
    record.outcome = Outcome::Refused;
    record.reason = "limit";
    record.rule = Text::new(b"login");
    record.status = 429;
    record.method = Text::new(b"POST");
    record.host = Text::new(b"app.example");
    record.path = Text::new(b"/login?<b>\x1b[31m");
    record.user_agent = Text::new(b"<script>alert(1)</script>");
    record.retry_after = Duration::from_secs(2);
    record.limit_burst = 10;
    record.limit_rate = Some(Rate { count: 30, period: Duration::from_secs(60) });
    (record.state, record.rank) = ("attack", "unknown");
    Entry::new(&record, &[]).into_owned()
}

pub(crate) fn ban() -> BanView {
    BanView {
        reach: None,
        network: "192.0.2.7".into(),
        step: "ban 1".into(),
        by: "ladder".into(),
        reason: "login".into(),
        evidence: "8 failed logins beyond 3/m, the last for /login\u{1b}[31m".into(),
        since: "2024-02-29T12:00:00.000Z".into(),
        until: "2024-02-29T12:01:00.000Z".into(),
        left_s: 42.0,
        hits: 17,
        from: None,
    }
}

impl Source for Fixed {
    fn phase(&self) -> Phase {
        *self.phase.lock().unwrap()
    }

    fn status(&self) -> Status {
        Status { phase: self.phase(), ..fixture() }
    }

    fn aviatrix(&self, _: usize) -> AviatrixView {
        AviatrixView::default()
    }

    fn flood(&self) -> FloodReport {
        flood::fixture()
    }

    fn why(&self, address: IpAddr) -> Why {
        Why {
            address,
            client: address.to_string(),
            allowed_by: None,
            bans: vec![ban()],
            denied_by: Some("192.0.2.0/24".into()),
            aviatrix: vec![],
            trusted_proxy: false,
            verdict: "refused: the client is on the deny list".into(),
            in_flight: 1,
            standing: StandingView {
                rank: "unknown".into(),
                meaning: "nothing is known of it".into(),
                state: "attack".into(),
                effect: "is asked for proof at a page load".into(),
                net24_rate: 12.0,
                net16_rate: 40.0,
                owner: "AS64500 Example".into(),
                young: false,
            },
            limits: vec![Owed {
                limit: "login".into(),
                rate: "30/m".into(),
                burst: 10,
                covers: "POST /login".into(),
                used: Some(10),
                over_after_s: 20.0,
                retry_after_s: 2.0,
                action: "refuse".into(),
            }],
            recent: vec![refusal(address)],
        }
    }

    fn recent(&self, max: usize) -> RecentView {
        let recent = Recent::with_capacity(4);
        recent.add(refusal("192.0.2.7".parse().unwrap()));
        RecentView { refusals: recent.of(max, |_| true), top: recent.top(10, |c| c) }
    }

    fn bans(&self, _: usize) -> BansView {
        BansView { status: self.status().bans, bans: vec![ban()] }
    }

    fn ban(&self, request: &BanRequest) -> Result<BanView, String> {
        match request.address.as_str() {
            "10.0.0.5" => Err("ban of 10.0.0.5 refused: 10.0.0.5 is in client.trusted_proxies".into()),
            network => Ok(BanView { network: network.into(), by: "operator".into(), ..ban() }),
        }
    }

    fn unban(&self, address: &str) -> Result<BanView, String> {
        match address {
            "192.0.2.0/24" => Ok(BanView { network: address.into(), ..ban() }),
            other => Err(format!("{other} is not banned by itself")),
        }
    }

    fn pause_bans(&self, paused: bool) -> BanStatus {
        BanStatus { paused, ..self.status().bans }
    }

    fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    fn picture(&self) -> Picture {
        Picture::new(self.status(), self.flood(), self.bans(9), self.recent(9))
    }

    fn enforce(&self, name: &str, share: Share) -> Result<LimitStatus, String> {
        let found = self.status().limits.into_iter().find(|l| l.name == name);
        let set = |l| LimitStatus { enforce: f64::from(share.0) / 100.0, ..l };
        found.map(set).ok_or_else(|| format!("there is no limit {name:?}"))
    }

    fn reload(&self) -> Result<Reloaded, Vec<FaultView>> {
        match self.faults.is_empty() {
            true => Ok(Reloaded { changes: vec!["limit.login.rate: 30/m → 60/m".into()] }),
            false => Err(self.faults.clone()),
        }
    }
}
