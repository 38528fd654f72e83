//! Weir itself: what runs, its config and its log.

use super::{count, set};
use crate::control::status::{Phase, Status};
use crate::sink::metrics::names;

pub(super) fn fill(status: &Status) {
    set(&names::BUILD_INFO, &[&status.version], 1.0);
    set(&names::CONFIG_INFO, &[&status.config.hash], 1.0);
    set(&names::UPTIME, &[], status.uptime_s);
    set(&names::READY, &[], f64::from(u8::from(status.phase == Phase::Serving)));
    set(&names::NOTES, &[], status.notes.len() as f64);
    count(&names::RELOADS, &["accepted"], status.config.reloads);
    count(&names::RELOADS, &["refused"], status.config.reloads_failed);
    set(&names::RELOAD_OK, &[], f64::from(u8::from(status.config.refused.is_none())));
    set(&names::NEEDS_RESTART, &[], status.config.needs_restart.len() as f64);
    count(&names::EVENTS_DROPPED, &[], status.log.dropped);
    count(&names::LOG_LINES, &[], status.log.written);
    count(&names::LOG_LOST, &[], status.log.lost);
    count(&names::LOG_SUPPRESSED, &[], status.log.suppressed);
    count(&names::NEWS_DROPPED, &[], status.log.news_dropped);
    for outlet in &status.outlets {
        count(&names::SINK_RECORDS, &[&outlet.name, "sent"], outlet.sent);
        count(&names::SINK_RECORDS, &[&outlet.name, "lost"], outlet.lost);
        set(&names::SINK_WAITING, &[&outlet.name], outlet.waiting_bytes as f64);
        set(&names::SINK_UP, &[&outlet.name], f64::from(u8::from(outlet.failing.is_none())));
    }
}
