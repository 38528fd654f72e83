//! How long to wait after a failure: twice as long each time, up to a bound, and never in step with others.

use ring::rand::{SecureRandom, SystemRandom};
use std::time::Duration;

/// Waits that grow.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
}

impl Backoff {
    /// Waits from `first` to `most`.
    pub const fn new(first: Duration, most: Duration) -> Self {
        Self { first, most, next: first }
    }

    /// The wait after one more failure: a random share, from half to all, of what it has grown to.
    pub fn after_failure(&mut self) -> Duration {
        let wait = self.next.min(self.most);
        self.next = (wait * 2).min(self.most);
        let mut byte = [0];
        // Without randomness all wait alike, which is no more than impolite.
        let _ = SystemRandom::new().fill(&mut byte);
        wait / 2 + wait.mul_f64(f64::from(byte[0]) / 512.0)
    }

    /// It went well: the next failure is the first.
    pub const fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_start_again() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(10));
        for most in [1, 2, 4, 8, 10, 10] {
            let (wait, most) = (backoff.after_failure(), Duration::from_secs(most));
            assert!(wait >= most / 2 && wait <= most, "{wait:?} of {most:?}");
        }
        backoff.reset();
        assert!(backoff.after_failure() <= Duration::from_secs(1));
    }
}
