//! The ban ladder in virtual time.

use crate::ban::ladder::Terms;
use crate::ban::{Book, Ladder, Network, Regard, Standing};
use crate::base::clock::Time;
use crate::client::key::ClientKey;
use crate::flood::state::FloodState;
use crate::verdict::offence::regard;
use crate::verdict::{Policy, State};

/// The book of bans and what fills it.
#[derive(Default)]
pub(super) struct Bans {
    book: Book,
    ladder: Ladder,
    taken: u64,
}

impl Bans {
    /// What the control plane does at each of its ticks.
    pub(super) fn tick(&mut self, policy: &Policy, state: &State, now: Time) {
        let settings = &policy.settings;
        let hold = state.flood.view().state == FloodState::Overload;
        let terms = Terms { settings: &settings.ban, ipv6_prefix: settings.client.ipv6_prefix, hold };
        let suspects = std::iter::from_fn(|| state.offences.suspect());
        let raised = self.ladder.judge(suspects, &mut self.book, &terms, &World { policy, state, now }, now);
        self.taken += raised.len() as u64;
        if self.book.take_changed() {
            self.book.publish(&state.bans, settings.ban.enabled, now);
        }
    }

    /// Steps taken so far.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }
}

/// Who is known, and who can't be banned: the allow list alone, as a log has no proxies and no origin in it.
struct World<'a> {
    policy: &'a Policy,
    state: &'a State,
    now: Time,
}

impl Standing for World<'_> {
    fn exempt(&self, network: Network) -> Option<String> {
        self.policy.allow.intersects(network.net()).then(|| format!("{network} meets lists.allow"))
    }

    fn of(&self, client: ClientKey) -> Regard {
        regard(self.state, client, self.now)
    }
}
