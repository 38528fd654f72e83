//! The ladder over real logs: nobody who only looks at pages is banned, and who guesses passwords is.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use weir::ban::ladder::Terms;
use weir::ban::{Book, Ladder, Network, Regard, Standing, Step};
use weir::base::clock::Time;
use weir::client::key::ClientKey;
use weir::config::{load_str, settings::Settings};
use weir::simulate::log::{Line, Log};
use weir::verdict::facts::Method;
use weir::verdict::policy::Networks;
use weir::verdict::{Facts, Fate, Policy, State, decide, offence};

/// The limits and the login pages of config/weir.toml; no origin budget to speak of, as a log has passed it already.
const CONFIG: &str = r#"
    [origin]
    addresses = ["127.0.0.1:9000"]
    capacity = "100000/s"
    [[limit]]
    name = "per-client"
    rate = "10/s"
    burst = 150
    [[limit]]
    name = "login"
    match = { path = ["/wp-login.php*", "/xmlrpc.php*"], method = ["POST"] }
    rate = "5/m"
    burst = 10
    [flood]
    enabled = false
"#;

/// Nobody is exempt, nobody is known: the harshest that the ladder can be.
struct Strangers;

impl Standing for Strangers {
    fn exempt(&self, _: Network) -> Option<String> {
        None
    }
    fn of(&self, _: ClientKey) -> Regard {
        Regard::Stranger
    }
}

/// weir without sockets, in the log's own time.
struct Weir {
    settings: Arc<Settings>,
    policy: Policy,
    state: State,
    book: Book,
    ladder: Ladder,
    names: HashMap<String, IpAddr>,
    /// The highest step of each client.
    banned: BTreeMap<IpAddr, Step>,
}

impl Weir {
    fn new() -> Self {
        let settings = Arc::new(load_str(CONFIG, "test").unwrap().settings);
        let state = State::new();
        let policy = Policy::compile(settings.clone(), &Networks::default(), &state, Time::default());
        let (book, ladder) = (Book::default(), Ladder::default());
        Self { settings, policy, state, book, ladder, names: HashMap::new(), banned: BTreeMap::new() }
    }

    /// The client's address; a name gets one that nobody else has.
    fn address(&mut self, client: &str) -> IpAddr {
        let next = Ipv4Addr::from(0xf000_0000 + self.names.len() as u32);
        client.parse().unwrap_or_else(|_| *self.names.entry(client.to_owned()).or_insert(next.into()))
    }

    fn tick(&mut self, now: Time) {
        let terms = Terms { settings: &self.settings.ban, ipv6_prefix: 64, hold: false };
        let suspects = std::iter::from_fn(|| self.state.offences.suspect());
        let raised = self.ladder.judge(suspects, &mut self.book, &terms, &Strangers, now);
        if self.book.take_changed() {
            self.book.publish(&self.state.bans, true, now);
        }
        for record in raised {
            let step = self.banned.entry(record.network.first().address()).or_insert(record.step);
            *step = record.step.max(*step);
        }
    }

    fn play(&mut self, line: &Line) {
        let now = Time::from_nanos((line.t * 1e9) as u64);
        let address = self.address(&line.client);
        let client = ClientKey::new(address, 64);
        let facts = Facts::new(address, client, Method::parse(line.method.as_bytes()), line.path.as_bytes());
        let verdict = decide(&self.policy, &self.state, &facts, now);
        offence::note_verdict(&self.policy, &self.state, &facts, &verdict, now);
        if verdict.fate == Fate::Forward {
            self.state.in_flight.leave(client.bits());
            offence::note_answer(&self.policy, &self.state, &facts, line.status, now);
        }
        self.tick(now);
    }
}

fn play(trace: &str, see: impl Fn(&Line) -> bool) -> Option<(Weir, Vec<Line>)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/traces").join(trace).join("requests.tsv.zst");
    if !file.exists() {
        eprintln!("skipped: no {}", file.display());
        return None;
    }
    let (mut weir, mut lines, mut log) = (Weir::new(), Vec::new(), Log::open(&file, None).unwrap());
    while let Some(line) = log.next_line().unwrap() {
        if see(&line) {
            lines.push(line);
        }
    }
    lines.sort_by(|a, b| a.t.total_cmp(&b.t));
    lines.iter().for_each(|line| weir.play(line));
    Some((weir, lines))
}

fn is_login(line: &Line) -> bool {
    line.method == "POST" && (line.path.starts_with("/wp-login.php") || line.path.starts_with("/xmlrpc.php"))
}

#[test]
fn people_crawlers_and_monitors_of_real_logs_are_never_banned() {
    for trace in ["wp2016_shared", "nasa_1995_08_01", "semicomplete2015", "certh_bots_shared"] {
        let Some((weir, lines)) = play(trace, |l| l.label.as_deref() != Some("bruteforce")) else { return };
        assert!(weir.banned.is_empty(), "{trace}: {:?}", weir.banned);
        assert!(lines.len() >= 10_000, "{trace}: {} lines", lines.len());
    }
}

#[test]
fn who_guesses_passwords_is_banned() {
    let Some((weir, lines)) = play("wp2016_shared", |_| true) else { return };
    let mut guesses: BTreeMap<&str, usize> = BTreeMap::new();
    for line in lines.iter().filter(|l| l.label.as_deref() == Some("bruteforce") && is_login(l)) {
        *guesses.entry(&line.client).or_default() += 1;
    }
    let banned = |client: &str| weir.banned.keys().any(|a| a.to_string() == client);
    let (all, caught): (usize, usize) =
        guesses.iter().fold((0, 0), |(all, caught), (c, n)| (all + n, caught + if banned(c) { *n } else { 0 }));
    // What is left are 16 guesses and 8: too few in too long a time to tell from a person's.
    assert!(caught * 100 >= all * 98, "{caught} of {all}");
}
