//! The parts of the hot path, each ready to be done many times: criterion times them, callgrind counts them.

mod core;
mod decision;
mod log;
mod request;

use std::hint::black_box;

/// Does a part's work so many times.
pub type Run = Box<dyn FnMut(u64)>;

/// One part of the hot path.
pub struct Part {
    /// What it is called in reports and in the baseline.
    pub name: &'static str,
    /// Makes it ready.
    pub ready: fn() -> Run,
}

/// All parts, in the order in which a request meets them, and what is done of it later.
pub fn parts() -> impl Iterator<Item = &'static Part> {
    request::PARTS.iter().chain(core::PARTS).chain(decision::PARTS).chain(log::PARTS)
}

/// Work done on each of `inputs` in turn, again and again.
fn on_each<I: 'static, O>(inputs: Vec<I>, mut work: impl FnMut(&I) -> O + 'static) -> Run {
    let mut at = 0;
    Box::new(move |times| {
        for _ in 0..times {
            at = if at + 1 < inputs.len() { at + 1 } else { 0 };
            black_box(work(black_box(&inputs[at])));
        }
    })
}

/// Work without an input.
fn again<O>(mut work: impl FnMut() -> O + 'static) -> Run {
    Box::new(move |times| {
        for _ in 0..times {
            black_box(work());
        }
    })
}
