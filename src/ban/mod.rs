//! Layer 2: who is turned away for a time: for what (`offences`), for how long (`ladder`), and until when (`book`).
//!
//! A request that goes wrong is noted on the hot path; a client that crosses a threshold becomes a suspect; the control
//! loop lets suspects climb the ladder and publishes the bans, which `decide` looks up.

pub mod book;
pub mod file;
pub mod ladder;
pub mod network;
pub mod offence;
pub mod offences;
pub mod set;

pub use book::{Book, Evidence, Record};
pub use ladder::{Ladder, Regard, Standing};
pub use network::Network;
pub use offence::Offence;
pub use offences::{Offences, Rules, Suspect};
pub use set::{Ban, Bans, Step, Who};
