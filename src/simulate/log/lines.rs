//! Lines of bounded length out of any reader.

use super::MAX_LINE;
use std::io::{self, BufRead, Read};

/// What the next line is.
pub enum Raw {
    /// A line.
    Text(String),
    /// One that is too long, which was passed over.
    TooLong,
    /// There is no more.
    End,
}

/// The lines of a reader.
pub struct Lines {
    source: Box<dyn BufRead>,
    number: u64,
}

impl Lines {
    /// Those of `source`.
    pub fn new(source: Box<dyn BufRead>) -> Self {
        Self { source, number: 0 }
    }

    /// The number of the last line given, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The next line without its end; bytes that are no UTF-8 are replaced.
    ///
    /// # Errors
    /// Where `source` can't be read on.
    #[expect(clippy::should_implement_trait, reason = "an iterator would have no room for the error")]
    pub fn next(&mut self) -> io::Result<Raw> {
        let mut line = Vec::new();
        // One byte beyond the bound, for the line feed.
        let taken = self.source.by_ref().take(MAX_LINE as u64 + 1).read_until(b'\n', &mut line)?;
        if taken == 0 {
            return Ok(Raw::End);
        }
        self.number += 1;
        if line.last() == Some(&b'\n') {
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
        } else if line.len() > MAX_LINE {
            self.skip_to_line_end()?;
            return Ok(Raw::TooLong);
        }
        Ok(Raw::Text(match String::from_utf8(line) {
            Ok(text) => text,
            Err(e) => String::from_utf8_lossy(e.as_bytes()).into_owned(),
        }))
    }

    fn skip_to_line_end(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.source.fill_buf()?;
            if buffer.is_empty() {
                return Ok(());
            }
            let end = buffer.iter().position(|&b| b == b'\n');
            let used = end.map_or(buffer.len(), |at| at + 1);
            self.source.consume(used);
            if end.is_some() {
                return Ok(());
            }
        }
    }
}
