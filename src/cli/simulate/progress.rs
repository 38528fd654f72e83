//! How far the reading is, on a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use std::path::PathBuf;

/// A bar on standard error; nothing where that is no terminal.
pub(in crate::cli) struct Progress(ProgressBar);

impl Progress {
    /// Over the bytes of `files`.
    pub(in crate::cli) fn over(files: &[PathBuf], what: &'static str) -> Self {
        let sizes: Option<u64> = files.iter().map(|path| std::fs::metadata(path).ok().map(|m| m.len())).sum();
        match sizes {
            Some(bytes) => Self::bar(bytes, "{msg} {wide_bar} {bytes} of {total_bytes}, {eta} left", what),
            None => Self::bar(0, "{msg} {spinner} {bytes}", what),
        }
    }

    /// Over so many runs.
    pub(super) fn runs(count: u64) -> Self {
        Self::bar(count, "{msg} {wide_bar} {pos} of {len}, {eta} left", "runs")
    }

    fn bar(length: u64, template: &str, what: &'static str) -> Self {
        let bar = ProgressBar::new(length);
        // The template is a constant; were it wrong, a plain bar would do as well.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(bar.with_message(what))
    }

    pub(in crate::cli) fn at(&self, position: u64) {
        self.0.set_position(position);
    }

    pub(super) fn one_more(&self) {
        self.0.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
