//! Panels of bans, of AWS, of the fleet and of weir itself.

use super::Draw::Lines;
use super::{Row, gauge, panel, quantile, rate};
use crate::sink::metrics::names as n;

pub(super) fn bans() -> Row {
    Row {
        title: "Bans and AWS",
        panels: vec![
            panel("Bans added", n::BANS_ADDED.help, "cps", Lines, vec![(rate(&n::BANS_ADDED, "", "kind"), "{{kind}}")]),
            panel(
                "Suspects not banned",
                "why suspects were not banned",
                "cps",
                Lines,
                vec![
                    (rate(&n::BAN_SUSPECTS_DROPPED, "", ""), "queue full"),
                    (rate(&n::BAN_SUSPECTS_SPARED, "", ""), "spared"),
                    (rate(&n::BAN_SUSPECTS_CAPPED, "", ""), "had to wait"),
                    (rate(&n::BAN_SUSPECTS_GIVEN_UP, "", ""), "given up"),
                ],
            ),
            panel(
                "IP sets",
                n::WAF_ENTRIES.help,
                "short",
                Lines,
                vec![
                    (gauge("max", &n::WAF_ENTRIES, "", "set,owner"), "{{set}} of {{owner}}"),
                    (gauge("max", &n::WAF_CAPACITY, "", "set"), "{{set}} holds at most"),
                ],
            ),
            panel(
                "From detected to AWS WAF",
                n::WAF_DELAY.help,
                "s",
                Lines,
                vec![(gauge("max", &n::WAF_DELAY, "", "quantile"), "{{quantile}}")],
            ),
            panel(
                "IP sets not checked for",
                n::WAF_SYNC_AGE.help,
                "s",
                Lines,
                vec![(gauge("min", &n::WAF_SYNC_AGE, "", "set"), "{{set}}")],
            ),
            panel(
                "Calls of AWS WAF",
                "updates that were taken, and calls that failed",
                "cps",
                Lines,
                vec![
                    (rate(&n::WAF_UPDATES, "", ""), "updates"),
                    (rate(&n::WAF_FAILURES, "", "kind"), "failed: {{kind}}"),
                ],
            ),
            panel(
                "Messages of GuardDuty",
                n::GUARDDUTY_MESSAGES.help,
                "cps",
                Lines,
                vec![(rate(&n::GUARDDUTY_MESSAGES, "", "outcome"), "{{outcome}}")],
            ),
            panel(
                "Data to CloudWatch",
                n::CLOUDWATCH_DATUMS.help,
                "cps",
                Lines,
                vec![(rate(&n::CLOUDWATCH_DATUMS, "", "outcome"), "{{outcome}}")],
            ),
        ],
    }
}

pub(super) fn fleet() -> Row {
    Row {
        title: "Fleet",
        panels: vec![
            panel(
                "Tasks",
                "as they count one another, and those that the store answers",
                "short",
                Lines,
                vec![
                    (gauge("max", &n::FLEET_TASKS, "", ""), "live"),
                    (gauge("sum", &n::FLEET_CONNECTED, "", ""), "connected"),
                    (gauge("sum", &n::FLEET_LEADS, "", ""), "lead"),
                ],
            ),
            panel("News", n::FLEET_NEWS.help, "cps", Lines, vec![(rate(&n::FLEET_NEWS, "", "outcome"), "{{outcome}}")]),
            panel(
                "News' delay",
                n::FLEET_DELAY.help,
                "s",
                Lines,
                vec![(quantile(&n::FLEET_DELAY, 0.5), "p50"), (quantile(&n::FLEET_DELAY, 0.99), "p99")],
            ),
        ],
    }
}

pub(super) fn weir() -> Row {
    Row {
        title: "Weir itself",
        panels: vec![
            panel(
                "Processor",
                n::CPU_SECONDS.help,
                "percentunit",
                Lines,
                vec![(rate(&n::CPU_SECONDS, "", "instance"), "{{instance}}")],
            ),
            panel(
                "Memory",
                n::MEMORY.help,
                "bytes",
                Lines,
                vec![(gauge("max", &n::MEMORY, "", "instance"), "{{instance}}")],
            ),
            panel(
                "Lost",
                "records and lines that were lost",
                "cps",
                Lines,
                vec![
                    (rate(&n::EVENTS_DROPPED, "", ""), "records: queue full"),
                    (rate(&n::LOG_LOST, "", ""), "lines of the log"),
                ],
            ),
            panel(
                "Configs in force",
                n::CONFIG_INFO.help,
                "short",
                Lines,
                vec![(gauge("count", &n::CONFIG_INFO, "", "hash"), "{{hash}}")],
            ),
            panel(
                "Versions",
                n::BUILD_INFO.help,
                "short",
                Lines,
                vec![(gauge("count", &n::BUILD_INFO, "", "version"), "{{version}}")],
            ),
        ],
    }
}
