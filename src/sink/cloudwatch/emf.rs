//! The embedded metric format: lines of JSON that CloudWatch Logs makes metrics of.

use super::gather::Datum;
use super::series::Series;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The most metrics in a line.
const MOST_METRICS: usize = 100;

/// The most values of one metric in a line.
const MOST_VALUES: usize = 100;

/// Whose metrics these are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Namespace.
    pub namespace: String,
    /// Dimension `Service`.
    pub service: String,
    /// Dimension `Environment`.
    pub environment: String,
}

impl Owner {
    /// Dimensions of a datum, by name and value.
    pub fn dimensions(&self, series: &Series, own: Option<&str>) -> Vec<(&'static str, String)> {
        let shared = [("Service", &self.service), ("Environment", &self.environment)];
        let shared = shared.into_iter().map(|(name, value)| (name, value.clone()));
        let own = series.by.zip(own).map(|((_, name), value)| (name, value.to_owned()));
        shared.chain(own).collect()
    }
}

/// Lines for a batch, each with its end. A line has one time and one set of dimensions.
pub fn lines(owner: &Owner, batch: &[Datum]) -> Vec<String> {
    let mut groups = BTreeMap::<_, Vec<Vec<&Datum>>>::new();
    for datum in batch {
        let own = datum.series.by.map(|(_, name)| name);
        let lines = groups.entry((datum.at, own, datum.dimension.as_deref())).or_default();
        // A name stands for one member of the object: what comes twice gets a line of its own.
        let free = |line: &&mut Vec<&Datum>| {
            line.len() < MOST_METRICS && line.iter().all(|other| other.series.name != datum.series.name)
        };
        match lines.iter_mut().find(free) {
            Some(line) => line.push(datum),
            None => lines.push(vec![datum]),
        }
    }
    let lines = groups.values().flatten();
    lines.filter_map(|line| Some(format!("{}\n", object(owner, line)?))).collect()
}

fn object(owner: &Owner, line: &[&Datum]) -> Option<Value> {
    let first = line.first()?;
    let dimensions = owner.dimensions(first.series, first.dimension.as_deref());
    let names: Vec<_> = dimensions.iter().map(|(name, _)| *name).collect();
    let metric = |d: &&Datum| json!({"Name": d.series.name, "Unit": d.series.unit(), "StorageResolution": d.seconds});
    let directive = json!({
        "Namespace": owner.namespace,
        "Dimensions": [names],
        "Metrics": line.iter().map(metric).collect::<Vec<_>>(),
    });
    let mut object = Map::new();
    object.insert("_aws".into(), json!({"Timestamp": first.at * 1_000, "CloudWatchMetrics": [directive]}));
    object.extend(dimensions.into_iter().map(|(name, value)| (name.to_owned(), value.into())));
    object.extend(line.iter().map(|d| (d.series.name.to_owned(), values(&d.values))));
    Some(object.into())
}

/// One number, or an array with every value as often as it was seen. Where that is more than an array may hold, each
/// value has its share of it, at least once: percentiles hold, the number of samples does not.
fn values(values: &[(f64, f64)]) -> Value {
    if let [(value, 1.0)] = values {
        return json!(value);
    }
    let total: f64 = values.iter().map(|(_, count)| count).sum();
    let values = &values[..values.len().min(MOST_VALUES)];
    let scale = ((MOST_VALUES - values.len()) as f64 / total).min(1.0);
    let times = |count: f64| if total <= MOST_VALUES as f64 { count } else { (count * scale).floor() + 1.0 };
    let all = values.iter().flat_map(|(value, count)| std::iter::repeat_n(*value, times(*count) as usize));
    json!(all.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::super::series;
    use super::*;

    fn owner() -> Owner {
        Owner { namespace: "weir".into(), service: "shop".into(), environment: "test".into() }
    }

    fn datum(name: &str, at: u64, dimension: Option<&str>, values: &[(f64, f64)]) -> Datum {
        let series = series::find(name).unwrap();
        let seconds = if series.fast { 1 } else { 60 };
        Datum { series, dimension: dimension.map(str::to_owned), at, seconds, values: values.to_vec() }
    }

    /// The published schema of the format, as far as it binds weir.
    fn schema() -> Value {
        json!({
            "type": "object", "required": ["_aws"],
            "properties": {"_aws": {
                "type": "object", "required": ["Timestamp", "CloudWatchMetrics"],
                "properties": {
                    "Timestamp": {"type": "integer"},
                    "CloudWatchMetrics": {"type": "array", "items": {
                        "type": "object", "required": ["Namespace", "Dimensions", "Metrics"],
                        "properties": {
                            "Namespace": {"type": "string", "minLength": 1, "maxLength": 1024},
                            "Dimensions": {"type": "array", "minItems": 1, "items": {
                                "type": "array", "minItems": 1, "maxItems": 30,
                                "items": {"type": "string", "minLength": 1, "maxLength": 250}
                            }},
                            "Metrics": {"type": "array", "maxItems": 100, "items": {
                                "type": "object", "required": ["Name"], "additionalProperties": false,
                                "properties": {
                                    "Name": {"type": "string", "minLength": 1, "maxLength": 1024},
                                    "Unit": {"enum": ["Count", "Seconds", "Bytes", "None"]},
                                    "StorageResolution": {"enum": [1, 60]}
                                }
                            }}
                        }
                    }}
                }
            }},
            "additionalProperties": {"anyOf": [
                {"type": "string"}, {"type": "number"},
                {"type": "array", "maxItems": 100, "items": {"type": "number"}}
            ]}
        })
    }

    #[test]
    fn lines_are_valid_and_whole() {
        let schema = jsonschema::validator_for(&schema()).unwrap();
        let batch = [
            datum("Refused", 7, None, &[(3.0, 1.0)]),
            datum("Forwarded", 7, None, &[(5.0, 1.0)]),
            datum("Refused", 8, None, &[(4.0, 1.0)]),
            datum("Refused", 8, None, &[(1.0, 1.0)]),
            datum("RefusedByReason", 0, Some("ban"), &[(2.0, 2.0)]),
            datum("RefusedByReason", 0, Some("limit"), &[(2.0, 1.0)]),
            datum("OriginLatency", 8, None, &[(0.01, 9_000.0), (0.1, 990.0), (1.0, 10.0)]),
        ];
        let lines = lines(&owner(), &batch);
        let read: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        for line in &read {
            assert!(schema.is_valid(line), "{:?}", schema.iter_errors(line).next().map(|e| e.to_string()));
            for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap() {
                assert!(line.get(metric["Name"].as_str().unwrap()).is_some());
            }
        }
        assert_eq!(read.len(), 5, "two of reasons, one of second 7, two of second 8, where a name comes twice");
        let sum = |name: &str| read.iter().filter_map(|line| line[name].as_f64()).sum::<f64>();
        assert_eq!((sum("Refused"), sum("Forwarded")), (8.0, 5.0));
        let ban = read.iter().find(|line| line["Reason"] == "ban").unwrap();
        assert_eq!(ban["RefusedByReason"], json!([2.0, 2.0]));
        assert_eq!(ban["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["Service", "Environment", "Reason"]]));
        let latency = read.iter().find_map(|line| line["OriginLatency"].as_array()).unwrap();
        let at = |share: f64| latency[(latency.len() as f64 * share) as usize].as_f64().unwrap();
        assert_eq!((at(0.5), at(0.95), at(0.99)), (0.01, 0.1, 1.0), "{} values", latency.len());
    }
}
