//! The loop: compares what the group holds with what it shall hold, and changes it. May be ended at any await.

use super::controller::{Controller, Fault, Group};
use super::group::{self, Change};
use super::status::Tally;
use crate::base::clock::{self, Time};
use crate::config::settings::SmartGroup;
use crate::control::backoff::Backoff;
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// For one call of the Controller.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// How often the group is read although nothing changed here.
const CHECK: Duration = Duration::from_secs(300);

/// How often it is asked whether this weir leads.
const LOOK: Duration = Duration::from_secs(1);

/// What the loop knows of the rest of weir.
pub trait Source: Send + Sync {
    /// Who shall be in the group.
    fn wants(&self) -> Vec<IpNet>;
    /// The least time between two updates.
    fn interval(&self) -> Duration;
}

/// What the loop works with.
pub struct Parts {
    /// The group, and its Controller.
    pub group: SmartGroup,
    /// Who shall be in it.
    pub source: Box<dyn Source>,
    /// Whether this weir is the one that writes.
    pub leads: Box<dyn Fn() -> bool + Send + Sync>,
    /// For one call.
    pub patience: Duration,
}

/// Keeps the group.
pub struct GroupKeeper {
    parts: Parts,
    controller: Controller,
    tally: Arc<Tally>,
    /// What it was made to hold last, and when that was last seen to be so.
    known: Option<(Vec<IpNet>, Time)>,
    /// What of it weir put there, where the group is others'; none before the first look.
    ours: Option<BTreeSet<IpNet>>,
    ipv4_only: bool,
}

impl GroupKeeper {
    /// One that has done nothing yet.
    ///
    /// # Errors
    /// Where there are no certificates to check the Controller's against.
    pub fn new(parts: Parts) -> Result<Self, String> {
        let tally = Arc::<Tally>::default();
        tally.change(|s| (s.name, s.controller) = (parts.group.name.clone(), parts.group.controller.clone()));
        let controller = Controller::new(&parts.group, parts.patience, tally.clone())?;
        Ok(Self { parts, controller, tally, known: None, ours: None, ipv4_only: false })
    }

    /// How it goes.
    pub fn tally(&self) -> Arc<Tally> {
        self.tally.clone()
    }

    /// Keeps the group until `stop`.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let work = async {
            let mut backoff = Backoff::new(Duration::from_secs(1), CHECK);
            loop {
                let leads = (self.parts.leads)();
                self.tally.change(|s| s.leads = leads);
                if !leads {
                    // Who leads meanwhile writes what this weir knows nothing of.
                    (self.known, self.ours) = (None, None);
                    tokio::time::sleep(LOOK).await;
                    continue;
                }
                match self.sync(clock::now()).await {
                    Ok(()) => {
                        backoff.reset();
                        tokio::time::sleep(self.parts.source.interval()).await;
                    }
                    Err(_) => tokio::time::sleep(backoff.after_failure()).await,
                }
            }
        };
        tokio::select! {
            () = work => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    /// Makes the group hold what it shall, if it may not; at most one update.
    ///
    /// # Errors
    /// Why not, in words. It is counted and told.
    pub async fn sync(&mut self, now: Time) -> Result<(), String> {
        let mut wants = self.parts.source.wants();
        wants.sort_unstable();
        if self.known.as_ref().is_some_and(|(known, at)| *known == wants && now.since(*at) < CHECK) {
            return Ok(());
        }
        let outcome = self.bring(&wants).await.map_err(|fault| fault.to_string());
        match &outcome {
            Ok(()) => {
                self.known = Some((wants, now));
                self.tally.checked(now);
                let mut again = false;
                self.tally.change(|s| again = s.failing.take().is_some());
                if again {
                    tracing::info!("aviatrix.smartgroup: {} is kept again", self.parts.group.name);
                }
            }
            Err(why) => {
                self.known = None;
                let mut first = false;
                self.tally.change(|s| {
                    s.failures += 1;
                    first = s.failing.replace(why.clone()).is_none();
                });
                if first {
                    tracing::warn!("aviatrix.smartgroup: {}: {why}; it is tried again", self.parts.group.controller);
                }
            }
        }
        outcome
    }

    /// Reads the group and writes it where it differs.
    async fn bring(&mut self, wants: &[IpNet]) -> Result<(), Fault> {
        let name = self.parts.group.name.clone();
        let groups = self.controller.groups().await?;
        let found = groups.into_iter().find(|group| group.name == name);
        match self.write(found.as_ref(), wants).await {
            Err(Fault::Refused(why)) if !self.ipv4_only && wants.iter().any(|net| matches!(net, IpNet::V6(_))) => {
                tracing::warn!("aviatrix.smartgroup: {why}; networks of IPv6 are left out from now on");
                self.ipv4_only = true;
                self.tally.change(|s| s.ipv4_only = true);
                self.write(found.as_ref(), wants).await
            }
            outcome => outcome,
        }
    }

    async fn write(&mut self, group: Option<&Group>, wants: &[IpNet]) -> Result<(), Fault> {
        let ipv4_only = self.ipv4_only;
        let wants: Vec<IpNet> = wants.iter().copied().filter(|net| !ipv4_only || matches!(net, IpNet::V4(_))).collect();
        let change = match group {
            None => group::fresh(&wants),
            Some(group) => {
                let any = group.any()?;
                // What another task of the fleet put there is what is banned here too.
                let adopted = || any.iter().filter_map(group::cidr).filter(|net| wants.contains(net)).collect();
                group::change(any, &wants, self.ours.get_or_insert_with(adopted))
            }
        };
        if group.is_none() || change.differs {
            if !(self.parts.leads)() {
                return Err(Fault::Failed("another task of the fleet keeps the group now".into()));
            }
            // Before it is sent: an answer that is lost leaves it in the group all the same.
            self.ours.get_or_insert_default().extend(change.ours.iter().copied());
            match group {
                None => self.controller.create(&self.parts.group.name, &change.any).await?,
                Some(group) => self.controller.update(group, &change.any).await?,
            }
            self.tally.change(|s| s.updates += 1);
            tracing::info!("aviatrix.smartgroup: {} holds {} networks", self.parts.group.name, change.ours.len());
        }
        let Change { ours, foreign, .. } = change;
        self.tally.change(|s| (s.entries, s.foreign) = (ours.len() as u64, foreign as u64));
        self.ours = Some(ours);
        Ok(())
    }
}
