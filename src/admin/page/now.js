// What goes on now: the state and why, figures, ranks, who sends and who is refused, how requests end.

import { $, clock, duration, el, fill, list, millis, rate, say, share, tableSection, whole } from "./dom.js";
import { latest } from "./series.js";

const FIGURES = [
  ["offered", "offered a second", "offer"],
  ["forwarded", "forwarded a second", "forward"],
  ["refused", "refused a second", "refuse"],
  ["challenged", "asked for proof a second", ""],
  ["errors", "failed a second", "fault"],
  ["in_flight", "in flight", ""],
  ["p95", "first byte, 95 %", ""],
  ["clients", "clients in ten seconds", ""],
];

const REFUSED = ["limit", "ban", "flood", "full", "malformed"];

export function sections() {
  $("figures").append(...FIGURES.map(([id, words, style]) =>
    el("div", { class: style }, el("dt", {}, words), el("dd", { id: `now-${id}` }, "–"))));
  const offenders = ["who", ">a second", ">share", "rank", "refused lately for", "network of"];
  return [
    tableSection("Refused most", "by-refused", offenders),
    tableSection("Sends most", "by-requests", offenders),
    tableSection("Networks that send most", "by-net", ["network", ">a second", ">share", "of"]),
    tableSection("Ranks, the first goes first", "ranks", ["rank", ">offered/s", ">forwarded/s", ">refused/s", ">asked/s", "meaning"]),
    tableSection("How requests end", "reasons", ["reason", ">a second", ">in all", "meaning"]),
    tableSection("Changes of state", "changes", ["time", "state", "why", "figures"]),
  ];
}

export const refusals = () => tableSection("Latest refusals", "recent", ["time", "client", "why", "rule", "request", "user agent"]);

let before = null;

/** What a counter grew by, a second; nothing across a restart of weir. */
export function grown(status) {
  const same = before && before.started === status.started && status.uptime_s > before.uptime_s;
  const seconds = same ? status.uptime_s - before.uptime_s : 1;
  const old = same ? before : null;
  const of = (items, key, field) => new Map((old?.[items] ?? []).map((item) => [item[key], item[field]]));
  const maps = { refused: of("limits", "name", "refused"), observed: of("limits", "name", "observed"), ended: of("requests", "reason", "count") };
  before = status;
  return (kind, name, now) => (maps[kind].has(name) ? Math.max(0, now - maps[kind].get(name)) / seconds : 0);
}

export function show(picture, growth) {
  const { status } = picture;
  state(status);
  figures();
  ranks(status.flood.ranks);
  for (const [id, rows] of [["by-refused", picture.by_refused], ["by-requests", picture.by_requests]]) {
    fill(id, rows, (o) => o.who, offender, "nobody");
  }
  const owners = picture.by_owner.map((o) => ({ ...o, who: o.owner, owner: `${whole(o.clients)} clients of a sample` }));
  fill("by-net", [...picture.by_net24.slice(0, 6), ...picture.by_net16.slice(0, 4), ...owners.slice(0, 4)], (o) => o.who,
    (o) => [[o.who, "wrap"], [rate(o.rate), "n"], [share(o.share), "n"], [place(o), "long"]], "nobody");
  fill("reasons", status.requests.filter((r) => r.count > 0), (r) => r.reason, (r) =>
    [[r.reason, r.class], [rate(growth("ended", r.reason, r.count)), "n"], [whole(r.count), "n"], [r.text, "long"]], "no request yet");
  fill("changes", picture.changes, (c) => c.at, (c) => [clock(c.at), `${c.from} → ${c.to}`, [c.why, "long"], [c.evidence, "long"]], "none since the start");
  fill("recent", picture.recent.refusals, (r) => `${r.time} ${r.client} ${r.path}`, (r) =>
    [r.time.slice(11, 19), r.client, r.reason, r.rule ?? "", [`${r.method} ${r.host}${r.path}`, "long"], [r.user_agent, "long"]], "none");
}

const place = (o) => [o.country, o.owner].filter(Boolean).join(" · ");

const offender = (o) => [o.who, [rate(o.rate), "n"], [share(o.share), "n"], o.rank, [o.reason, "long"], [place(o), "long"]];

function ranks(rows) {
  fill("ranks", rows, (r) => r.rank, (r) => [r.rank, [rate(r.offered), "n"], [rate(r.forwarded), "n"],
    [rate(r.refused), r.refused >= 0.05 ? "n refuse" : "n"], [rate(r.challenged), "n"], [r.meaning, "long"]], "nobody yet");
}

const MARKS = { normal: "●", elevated: "▲", attack: "■", overload: "◆" };

function state({ flood, phase }) {
  const name = flood.enabled ? flood.state : "not watched";
  say($("state-name"), `${MARKS[name] ?? "○"} ${name}`);
  say($("state-why"), flood.enabled ? `since ${clock(flood.since)}: ${flood.why}` : "flood.enabled is false");
  $("state-box").className = name;
  const onset = flood.onset ? ` · unusual since ${clock(flood.onset)}` : "";
  say($("evidence"), flood.enabled ? `for ${duration(flood.lasted_s)}${onset} · ${flood.evidence}` : "");
  document.title = name === "normal" ? `weir ${phase}` : `${name.toUpperCase()} – weir`;
}

function figures() {
  for (const [id] of FIGURES) {
    const value = id === "refused" ? REFUSED.reduce((sum, name) => sum + (latest(name) ?? 0), 0) : latest(id);
    const show = id === "in_flight" || id === "clients" ? whole : rate;
    const text = id === "p95" ? millis(value) : value === undefined || value === null ? "–" : show(value);
    say($(`now-${id}`), text);
  }
}

export function notes(status) {
  const lines = [...status.notes];
  const { refused, needs_restart: restart } = status.config;
  if (refused) {
    lines.push(`The reload of ${refused.at} was refused; the config before it stays in force:`);
    lines.push(...refused.faults.map((fault) => fault.message));
  }
  if (restart.length) lines.push(`Changed, but counts only after a restart: ${restart.join(", ")}`);
  $("notes-box").hidden = !lines.length;
  list("notes", lines);
}
