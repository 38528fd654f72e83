//! The dashboard for Grafana 10 and newer.

use super::panels::{Draw, Panel, Row, rows};
use serde_json::{Value, json};

/// Columns of Grafana's grid.
const WIDTH: usize = 24;

/// deploy/dashboards/grafana.json.
pub fn dashboard() -> String {
    let mut panels = vec![];
    let (mut id, mut y) = (0, 0);
    for row in rows() {
        add(&row, &mut panels, &mut id, &mut y);
    }
    let dashboard = json!({
        "title": "weir", "uid": "weir-edge", "tags": ["weir"], "editable": true, "graphTooltip": 1,
        "schemaVersion": 39, "version": 1, "refresh": "10s", "timezone": "browser",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": variables()},
        "annotations": {"list": []}, "links": [], "panels": panels,
    });
    format!("{dashboard:#}\n")
}

fn variables() -> Value {
    let source = source();
    json!([
        {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "current": {}},
        {
            "name": "job", "label": "Job", "type": "query", "datasource": source, "refresh": 2, "sort": 1,
            "definition": "label_values(weir_build_info, job)",
            "query": {"query": "label_values(weir_build_info, job)", "refId": "job"},
        },
        {
            "name": "instance", "label": "Task", "type": "query", "datasource": source, "refresh": 2, "sort": 1,
            "multi": true, "includeAll": true, "allValue": ".*", "current": {"text": ["All"], "value": ["$__all"]},
            "definition": "label_values(weir_build_info{job=\"$job\"}, instance)",
            "query": {"query": "label_values(weir_build_info{job=\"$job\"}, instance)", "refId": "instance"},
        },
    ])
}

fn source() -> Value {
    json!({"type": "prometheus", "uid": "${datasource}"})
}

fn add(row: &Row, panels: &mut Vec<Value>, id: &mut usize, y: &mut usize) {
    *id += 1;
    panels.push(json!({
        "id": *id, "type": "row", "title": row.title, "collapsed": false, "panels": [],
        "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": *y},
    }));
    *y += 1;
    let number = row.panels.iter().all(|panel| panel.draw == Draw::Number);
    let (width, height) = if number { (4, 4) } else { (8, 8) };
    for line in row.panels.chunks(WIDTH / width) {
        for (at, panel) in line.iter().enumerate() {
            *id += 1;
            let place = json!({"h": height, "w": width, "x": at * width, "y": *y});
            panels.push(one(panel, *id, &place));
        }
        *y += height;
    }
}

fn one(panel: &Panel, id: usize, place: &Value) -> Value {
    let targets = panel.queries.iter().zip('A'..).map(|(query, name)| {
        json!({
            "refId": name.to_string(), "datasource": source(), "editorMode": "code", "range": true,
            "expr": query.expr, "legendFormat": query.legend,
        })
    });
    let (kind, options) = match panel.draw {
        Draw::Number => (
            "stat",
            json!({"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": false}, "graphMode": "area",
                "colorMode": "value"}),
        ),
        _ => (
            "timeseries",
            json!({"legend": {"displayMode": "list", "placement": "bottom", "showLegend": true},
                "tooltip": {"mode": "multi", "sort": "desc"}}),
        ),
    };
    let stack = if panel.draw == Draw::Stack { "normal" } else { "none" };
    let fill = if panel.draw == Draw::Stack { 30 } else { 5 };
    let mut defaults = json!({
        "unit": if panel.unit == "state" { "short" } else { panel.unit }, "min": 0,
        "custom": {"stacking": {"mode": stack, "group": "A"}, "fillOpacity": fill, "showPoints": "never"},
    });
    if panel.unit == "state" {
        let states = crate::flood::state::FloodState::ALL.iter().zip(["green", "yellow", "red", "purple"]);
        let mapped = states.enumerate().map(|(place, (state, colour))| {
            (place.to_string(), json!({"text": state.name(), "color": colour, "index": place}))
        });
        let mapped: serde_json::Map<_, _> = mapped.collect();
        defaults["mappings"] = json!([{"type": "value", "options": mapped}]);
    }
    json!({
        "id": id, "type": kind, "title": panel.title, "description": panel.help, "datasource": source(),
        "gridPos": place, "options": options, "targets": targets.collect::<Vec<_>>(),
        "fieldConfig": {"defaults": defaults, "overrides": []},
    })
}
