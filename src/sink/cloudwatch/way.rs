//! The way to CloudWatch: by its API, or by lines on standard output.

use super::emf::{Owner, lines};
use super::gather::Datum;
use async_trait::async_trait;
use std::io::Write;

/// Why data did not arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// One word for the metric.
    pub kind: &'static str,
    /// What becomes of the data.
    pub fate: Fate,
    /// What went wrong.
    pub message: String,
}

/// What is known of data that were sent in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Surely not taken: sent again.
    NotTaken,
    /// May have been taken. Sent again they might count twice, so they are not.
    Unknown,
    /// Will never be taken.
    Refused,
}

/// Takes batches, one after the other.
#[async_trait]
pub trait Way: Send + Sync {
    /// Sends a batch that fits into one request.
    async fn put(&self, batch: &[Datum]) -> Result<(), Failure>;
}

/// Standard output.
#[derive(Debug)]
pub struct Lines(pub Owner);

#[async_trait]
impl Way for Lines {
    async fn put(&self, batch: &[Datum]) -> Result<(), Failure> {
        let lines = lines(&self.0, batch);
        // A reader that stalls may hold a thread that is made for that.
        let written = tokio::task::spawn_blocking(move || {
            let mut out = std::io::stdout().lock();
            // One write a line, so that lines of the access log come between and never into one.
            lines.iter().try_for_each(|line| out.write_all(line.as_bytes()))?;
            out.flush()
        });
        let failure = |message| Failure { kind: "output", fate: Fate::Unknown, message };
        match written.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(e)) => Err(failure(format!("standard output: {e}"))),
            Err(e) => Err(failure(format!("standard output: the writer ended: {e}"))),
        }
    }
}
