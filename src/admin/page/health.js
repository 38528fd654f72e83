// Whatever weir leans on: the origin, sinks, the fleet, AWS, alerts, the config and its last reload.

import { $, duration, el, fill, list, say, tableSection, whole } from "./dom.js";

/** Parts of the status that are shown elsewhere or named here. What comes new is shown as it is. */
const KNOWN = new Set(["version", "identity", "phase", "started", "uptime_s", "listen", "config", "notes", "requests", "limits", "table_bytes",
  "in_flight", "connections", "connections_total", "bytes_in", "bytes_out", "bans", "guardduty", "waf", "fleet", "flood", "origin", "log",
  "outlets", "alerts"]);

export const sections = () => [
  tableSection("Origin", "endpoints", ["endpoint", "state", ">in flight", ">requests", ">failed"], el("p", { id: "capacity", class: "soft" })),
  tableSection("Sinks and helpers", "sinks", ["what", "state", "how it goes"]),
  el("section", { "aria-labelledby": "config-title" }, el("h2", { id: "config-title" }, "Config"),
    el("p", { id: "config-now" }), el("h3", {}, "What the last reload changed"), el("ul", { id: "changed" })),
];

const ok = (good, bad) => (good ? ["✓ well", "good"] : [`✗ ${bad}`, "bad"]);

function waf(w) {
  const trouble = w.sets.map((set) => set.trouble && `${set.name}: ${set.trouble}`).filter(Boolean);
  if (!w.writer) return ["AWS WAF", ["✓ another writes", "good"], "written by another weir of the fleet"];
  const [ours, room] = [w.sets.reduce((n, s) => n + s.ours, 0), w.sets.reduce((n, s) => n + s.capacity, 0)];
  return ["AWS WAF", ok(!trouble.length, "trouble"), [`${whole(ours)} networks of ${whole(room)}, ${whole(w.pending)} on their way, 95 of 100 taken within ${whole(w.sent.p95_ms)} ms`, ...trouble].join("; ")];
}

function fleet(f) {
  const how = f.connected ? `${f.name}: ${f.tasks} tasks${f.leads ? ", led by this one" : ""}${f.in_attack ? `, ${f.in_attack} in an attack` : ""}` : `alone for ${duration(f.since_s)}: ${f.fault}`;
  return ["Fleet", ok(f.connected, "alone"), how];
}

function outlet(o) {
  const failing = o.failing ? `; ${o.failing}${o.failing_for_s ? ` for ${duration(o.failing_for_s)}` : ""}` : "";
  return [`${o.name} ${o.to}`, ok(!o.failing, "failing"), `${whole(o.sent)} sent, ${whole(o.lost)} lost, ${whole(o.waiting_bytes)} bytes wait${failing}`];
}

/** Anything, one level deep, as words. */
function words(value) {
  if (value === null || typeof value !== "object") return String(value);
  if (Array.isArray(value)) return `${value.length}`;
  return Object.entries(value).filter(([, v]) => v !== null).map(([k, v]) => `${k.replaceAll("_", " ")} ${words(v)}`).join(", ");
}

function sinks(status) {
  const { log, config, guardduty } = status;
  const rows = [["Access log", ok(!log.lost && !log.dropped, "losses"),
    `${whole(log.written)} lines, ${whole(log.suppressed)} held back, ${whole(log.lost)} lost, ${whole(log.dropped)} dropped`]];
  if (status.waf) rows.push(waf(status.waf));
  if (status.fleet) rows.push(fleet(status.fleet));
  if (guardduty) rows.push(["GuardDuty", ok(!guardduty.failing, "failing"), `${whole(guardduty.received)} findings, ${whole(guardduty.acted)} acted on${guardduty.failing ? `; ${guardduty.failing}` : ""}`]);
  if (config.source) rows.push(["Config from AWS", ok(!config.source.failing, "failing"), `version ${config.source.version}, confirmed ${duration(config.source.age_s)} ago${config.source.failing ? `; ${config.source.failing}` : ""}`]);
  rows.push(...(status.outlets ?? []).map(outlet));
  for (const [key, value] of Object.entries(status)) {
    if (KNOWN.has(key) || value === null || typeof value !== "object") continue;
    rows.push([key.replaceAll("_", " "), ok(!value.failing && !value.fault, "failing"), words(value)]);
  }
  return rows;
}

/** Alerts that fire, whatever else is told of them. */
function alerts(status) {
  const all = Array.isArray(status.alerts) ? status.alerts : status.alerts?.firing ?? [];
  const fires = (a) => a.firing ?? (a.state === undefined || a.state === "firing");
  return all.filter((a) => typeof a === "object" && fires(a)).map((a) => {
    const { name, severity, firing, state, ...more } = a;
    return `${severity ? `${severity}: ` : ""}${name}${Object.keys(more).length ? ` – ${words(more)}` : ""}`;
  });
}

export function show(status) {
  const { origin, config } = status;
  fill("endpoints", origin.endpoints, (e) => e.address, (e) => {
    const out = e.ejected_for !== null && e.ejected_for !== undefined;
    return [[`${e.address}${e.name ? ` (${e.name})` : ""}${e.group === "fallback" ? ", fallback" : ""}`, "wrap"], ok(e.healthy && !out, e.healthy ? `ejected for ${duration(e.ejected_for)}` : "unhealthy"),
      [whole(e.in_flight), "n"], [whole(e.requests), "n"], [whole(e.failures), "n"]];
  }, "no endpoint");
  say($("capacity"), `can bear ${origin.capacity}, ${whole(origin.max_in_flight)} in flight`);
  fill("sinks", sinks(status), (row) => row[0], ([what, state, how]) => [[what, "wrap"], state, [how, "long"]], "none");
  const lines = alerts(status);
  $("alerts-box").hidden = !lines.length;
  list("alerts", lines);
  say($("config-now"), `${config.path} · ${config.hash} · loaded ${config.loaded} · ${whole(config.reloads)} reloads accepted, ${whole(config.reloads_failed)} refused`);
  list("changed", config.changes?.length ? config.changes : [config.reloads ? "nothing" : "not reloaded yet"]);
}
