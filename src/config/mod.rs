//! Layer 1: what an operator writes, checked whole and turned into [`settings::Settings`].

pub mod settings;
