//! What those who hand bans on ask of the keeper.

use super::standing::World;
use super::{Inner, Keeper};
use crate::ban::{Network, Record, Regard, Standing, Who};
use crate::base::clock::Time;
use tokio::sync::watch;

impl Keeper {
    /// Told whenever the bans in force changed; not when one of them is over.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Shows every ban that is in force: without the ladder's where it is paused.
    pub fn each_in_force(&self, now: Time, each: impl FnMut(&Record)) {
        let inner = self.inner();
        let Inner { book, enforced, .. } = &*inner;
        book.records().filter(|r| r.is_active(now) && (*enforced || r.who == Who::Operator)).for_each(each);
    }

    /// Whether somebody in `network` may not be banned: is on the allow list, a trusted proxy, the origin.
    pub fn exempts(&self, network: Network, now: Time) -> bool {
        let policy = self.parts.policy.load();
        World::new(&policy, &self.parts.state, &self.parts.pool, now).exempt(network).is_some()
    }

    /// Whether `network` may be banned whole for what many of its clients did: nobody is exempt, and nobody in it is
    /// known to be good.
    pub fn may_cover(&self, network: Network, now: Time) -> bool {
        let policy = self.parts.policy.load();
        let world = World::new(&policy, &self.parts.state, &self.parts.pool, now);
        let clients = network.clients(policy.settings.client.ipv6_prefix);
        let good = |mut clients: Box<dyn Iterator<Item = _> + '_>| clients.any(|c| world.of(c) == Regard::Good);
        // Where there are too many to ask for, nobody knows.
        world.exempt(network).is_none() && clients.is_some_and(|clients| !good(Box::new(clients)))
    }
}
