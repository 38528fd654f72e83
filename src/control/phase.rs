//! Where this weir is in its life, for `/readyz` and the status.

use super::status::Phase;
use std::sync::atomic::{AtomicU8, Ordering};

/// The phase now.
#[derive(Debug)]
pub struct PhaseCell(AtomicU8);

impl Default for PhaseCell {
    fn default() -> Self {
        Self(AtomicU8::new(Phase::Starting as u8))
    }
}

impl PhaseCell {
    /// The phase now.
    pub fn get(&self) -> Phase {
        const PHASES: [Phase; 3] = [Phase::Starting, Phase::Serving, Phase::Draining];
        // Relaxed: a lone value.
        PHASES[usize::from(self.0.load(Ordering::Relaxed))]
    }

    /// Goes on to another phase.
    pub fn set(&self, phase: Phase) {
        // Relaxed: as in `get`.
        self.0.store(phase as u8, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phase_comes_back() {
        let cell = PhaseCell::default();
        assert_eq!(cell.get(), Phase::Starting);
        for phase in [Phase::Serving, Phase::Draining, Phase::Starting] {
            cell.set(phase);
            assert_eq!(cell.get(), phase);
        }
    }
}
