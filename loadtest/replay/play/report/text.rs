//! The report as people read it.

use super::{GUESSING, PEOPLE_TARGET, Percentiles, Report, Verdicts};
use std::collections::BTreeMap;
use std::fmt;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_input(f)?;
        writeln!(f, "\nsent       {} in {:.1} s, {:.0} a second", self.all.total, self.seconds, self.per_second)?;
        percentiles(f, "latency", self.latency_ms)?;
        percentiles(f, "late by", self.late_ms)?;
        writeln!(f, "statuses   {}", counts(&self.statuses))?;
        if !self.failures.is_empty() {
            writeln!(f, "failures   {}", counts(&self.failures))?;
        }
        self.write_labels(f)?;
        self.write_refusals(f)?;
        self.write_goals(f)?;
        for warning in &self.warnings {
            writeln!(f, "caution    {warning}")?;
        }
        Ok(())
    }
}

impl Report {
    fn write_input(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let input = &self.input;
        writeln!(
            f,
            "log        {} lines, {} clients, {} sessions ({} moved to another address)",
            input.lines, input.clients, input.sessions, input.moved_sessions
        )?;
        if input.faulty_lines > 0 {
            writeln!(f, "faults     {} lines", input.faulty_lines)?;
        }
        for fault in &input.faults {
            writeln!(f, "           {fault}")?;
        }
        if !input.cut.is_empty() {
            writeln!(f, "left out   {} (beyond --max-session)", counts(&input.cut))?;
        }
        if input.not_sent > 0 {
            writeln!(f, "not sent   {} (interrupted)", input.not_sent)?;
        }
        Ok(())
    }

    fn write_labels(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |f: &mut fmt::Formatter<'_>, name: &str, v: &Verdicts| {
            let Verdicts { total, forwarded, refused, closed, failed } = v;
            let share = v.refused_percent();
            writeln!(f, "{name:<24} {total:>9} {forwarded:>9} {refused:>9} {closed:>7} {failed:>7} {share:>9.4} %")
        };
        let heads = ["label", "total", "forwarded", "refused", "closed", "failed", "refused"];
        let [label, total, forwarded, refused, closed, failed, share] = heads;
        writeln!(f, "\n{label:<24} {total:>9} {forwarded:>9} {refused:>9} {closed:>7} {failed:>7} {share:>11}")?;
        for (label, verdicts) in &self.labels {
            row(f, label, verdicts)?;
        }
        row(f, "all", &self.all)
    }

    fn write_refusals(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.refused_by.is_empty() {
            return writeln!(f, "\nnothing was refused");
        }
        writeln!(f, "\n{:<24} {:<24} {:>9}", "rule", "reason", "refused")?;
        for refusals in &self.refused_by {
            writeln!(f, "{:<24} {:<24} {:>9}", refusals.rule, refusals.reason, refusals.count)?;
        }
        writeln!(f, "\n{:<49} {:>9}", "clients refused most", "refused")?;
        for refused in &self.refused_clients {
            writeln!(f, "{:<49} {:>9}", refused.client, refused.count)?;
        }
        Ok(())
    }

    fn write_goals(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        if let Some(met) = self.people_met() {
            writeln!(
                f,
                "people     {} of {} refused: {:.4} % (target at most {PEOPLE_TARGET} %: {})",
                self.people.refused + self.people.closed,
                self.people.total - self.people.failed,
                self.people_refused_percent,
                if met { "met" } else { "MISSED" }
            )?;
        }
        if self.guessing.is_telling() && self.true_to_time {
            writeln!(
                f,
                "{GUESSING:<10} {} of {} refused: {:.1} %",
                self.guessing.refused + self.guessing.closed,
                self.guessing.total - self.guessing.failed,
                self.guessing_refused_percent
            )?;
        }
        Ok(())
    }
}

fn percentiles(f: &mut fmt::Formatter<'_>, name: &str, of: Percentiles) -> fmt::Result {
    let Percentiles { p50, p90, p99, max } = of;
    writeln!(f, "{name:<10} p50 {p50:.2} ms, p90 {p90:.2} ms, p99 {p99:.2} ms, most {max:.2} ms")
}

fn counts<K: fmt::Display>(map: &BTreeMap<K, u64>) -> String {
    map.iter().map(|(key, count)| format!("{key}: {count}")).collect::<Vec<_>>().join(", ")
}
