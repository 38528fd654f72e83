//! deploy/alerts.yml as Prometheus itself reads it, and two of its rules on figures.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::process::Command;

const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/alerts.yml");

/// None, and said why, where promtool is not installed.
fn promtool(args: &[&str]) -> Option<(bool, String)> {
    let Ok(out) = Command::new("promtool").args(args).output() else {
        let advice = "promtool is not installed: run make setup-test";
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{advice}");
        eprintln!("skipped: {advice}");
        return None;
    };
    let text = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
    Some((out.status.success(), text))
}

#[test]
fn the_rules_are_sound() {
    let Some((sound, said)) = promtool(&["check", "rules", RULES]) else { return };
    let count = std::fs::read_to_string(RULES).unwrap().matches("- alert: ").count();
    assert!(sound && count > 10 && said.contains(&format!("{count} rules found")), "{said}");
}

/// Errors fire after five minutes and not before, refused known clients too; a hundred requests are needed.
#[test]
fn rules_fire_as_weir_does() {
    let test = r#"
rule_files: [RULES]
evaluation_interval: 15s
tests:
  - interval: 15s
    input_series:
      - {series: 'weir_responses_total{class="2xx",by="origin",instance="a"}', values: '0+900x80'}
      - {series: 'weir_responses_total{class="5xx",by="origin",instance="a"}', values: '0+0x20 20+20x60'}
      - {series: 'weir_ready{instance="a"}', values: '1x80'}
    alert_rule_test:
      - {eval_time: 5m, alertname: WeirServerErrors, exp_alerts: []}
      - {eval_time: 10m, alertname: WeirServerErrors, exp_alerts: []}
      - eval_time: 11m
        alertname: WeirServerErrors
        exp_alerts:
          - exp_labels: {severity: critical}
            exp_annotations: {summary: SUMMARY, runbook_url: RUNBOOK}
      - {eval_time: 11m, alertname: WeirSilent, exp_alerts: []}
  - interval: 15s
    input_series:
      - {series: 'weir_responses_total{class="2xx",by="origin",instance="a"}', values: '0+10x80'}
      - {series: 'weir_responses_total{class="5xx",by="weir",instance="a"}', values: '0+10x80'}
    alert_rule_test:
      - {eval_time: 15m, alertname: WeirServerErrors, exp_alerts: []}
      - eval_time: 15m
        alertname: WeirSilent
        exp_alerts:
          - exp_labels: {severity: critical}
            exp_annotations: {summary: 'no weir serves, or Prometheus reaches none', runbook_url: SILENT}
  - interval: 15s
    input_series:
      - {series: 'weir_flood_state{state="attack",instance="a"}', values: '0x20 1x20'}
      - {series: 'weir_flood_state{state="normal",instance="a"}', values: '1x20 0x20'}
      - {series: 'weir_origin_endpoint_up{endpoint="a",group="primary",instance="a"}', values: '0x20'}
      - {series: 'weir_origin_endpoint_up{endpoint="b",group="primary",instance="a"}', values: '1x20'}
      - {series: 'weir_waf_sync_age_seconds{set="a",instance="a"}', values: '900x40'}
      - {series: 'weir_waf_writer{instance="a"}', values: '0x20 1x20'}
    promql_expr_test:
      - {expr: ATTACK, eval_time: 6m, exp_samples: [{labels: '{}', value: 2}]}
      - {expr: ATTACK, eval_time: 4m, exp_samples: []}
      - {expr: DOWN, eval_time: 4m, exp_samples: [{labels: '{}', value: 1}]}
      - {expr: WAF, eval_time: 4m, exp_samples: []}
      - {expr: WAF, eval_time: 6m, exp_samples: [{labels: '{}', value: 900}]}
"#;
    let rules = std::fs::read_to_string(RULES).unwrap();
    let of = |alert: &str, key: &str| {
        let rule = rules.split("- alert: ").find(|r| r.starts_with(&format!("{alert}\n"))).unwrap();
        let value = rule.lines().find_map(|l| l.trim().strip_prefix(&format!("{key}: "))).unwrap();
        serde_json::from_str::<String>(value).unwrap_or_else(|_| value.to_owned())
    };
    let mut test = test.replace("RULES", RULES);
    for (mark, alert, key) in [
        ("SUMMARY", "WeirServerErrors", "summary"),
        ("RUNBOOK", "WeirServerErrors", "runbook_url"),
        ("SILENT", "WeirSilent", "runbook_url"),
        ("ATTACK", "WeirAttack", "expr"),
        ("DOWN", "WeirOriginDown", "expr"),
        ("WAF", "WeirWafSync", "expr"),
    ] {
        let value = of(alert, key);
        // A string of JSON is one of YAML.
        test = test.replace(mark, &serde_json::json!(value).to_string());
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.yml");
    std::fs::write(&file, test).unwrap();
    let Some((passed, said)) = promtool(&["test", "rules", file.to_str().unwrap()]) else { return };
    assert!(passed, "{said}");
}
