//! Which series of a metric: its name, and labels as Prometheus writes them.

use crate::sink::metrics::Samples;
use crate::sink::metrics::names::{self, Metric};
use crate::verdict::reason::Reason;
use std::fmt;

/// Some series of one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Pick {
    /// Which metric.
    pub metric: &'static Metric,
    /// Labels, by their place in the metric's list, and the values they must have.
    pub labels: Vec<(usize, String)>,
}

/// For what is no selector.
const WANT: &str = "write a metric with its labels such as weir_requests_total{reason=\"limit\"}";

impl Pick {
    /// Reads `name`, or `name{label="value",label="value"}`.
    ///
    /// # Errors
    /// What is wrong, in words that follow the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, labels) = match text.split_once('{') {
            None => (text, None),
            Some((name, rest)) => (name, Some(rest.trim_end().strip_suffix('}').ok_or(WANT)?)),
        };
        let metric = names::find(name.trim()).ok_or("names no metric")?;
        let mut pick = Self { metric, labels: Vec::new() };
        let mut rest = labels.unwrap_or_default().trim();
        while !rest.is_empty() {
            let (label, after) = rest.split_once('=').ok_or(WANT)?;
            let (value, after) = after.trim_start().strip_prefix('"').and_then(|a| a.split_once('"')).ok_or(WANT)?;
            pick.add(label.trim(), value)?;
            rest = after.trim_start();
            rest = match rest.strip_prefix(',') {
                Some(more) => more.trim_start(),
                None if rest.is_empty() => rest,
                None => return Err(WANT.into()),
            };
        }
        Ok(pick)
    }

    fn add(&mut self, label: &str, value: &str) -> Result<(), String> {
        let Metric { name, labels, .. } = self.metric;
        let Some(at) = labels.iter().position(|known| *known == label) else {
            let known =
                if labels.is_empty() { "it has none".into() } else { format!("its labels: {}", labels.join(", ")) };
            return Err(format!("has no label {label:?}; {known}"));
        };
        if self.labels.iter().any(|(other, _)| *other == at) {
            return Err(format!("names the label {label:?} twice"));
        }
        if (*name, label) == (names::REQUESTS.name, "reason") && !Reason::ALL.iter().any(|r| r.code() == value) {
            return Err(format!("names no reason: {value:?} is not in the table of docs/operations.md"));
        }
        self.labels.push((at, value.to_owned()));
        Ok(())
    }

    /// The values of its series.
    pub fn values<'a>(&'a self, samples: &'a Samples) -> impl Iterator<Item = f64> + 'a {
        let wanted = |labels: &[String]| self.labels.iter().all(|(at, value)| labels.get(*at) == Some(value));
        samples.of(self.metric).filter(move |s| wanted(&s.labels)).map(|s| s.value)
    }

    /// The sum of its series; none where there is none.
    pub fn sum(&self, samples: &Samples) -> Option<f64> {
        self.values(samples).reduce(|a, b| a + b)
    }

    /// As Prometheus writes it, the name followed by `suffix`.
    pub fn selector(&self, suffix: &str) -> String {
        let labels: Vec<_> =
            self.labels.iter().map(|(at, value)| format!("{}=\"{value}\"", self.metric.labels[*at])).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        format!("{}{suffix}{labels}", self.metric.name)
    }
}

impl fmt::Display for Pick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.selector(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn selectors_are_read_as_prometheus_writes_them() {
        for text in ["weir_bans", r#"weir_requests_total{reason="limit"}"#, r#"weir_waf_entries{set="a",owner="weir"}"#]
        {
            assert_eq!(Pick::parse(text).unwrap().to_string(), text);
        }
        let spaced = Pick::parse(r#"weir_waf_entries { set = "a" , owner = "weir" , }"#).unwrap();
        assert_eq!(spaced.selector("_sum"), r#"weir_waf_entries_sum{set="a",owner="weir"}"#);
        for (text, want) in [
            ("weir_bans{", WANT),
            ("weir_bans{x}", WANT),
            (r#"weir_bans{x="y"}"#, "has no label \"x\"; it has none"),
            (r#"weir_waf_entries{set=a}"#, WANT),
            (r#"weir_waf_entries{set="a" owner="b"}"#, WANT),
            (r#"weir_waf_entries{set="a",set="b"}"#, "names the label \"set\" twice"),
            (r#"weir_requests_total{reason="limt"}"#, "names no reason"),
            ("weir", "names no metric"),
        ] {
            let fault = Pick::parse(text).unwrap_err();
            assert!(fault.starts_with(want), "{text}: {fault}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_is_written_panics(text in "(weir_requests_total)?[{}a-z=\", \\\\é]{0,40}") {
            let _ = Pick::parse(&text);
        }
    }
}
