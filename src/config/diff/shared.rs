//! The values of `[waf]`, `[guardduty]` and `[fleet]`.

use super::{Values, list};
use crate::config::settings::Settings;

impl Values {
    pub(super) fn shared(&mut self, settings: &Settings) {
        let (waf, guardduty, fleet) = (&settings.waf, &settings.guardduty, &settings.fleet);
        self.within("waf", |out| {
            out.put("enabled", waf.enabled);
            out.put("scope", waf.scope);
            out.put("ipv4_sets", list(&waf.ipv4_sets));
            out.put("ipv6_sets", list(&waf.ipv6_sets));
            out.put("from_step", waf.from_step);
            out.put("update_rate", waf.update_rate);
            out.put_time("grace", waf.grace);
            if let Some(after) = waf.leftovers_after {
                out.put_time("leftovers_after", after);
            }
            out.put_path("file", waf.file.as_deref());
        });
        self.within("guardduty", |out| {
            out.put("enabled", guardduty.enabled);
            out.put("queue_url", &guardduty.queue_url);
            out.put("poison_queue_url", guardduty.poison_queue_url.as_deref().unwrap_or_default());
            out.put("min_severity", f64::from(guardduty.min_severity) / 10.0);
            out.put("action", guardduty.action);
            out.put_time("duration", guardduty.duration);
        });
        self.within("fleet", |out| {
            out.put("enabled", fleet.enabled);
            out.put("url", &fleet.url);
            out.put("name", &fleet.name);
            out.put("user", fleet.user.as_deref().unwrap_or_default());
            out.put_place("password_file", fleet.password_file.as_ref());
            out.put_path("ca_file", fleet.ca_file.as_deref());
        });
    }
}
