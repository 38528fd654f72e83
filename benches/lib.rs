//! The hot path's modules, compiled from the files of weir itself, and what the benches and the instruction counts do
//! with them.
#![allow(dead_code, reason = "what only other parts of weir use is still in these files")]

#[path = "../src/access/mod.rs"]
pub mod access;
#[path = "../src/ban/mod.rs"]
pub mod ban;
#[path = "../src/base/mod.rs"]
pub mod base;
#[path = "../src/client/mod.rs"]
pub mod client;
#[path = "../src/config/mod.rs"]
pub mod config;
#[path = "../src/event/mod.rs"]
pub mod event;
#[path = "../src/flood/mod.rs"]
pub mod flood;
#[path = "../src/limit/mod.rs"]
pub mod limit;
#[path = "../src/verdict/mod.rs"]
pub mod verdict;

/// The gate's pure parts.
#[path = "../src/proxy"]
pub mod proxy {
    #[path = "gate/head.rs"]
    pub mod head;

    /// How long the normalised path of `target` is.
    pub fn normalised_len(target: &[u8]) -> usize {
        use crate::access::path::{Buffer, normalise};
        normalise(target, &mut Buffer::new()).len()
    }
}

/// How sinks write a request.
#[path = "../src/sink"]
pub mod sink {
    use crate::event::address::Writing;
    use crate::event::story::Story;

    pub mod lines;
    #[path = "syslog/message/mod.rs"]
    mod message;

    /// What makes syslog messages.
    pub fn syslog_sender() -> impl Fn(&Story<'_>, &Writing) -> String {
        let (host, app_name, task) = ("edge-1".into(), "weir".into(), "158d1c80".into());
        let sender = message::Sender { facility: 16, host, app_name, process: 7, task, most: 1_400 };
        move |story, writing| sender.message(story, writing)
    }
}

/// weir in virtual time.
#[path = "../src/simulate"]
pub mod simulate {
    mod bans;
    pub mod engine;
}

pub mod dice;
pub mod parts;
pub mod world;
