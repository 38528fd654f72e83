//! The keys of `[flood]`.

use super::challenge::challenge;
use crate::config::kind::{duration, flag};
use crate::config::place::{file, file_to_write};
use crate::config::section::{Section, When};
use crate::config::settings::{Flood, History};

pub(super) fn flood(s: &mut Section<'_, '_>) -> Flood {
    Flood {
        enabled: s.live(
            "enabled",
            flag(),
            "true",
            "Whether floods are looked for, and what they ask of the origin is held back by rank. Without it the \
             limits and the origin's capacity hold, and nobody comes first.",
        ),
        asn_database: s.optional(
            "asn_database",
            file(s.base()),
            "A database of autonomous systems in MaxMind's format, such as GeoLite2-ASN.mmdb: `weir top` and /api/flood \
             then name the owners of networks. Read at start and with every reload.",
            When::Live,
        ),
        history: s.table("history", "Good clients of the last four weeks, who come first in a flood.", history),
        challenge: s.table("challenge", "How newcomers prove themselves in an attack.", challenge),
    }
}

fn history(s: &mut Section<'_, '_>) -> History {
    History {
        file: s.optional(
            "file",
            file_to_write(s.base()),
            "Where it is kept, so that it outlives a restart; without it, every start knows nobody.",
            When::Start,
        ),
        save_every: s.live(
            "save_every",
            duration("10s", "1d"),
            r#""5m""#,
            "How often it is saved, beside the last time at exit.",
        ),
    }
}
