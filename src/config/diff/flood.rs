//! The values of `[flood]`.

use super::{Values, list};
use crate::config::settings::{Challenge, Flood, Secret};

impl Values {
    pub(super) fn flood(&mut self, flood: &Flood) {
        self.within("flood", |out| {
            out.put("enabled", flood.enabled);
            out.put_path("asn_database", flood.asn_database.as_deref());
            out.within("history", |out| {
                out.put_path("file", flood.history.file.as_deref());
                out.put_time("save_every", flood.history.save_every);
            });
            out.within("challenge", |out| out.challenge(&flood.challenge));
        });
    }

    fn challenge(&mut self, challenge: &Challenge) {
        self.put("enabled", challenge.enabled);
        self.put("form", challenge.form);
        self.put_place("secret_file", challenge.secret.as_ref().map(Secret::place));
        self.put_time("rotate_every", challenge.rotate_every);
        self.put_time("lifetime", challenge.lifetime);
        self.put("difficulty", challenge.difficulty);
        self.put("exempt", list(&challenge.exempt));
        self.put("exempt_headers", list(&challenge.exempt_headers));
    }
}
