//! When each line is sent, and under which address.
//!
//! A limit sees what a client's own requests look like in time, so the gaps inside a session are sacred. Only the
//! time between sessions may shrink: `fold` moves the starts of all sessions into a short window. Where that would
//! put two sessions of one client side by side, which never were, the second plays under another address: a client
//! that was idle for longer than any limit remembers is as good as a stranger.

use super::address;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;
use weir::simulate::log::Line;

/// How fast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pace {
    /// So many times the log's own speed.
    Times(f64),
    /// Without any wait.
    Max,
}

impl FromStr for Pace {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let fault = || format!("speed \"{s}\": expected real, max or xN with N above 0, such as x10");
        match s {
            "real" => Ok(Self::Times(1.0)),
            "max" => Ok(Self::Max),
            _ => {
                let times: f64 = s.strip_prefix('x').and_then(|n| n.parse().ok()).ok_or_else(fault)?;
                if times.is_finite() && times > 0.0 { Ok(Self::Times(times)) } else { Err(fault()) }
            }
        }
    }
}

/// How times are changed; all in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) pace: Pace,
    /// The window for the sessions' starts; 0 keeps the log's times.
    pub(crate) fold: f64,
    /// A longer gap ends a session.
    pub(crate) idle: f64,
    /// What comes later in a session is left out; 0 leaves nothing out.
    pub(crate) max_session: f64,
}

/// One line to send.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shot {
    /// Since the replay's start.
    pub(crate) at: Duration,
    pub(crate) address: IpAddr,
    /// Its place in [`Plan::lines`].
    pub(crate) line: usize,
}

/// Everything to send, in order.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// By the log's time.
    pub(crate) lines: Vec<Line>,
    pub(crate) shots: Vec<Shot>,
    /// Whether times matter.
    pub(crate) paced: bool,
    pub(crate) clients: usize,
    pub(crate) sessions: usize,
    /// Sessions under an address that is not their client's.
    pub(crate) moved_sessions: usize,
    /// Lines left out for `max_session`, by label.
    pub(crate) cut: BTreeMap<String, u64>,
}

struct Session {
    client: usize,
    start: f64,
    end: f64,
}

impl Plan {
    pub(crate) fn new(mut lines: Vec<Line>, options: &Options) -> Self {
        lines.sort_by(|a, b| a.t.total_cmp(&b.t));
        let mut plan = Self { paced: options.pace != Pace::Max, ..Self::default() };
        let folded = plan.paced && options.fold > 0.0;
        // Where times don't matter, or stay as they are, every client is one endless session.
        let idle = if folded { options.idle } else { f64::INFINITY };
        let longest =
            if plan.paced && options.max_session > 0.0 && folded { options.max_session } else { f64::INFINITY };
        let (names, sessions, of_line) = sessions(&lines, idle, longest);
        (plan.clients, plan.sessions) = (names, sessions.len());
        let played = if folded { fold(&sessions, names, options) } else { as_logged(&sessions) };
        plan.moved_sessions = played.iter().filter(|(_, identity)| *identity > 0).count();
        for (index, line) in lines.iter().enumerate() {
            let session = &sessions[of_line[index]];
            let (start, identity) = played[of_line[index]];
            let offset = line.t - session.start;
            if offset > longest {
                *plan.cut.entry(label(line).to_owned()).or_default() += 1;
                continue;
            }
            let at = match options.pace {
                Pace::Max => 0.0,
                Pace::Times(times) => (start + offset) / times,
            };
            // A log may span more than a Duration holds only if its times are wrong.
            let at = Duration::try_from_secs_f64(at).unwrap_or(Duration::MAX / 4);
            plan.shots.push(Shot { at, address: address::of(&line.client, identity), line: index });
        }
        plan.shots.sort_by_key(|shot| shot.at);
        plan.lines = lines;
        plan
    }
}

/// A line's label, for counting.
pub(crate) fn label(line: &Line) -> &str {
    line.label.as_deref().unwrap_or("(none)")
}

/// The number of clients, the sessions by start, and every line's session.
fn sessions(lines: &[Line], idle: f64, longest: f64) -> (usize, Vec<Session>, Vec<usize>) {
    let mut clients: HashMap<&str, (usize, f64, usize)> = HashMap::new();
    let mut sessions: Vec<Session> = Vec::new();
    let mut of_line = Vec::with_capacity(lines.len());
    for line in lines {
        let number = clients.len();
        let (client, last, session) = clients.entry(&line.client).or_insert((number, f64::NEG_INFINITY, 0));
        if line.t - *last > idle || *last == f64::NEG_INFINITY {
            *session = sessions.len();
            sessions.push(Session { client: *client, start: line.t, end: line.t });
        }
        *last = line.t;
        let it = &mut sessions[*session];
        it.end = line.t.min(it.start + longest);
        of_line.push(*session);
    }
    (clients.len(), sessions, of_line)
}

/// Each session's start since the replay's, and its identity, with the log's own times.
fn as_logged(sessions: &[Session]) -> Vec<(f64, usize)> {
    let first = sessions.first().map_or(0.0, |session| session.start);
    sessions.iter().map(|session| (session.start - first, 0)).collect()
}

/// The same with all starts inside the window; an identity rests for `idle` between two sessions.
fn fold(sessions: &[Session], clients: usize, options: &Options) -> Vec<(f64, usize)> {
    let first = sessions.first().map_or(0.0, |session| session.start);
    let span = sessions.last().map_or(0.0, |session| session.start - first);
    let shrink = if span > options.fold { options.fold / span } else { 1.0 };
    let mut free_at: Vec<Vec<f64>> = vec![Vec::new(); clients];
    let mut played = Vec::with_capacity(sessions.len());
    for session in sessions {
        let start = (session.start - first) * shrink;
        let identities = &mut free_at[session.client];
        let free = start + (session.end - session.start) + options.idle;
        let identity = match identities.iter().position(|at| *at <= start) {
            Some(identity) => identity,
            None => {
                identities.push(0.0);
                identities.len() - 1
            }
        };
        identities[identity] = free;
        played.push((start, identity));
    }
    played
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLD: Options = Options { pace: Pace::Times(1.0), fold: 10.0, idle: 60.0, max_session: 100.0 };

    fn line(t: f64, client: &str) -> Line {
        Line {
            t,
            client: client.to_owned(),
            method: "GET".to_owned(),
            path: "/".to_owned(),
            has_query: false,
            status: 200,
            bytes: 0,
            user_agent: String::new(),
            challenge: None,
            took: None,
            label: Some("human".to_owned()),
        }
    }

    /// (seconds, address, time in the log) of everything sent.
    fn shots(plan: &Plan) -> Vec<(f64, String, f64)> {
        plan.shots.iter().map(|s| (s.at.as_secs_f64(), s.address.to_string(), plan.lines[s.line].t)).collect()
    }

    #[test]
    fn folding_keeps_gaps_inside_sessions_and_the_order_of_starts() {
        let a = "192.0.2.1";
        let plan =
            Plan::new(vec![line(1000.0, a), line(0.0, "192.0.2.2"), line(1007.5, a), line(500.0, "192.0.2.3")], &FOLD);
        let own = |n: u8| format!("192.0.2.{n}");
        assert_eq!(
            shots(&plan),
            [(0.0, own(2), 0.0), (5.0, own(3), 500.0), (10.0, own(1), 1000.0), (17.5, own(1), 1007.5)]
        );
        assert_eq!((plan.clients, plan.sessions, plan.moved_sessions), (3, 3, 0));
    }

    #[test]
    fn sessions_that_folding_brings_together_play_under_other_addresses() {
        let plan = Plan::new((0..3).map(|n| line(f64::from(n) * 1_000.0, "192.0.2.1")).collect(), &FOLD);
        let shots = shots(&plan);
        assert_eq!((plan.clients, plan.sessions, plan.moved_sessions), (1, 3, 2));
        assert_eq!(shots[0].1, "192.0.2.1");
        assert!(shots[1].1 != shots[0].1 && shots[2].1 != shots[1].1 && shots[2].1 != shots[0].1);
        // A window long enough for the rest between them moves nobody.
        let wide = Plan::new(
            (0..3).map(|n| line(f64::from(n) * 1_000.0, "192.0.2.1")).collect(),
            &Options { fold: 900.0, ..FOLD },
        );
        assert_eq!(wide.moved_sessions, 0);
    }

    #[test]
    fn long_sessions_are_cut_and_counted() {
        let plan = Plan::new((0..10).map(|n| line(f64::from(n) * 30.0, "192.0.2.1")).collect(), &FOLD);
        assert_eq!((plan.shots.len(), plan.cut["human"]), (4, 6));
        let all = Plan::new(
            (0..10).map(|n| line(f64::from(n) * 30.0, "192.0.2.1")).collect(),
            &Options { max_session: 0.0, ..FOLD },
        );
        assert_eq!((all.shots.len(), all.cut.len()), (10, 0));
    }

    #[test]
    fn without_folding_times_are_the_log_s() {
        let lines = || vec![line(100.0, "192.0.2.1"), line(5_000.0, "192.0.2.1")];
        let at = |plan: Plan| plan.shots.iter().map(|s| s.at.as_secs_f64()).collect::<Vec<_>>();
        let plain = Options { fold: 0.0, ..FOLD };
        assert_eq!(at(Plan::new(lines(), &plain)), [0.0, 4_900.0]);
        assert_eq!(at(Plan::new(lines(), &Options { pace: Pace::Times(10.0), ..plain })), [0.0, 490.0]);
        let max = Plan::new(lines(), &Options { pace: Pace::Max, ..FOLD });
        assert_eq!((max.moved_sessions, max.paced), (0, false));
        assert_eq!(at(max), [0.0, 0.0]);
    }

    #[test]
    fn speeds() {
        assert_eq!("real".parse(), Ok(Pace::Times(1.0)));
        assert_eq!("x2.5".parse(), Ok(Pace::Times(2.5)));
        assert_eq!("max".parse(), Ok(Pace::Max));
        for bad in ["", "x", "x0", "x-1", "xNaN", "10"] {
            assert!(bad.parse::<Pace>().is_err(), "{bad}");
        }
    }
}
