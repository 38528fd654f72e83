//! Tab-separated values; the header line says which column is which.

use super::Line;
use super::fields::{self, short};

/// Where the columns that are used stand.
pub(super) struct Columns {
    t: usize,
    client: usize,
    method: Option<usize>,
    path: Option<usize>,
    has_query: Option<usize>,
    status: Option<usize>,
    bytes: Option<usize>,
    user_agent: Option<usize>,
    label: Option<usize>,
    challenge: Option<usize>,
}

impl Columns {
    /// The columns that `header` names, or the name of the one it lacks.
    pub(super) fn new(header: &str) -> Result<Self, &'static str> {
        let at =
            |name: &str| header.trim_start_matches('\u{feff}').split('\t').position(|column| column.trim() == name);
        Ok(Self {
            t: at("t").ok_or("t")?,
            client: at("ip").or_else(|| at("client")).ok_or("ip")?,
            method: at("method"),
            path: at("path"),
            has_query: at("has_query"),
            status: at("status"),
            bytes: at("bytes"),
            user_agent: at("user_agent"),
            label: at("label"),
            challenge: at("challenge"),
        })
    }

    pub(super) fn parse(&self, text: &str) -> Result<Line, String> {
        let values: Vec<&str> = text.split('\t').collect();
        let value = |at: Option<usize>| at.and_then(|at| values.get(at)).copied().unwrap_or_default();
        let raw_t = value(Some(self.t));
        let t = raw_t.parse().map_err(|_| format!("t \"{}\": expected seconds since 1970", short(raw_t)))?;
        let (path, query) = fields::path(value(self.path));
        let method = value(self.method);
        let label = value(self.label);
        Ok(Line {
            t: fields::epoch_seconds(t)?,
            client: value(Some(self.client)).to_owned(),
            method: if method.is_empty() { "GET" } else { method }.to_owned(),
            path: if path.is_empty() { "/".to_owned() } else { path },
            has_query: query || value(self.has_query) == "1",
            status: fields::number("status", value(self.status))?,
            bytes: fields::number("bytes", value(self.bytes))?,
            user_agent: match value(self.user_agent) {
                "-" => String::new(),
                agent => agent.to_owned(),
            },
            label: (!label.is_empty()).then(|| label.to_owned()),
            took: None,
            challenge: fields::yes_or_no("challenge", value(self.challenge))?,
        })
    }
}
