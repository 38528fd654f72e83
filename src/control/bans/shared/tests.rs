//! Keepers that hear each other in any order agree in the end.

use super::*;
use crate::ban::Offence;
use crate::base::clock;
use crate::client::key::ClientKey;
use crate::config;
use crate::control::bans::Parts;
use crate::origin::Pool;
use crate::verdict::policy::Networks;
use crate::verdict::{Policy, State};
use arc_swap::ArcSwap;
use ipnet::IpNet;
use proptest::prelude::*;
use std::net::Ipv4Addr;

const CONFIG: &str = "[origin]\naddresses = [\"192.0.2.80:80\"]\n[ban]\nrefuse = \"1h\"\nhoneypot = [\"/trap\"]\n";

struct Task {
    keeper: Keeper,
    state: Arc<State>,
    policy: Arc<ArcSwap<Policy>>,
    outgoing: Outgoing,
}

impl Task {
    fn new(name: &str) -> Self {
        let settings = Arc::new(config::load_str(CONFIG, "test").unwrap().settings);
        let state = Arc::new(State::new());
        let policy = Policy::compile(settings.clone(), &Networks::default(), &state, clock::now());
        let policy = Arc::new(ArcSwap::from_pointee(policy));
        let pool = Arc::new(Pool::new(&settings.origin));
        let keeper = Keeper::open(Parts {
            policy: policy.clone(),
            state: state.clone(),
            pool,
            file: None,
            news: Arc::default(),
        });
        let outgoing = keeper.join(name);
        Self { keeper, state, policy, outgoing }
    }

    fn trap(&self, network: IpNet) {
        let client = ClientKey::new(network.addr(), 64);
        self.state.offences.note(&self.policy.load().offences, client, Offence::Honeypot, b"/trap", clock::now());
        self.keeper.tick(clock::now());
    }

    fn said(&mut self) -> Vec<Word> {
        std::iter::from_fn(|| self.outgoing.words.try_recv().ok()).collect()
    }

    fn hear(&self, words: &[Word]) -> Heard {
        self.keeper.hear(words, clock::now())
    }

    /// All that holds: network, stamp and by whom.
    fn book(&self) -> Vec<(String, String, Who)> {
        let inner = self.keeper.inner();
        let told = |r: &Record| (r.network.to_string(), inner.shared.stamp_of(r).to_string(), r.who);
        inner.book.records().map(told).collect()
    }
}

fn net(n: u8) -> IpNet {
    Ipv4Addr::new(203, 0, 113, n).into_net()
}

trait IntoNet {
    fn into_net(self) -> IpNet;
}

impl IntoNet for Ipv4Addr {
    fn into_net(self) -> IpNet {
        std::net::IpAddr::from(self).into()
    }
}

fn add(task: &Task, network: IpNet) {
    task.keeper.add(network, Duration::from_secs(600), "test", clock::now()).unwrap();
}

#[test]
fn a_word_heard_twice_or_late_changes_nothing() {
    let (mut one, two) = (Task::new("one"), Task::new("two"));
    add(&one, net(1));
    one.keeper.remove(net(1), clock::now()).unwrap();
    let words = one.said();
    assert_eq!(words.len(), 2);
    assert_eq!(two.hear(&words[1..]).known, 1, "a lift of what is not there is remembered");
    assert_eq!((two.hear(&words).known, two.book().len()), (2, 0), "so the older ban is not taken");
    assert_eq!(two.keeper.words(|_, _, own| own, clock::now()), [], "nothing of it is its own");
    assert_eq!(two.keeper.words(|_, _, _| true, clock::now()), words[1..]);
}

#[test]
fn the_ladder_climbs_on_what_another_saw() {
    let (mut one, mut two) = (Task::new("one"), Task::new("two"));
    one.trap(net(1));
    let word = one.said();
    let text = word[0].stamp.to_string();
    assert_eq!(Stamp::parse(&text), Some(word[0].stamp.clone()));
    // An hour later the first step is over, and remembered.
    let mut body: serde_json::Value = serde_json::from_str(&word[0].body).unwrap();
    for key in ["since", "until"] {
        body["ban"][key] = (body["ban"][key].as_u64().unwrap() - 4_000_000).into();
    }
    assert_eq!(two.hear(&[Word { body: body.to_string(), ..word[0].clone() }]).taken, 1);
    two.trap(net(1));
    assert!(two.said()[0].body.contains("\"step\":1"), "it was refused before");
}

#[test]
fn words_that_find_no_room_are_noticed() {
    let mut one = Task::new("one");
    for n in 0..WAITING as u32 + 3 {
        add(&one, Ipv4Addr::from(u32::from(Ipv4Addr::new(203, 0, 0, 0)) + n).into_net());
    }
    // Relaxed would do: one thread.
    let counted = one.outgoing.dropped.load(Ordering::SeqCst);
    assert!(one.outgoing.lost.load(Ordering::SeqCst) && counted == 3, "{counted}");
    assert_eq!((one.said().len(), one.keeper.words(|_, _, own| own, clock::now()).len()), (WAITING, WAITING + 3));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_word_panics(about in "\\PC{0,20}|203\\.0\\.113\\.[0-9]", body in "\\PC{0,80}|\\{\"ban\":\\{\\}\\}", ms: u64) {
        let one = Task::new("one");
        let stamp = Stamp { ms, task: "x".into() };
        let heard = one.hear(&[Word { about, stamp, body, forget_ms: 0 }]);
        prop_assert!(heard.taken == 0 && one.book().is_empty());
    }

    /// What three tasks do at the same time reaches the others in any order, some of it twice.
    #[test]
    fn all_agree_in_the_end(steps in prop::collection::vec((0usize..3, 0u8..4, 0u8..4, any::<u32>()), 1..40)) {
        let mut tasks = ["a", "b", "c"].map(Task::new);
        let mut on_the_way: Vec<(usize, Word)> = Vec::new();
        let send = |tasks: &mut [Task; 3], on_the_way: &mut Vec<(usize, Word)>| {
            for (from, task) in tasks.iter_mut().enumerate() {
                for word in task.said() {
                    on_the_way.extend((0..3).filter(|to| *to != from).map(|to| (to, word.clone())));
                }
            }
        };
        for (at, what, n, dice) in steps {
            match what {
                0 => add(&tasks[at], net(n)),
                1 => tasks[at].trap(net(n)),
                2 => drop(tasks[at].keeper.remove(net(n), clock::now())),
                _ if on_the_way.is_empty() => {}
                _ => {
                    let pick = dice as usize % on_the_way.len();
                    let (to, word) = on_the_way[pick].clone();
                    if dice % 5 > 0 {
                        on_the_way.swap_remove(pick);
                    }
                    tasks[to].hear(&[word]);
                }
            }
            send(&mut tasks, &mut on_the_way);
        }
        let mut turn = 0;
        while let Some((to, word)) = (!on_the_way.is_empty()).then(|| on_the_way.swap_remove(turn % on_the_way.len())) {
            turn = turn.wrapping_mul(31) + 7;
            tasks[to].hear(&[word]);
            send(&mut tasks, &mut on_the_way);
        }
        let books = tasks.each_ref().map(Task::book);
        prop_assert_eq!(&books[0], &books[1]);
        prop_assert_eq!(&books[0], &books[2]);
    }
}
