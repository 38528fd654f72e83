//! The status as Prometheus reads it.
//!
//! Every scrape fills a recorder of its own from the [`Status`] and renders it. So a limit or an endpoint that is
//! gone leaves no stale series behind, nothing is kept twice, and several weirs can live in one process.

pub mod grafana;
pub mod panels;
pub mod rules;

use super::metrics::{Histogram, fill, histograms};
use crate::control::status::Status;
use metrics::with_local_recorder;
use metrics_exporter_prometheus::PrometheusBuilder;
use std::fmt::Write;

/// The text for one scrape.
pub fn render(status: &Status) -> String {
    let recorder = PrometheusBuilder::new().build_recorder();
    with_local_recorder(&recorder, || fill(status));
    let mut text = recorder.handle().render();
    histograms(status).iter().for_each(|h| histogram(&mut text, h));
    text
}

/// A histogram, written by hand: the exporter takes single samples only, and these are counts by bucket already.
fn histogram(text: &mut String, of: &Histogram) {
    let (name, help) = (of.metric.name, of.metric.help);
    let bounds = of.bounds.iter().map(f64::to_string);
    let mut total = 0;
    // Writing to a string can't fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} histogram");
    for (count, bound) in of.counts.iter().zip(bounds.chain(["+Inf".to_owned()])) {
        total += count;
        let _ = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {total}");
    }
    let _ = writeln!(text, "{name}_sum {}\n{name}_count {total}", of.sum);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::status::fixture;
    use crate::sink::metrics::names;
    use std::collections::{BTreeMap, BTreeSet};

    /// A strict reader of the text format: families announced once, before their samples, labels well-formed.
    fn parse(text: &str) -> BTreeMap<String, f64> {
        let (mut kinds, mut helped, mut samples) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        for line in text.lines().filter(|l| !l.is_empty()) {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap();
                assert!(helped.insert(name.to_owned()) && !help.is_empty(), "{line}");
                continue;
            }
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert!(kinds.insert(name.to_owned(), kind.to_owned()).is_none(), "{line}");
                continue;
            }
            let (series, value) = line.rsplit_once(' ').unwrap();
            let name = series.split('{').next().unwrap();
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{line}");
            if let Some(labels) = series.strip_prefix(name).filter(|l| !l.is_empty()) {
                assert!(labels.starts_with('{') && labels.ends_with("\"}") && labels.contains("=\""), "{line}");
            }
            let family = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|s| name.strip_suffix(s).filter(|f| kinds.get(*f).is_some_and(|k| k == "histogram")));
            assert!(kinds.contains_key(family.unwrap_or(name)), "no TYPE before {line}");
            assert!(samples.insert(series.to_owned(), value.parse().unwrap()).is_none(), "twice: {line}");
        }
        assert_eq!(helped, kinds.keys().cloned().collect());
        samples
    }

    #[test]
    fn every_metric_of_the_table_is_rendered_and_no_other() {
        let text = render(&fixture());
        parse(&text);
        let rendered: BTreeSet<_> = text.lines().filter_map(|l| l.strip_prefix("# TYPE ")?.split(' ').next()).collect();
        assert_eq!(rendered, names::ALL.iter().map(|m| m.name).collect());
    }

    #[test]
    fn figures_come_out_as_they_went_in() {
        let mut status = fixture();
        status.limits[0].name = "a\"b\\c\nd".into();
        let samples = parse(&render(&status));
        assert_eq!(samples[r#"weir_limit_refused_total{limit="a\"b\\c\nd"}"#], 7.0);
        assert_eq!(samples[r#"weir_requests_total{reason="limit",class="refuse"}"#], 9.0);
        assert_eq!(samples["weir_config_last_reload_success"], 1.0);
        assert_eq!(samples[r#"weir_origin_endpoint_up{endpoint="192.0.2.10:80",group="primary"}"#], 1.0);
        assert_eq!(samples[r#"weir_origin_latency_seconds_bucket{le="0.01"}"#], 90.0);
        assert_eq!(samples[r#"weir_origin_latency_seconds_bucket{le="+Inf"}"#], 100.0);
        assert_eq!(samples["weir_origin_latency_seconds_count"], 100.0);
    }

    #[test]
    fn two_scrapes_do_not_add_up() {
        let (first, second) = (parse(&render(&fixture())), parse(&render(&fixture())));
        assert_eq!(first["weir_connections_total"], second["weir_connections_total"]);
    }
}
