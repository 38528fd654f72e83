//! Takes records and news off their queues and hands them on: to every sink, and refusals to the recent ones.

use super::recent::Recent;
use crate::event::entry::{Entry, LimitNames};
use crate::event::news::NewsQueue;
use crate::event::queue::{CAPACITY, Queue};
use crate::event::record::Outcome;
use crate::event::story::Story;
use crate::sink::outlet::Outlet;
use crate::verdict::Policy;
use crate::verdict::counters::MAX_LIMITS;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long records lie in the queue at most while there is time to take them.
const EVERY: Duration = Duration::from_millis(50);

/// What the drain needs.
pub struct Parts {
    /// Where records come from.
    pub queue: Arc<Queue>,
    /// Where refusals are remembered.
    pub recent: Arc<Recent>,
    /// What else there is to tell.
    pub news: Arc<NewsQueue>,
    /// To whom.
    pub outlets: Vec<Arc<dyn Outlet>>,
    /// The names of the limits now in force; asked once a round.
    pub names: Box<dyn Fn() -> Vec<Option<Arc<str>>> + Send>,
}

/// The running drain. Dropping it ends it after one more round.
#[derive(Debug)]
pub struct Drain {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drain {
    /// Starts the thread.
    pub fn start(parts: Parts) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = std::thread::Builder::new().name("weir-drain".into()).spawn(move || {
            loop {
                let last = !matches!(stopped.recv_timeout(EVERY), Err(mpsc::RecvTimeoutError::Timeout));
                round(&parts);
                if last {
                    return;
                }
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the event drain had panicked; records after that were lost");
        }
    }
}

/// The names of a policy's limits, by the index of their counters.
pub fn limit_names(policy: &Policy) -> Vec<Option<Arc<str>>> {
    let mut names = vec![None; MAX_LIMITS];
    for limit in &policy.limits {
        names[limit.index] = Some(limit.name.clone());
    }
    names
}

/// Takes what is there; at most two queues' worth, so that a round ends under any load.
fn round(parts: &Parts) {
    let names: Vec<_> = (parts.names)();
    let names: &LimitNames = &names;
    parts.queue.drain(2 * CAPACITY, |record| {
        let entry = Entry::new(record, names);
        let story = Story::Request(record, &entry);
        parts.outlets.iter().for_each(|outlet| outlet.take(&story));
        if matches!(record.outcome, Outcome::Refused | Outcome::Closed | Outcome::Failed) {
            parts.recent.add(entry.into_owned());
        }
    });
    while let Some(news) = parts.news.take() {
        parts.outlets.iter().for_each(|outlet| outlet.take(&Story::News(&news)));
    }
    parts.outlets.iter().for_each(|outlet| outlet.flush());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock;
    use crate::config::settings::LogTarget;
    use crate::event::record::Record;
    use crate::sink::access_log::AccessLog;
    use crate::sink::access_log::plain;

    #[test]
    fn what_was_sent_before_the_stop_is_handed_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("access.log");
        let queue = Arc::new(Queue::new());
        let recent = Arc::new(Recent::default());
        let log = Arc::new(AccessLog::start(&plain(LogTarget::File(path.clone()))).unwrap());
        let names = Box::new(|| vec![None, Some(Arc::from("login"))]);
        let outlets: Vec<Arc<dyn Outlet>> = vec![log.clone()];
        let parts = Parts { queue: queue.clone(), recent: recent.clone(), news: Arc::default(), outlets, names };
        let drain = Drain::start(parts).unwrap();
        for outcome in [Outcome::Forwarded, Outcome::Refused, Outcome::Gone, Outcome::Closed] {
            let mut record = Record::blank(clock::now());
            record.outcome = outcome;
            record.observed = 0b10;
            queue.send(record);
        }
        drop(drain);
        assert!(log.stop(Duration::from_secs(10)));
        let kept = recent.of(9, |_| true);
        assert_eq!(kept.iter().map(|e| e.outcome.as_ref()).collect::<Vec<_>>(), ["closed", "refused"]);
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(text.lines().count(), 4);
        assert!(text.lines().all(|l| l.contains(r#""observed":["login"]"#)));
    }
}
