//! What editors and people get to know of the config, made from what the reader asks for.

use super::read::describe;
use super::section::{Node, Shape, When};
use serde_json::{Map, Value as Json, json};
use toml::de::DeValue;

/// The JSON Schema (draft 2020-12) of a config.
pub fn schema() -> Json {
    let mut schema = object(&describe());
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("weir");
    schema["description"] =
        json!("The config of weir, an edge filter. `weir check FILE` tells more than a schema can.");
    schema
}

/// Patterns of all keys that only a start reads, such as `listen.http` and `limit[].slots`.
pub(super) fn start_only() -> Vec<String> {
    let mut keys = Vec::new();
    walk(&describe(), "", &mut |path, node| {
        if matches!(node.shape, Shape::Value { when: When::Start, .. }) {
            keys.push(path.to_owned());
        }
    });
    keys
}

fn object(nodes: &[Node]) -> Json {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for node in nodes {
        let mut schema = match &node.shape {
            Shape::Value { schema, .. } => schema.clone(),
            Shape::Table(nodes) => object(nodes),
            Shape::Tables(nodes, most) => json!({"type": "array", "maxItems": most, "items": object(nodes)}),
        };
        schema["description"] = json!(node.doc);
        match &node.shape {
            Shape::Value { default: Some(default), .. } => {
                if let Ok(value) = DeValue::parse(default) {
                    schema["default"] = to_json(value.get_ref());
                }
            }
            Shape::Value { required: true, .. } => required.push(node.name),
            _ => {}
        }
        properties.insert(node.name.to_owned(), schema);
    }
    let mut object = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    object
}

/// The value of a default; dates, floats and large numbers are never one.
fn to_json(value: &DeValue<'_>) -> Json {
    match value {
        DeValue::String(text) => json!(text),
        DeValue::Integer(number) => json!(i64::from_str_radix(number.as_str(), number.radix()).unwrap_or_default()),
        DeValue::Boolean(flag) => json!(flag),
        DeValue::Array(items) => items.iter().map(|item| to_json(item.get_ref())).collect(),
        DeValue::Table(table) => {
            table.iter().map(|(key, value)| (key.get_ref().to_string(), to_json(value.get_ref()))).collect()
        }
        DeValue::Float(number) => json!(number.as_str().parse::<f64>().unwrap_or_default()),
        DeValue::Datetime(_) => Json::Null,
    }
}

fn walk<'n>(nodes: &'n [Node], path: &str, see: &mut impl FnMut(&str, &'n Node)) {
    for node in nodes {
        let dot = if path.is_empty() { "" } else { "." };
        let inner = format!("{path}{dot}{}", node.name);
        see(&inner, node);
        match &node.shape {
            Shape::Value { .. } => {}
            Shape::Table(nodes) => walk(nodes, &inner, see),
            Shape::Tables(nodes, _) => walk(nodes, &format!("{inner}[]"), see),
        }
    }
}

/// The reference of all keys, in Markdown.
pub fn reference() -> String {
    let mut out = String::from(INTRODUCTION);
    let nodes = describe();
    walk(&nodes, "", &mut |path, node| match &node.shape {
        Shape::Table(nodes) => table(&mut out, &format!("[{}]", path.replace("[]", "")), node, nodes),
        Shape::Tables(nodes, _) => table(&mut out, &format!("[[{path}]]"), node, nodes),
        Shape::Value { .. } => {}
    });
    out
}

fn table(out: &mut String, heading: &str, node: &Node, nodes: &[Node]) {
    out.push_str(&format!("\n## {heading}\n\n{}\n\n", node.doc));
    out.push_str("| key | value | default | meaning | a change takes effect |\n|---|---|---|---|---|\n");
    for node in nodes {
        let Shape::Value { words, default, required, when, .. } = &node.shape else { continue };
        let default = match default {
            Some(default) => format!("`{default}`"),
            None if *required => "must be given".to_owned(),
            None => "none".to_owned(),
        };
        let when = match when {
            When::Live => "at the reload",
            When::Start => "at the next start",
        };
        let cells = [&format!("`{}`", node.name), words, &default, node.doc, when].map(|cell| cell.replace('|', "\\|"));
        out.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
}

const INTRODUCTION: &str = "\
# Every key of the config

<!-- Generated: `cargo run -- schema --markdown > docs/config.md`. A test fails when it is stale. -->

A config is a TOML file; `weir check FILE` tells all that is wrong with it, each fault with its line and key, and sums
up what it means. `weir schema` prints a JSON Schema, which config/weir.schema.json is; an editor with taplo completes keys by it and
shows these texts when the first line of a config is `#:schema weir.schema.json`.

- Quantities carry their unit: durations `500ms`, `10s`, `1m`, `2h`, `1d`; sizes `512B`, `32KiB`, `10MiB`, `1GiB` (and
  `KB`, `MB`, `GB` in thousands); rates `10/s`, `30/m`, `100/h`, `1/d`; shares `25%`, `0.5%`.
- Relative paths start at the config's own folder. Environment variables are not filled in.
- Unknown keys are faults, so that a misspelt one is never just ignored.
- A config with a fault is refused whole; a running weir keeps the last good one.
";
