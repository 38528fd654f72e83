// The live page: asks for the status each second and draws what changed. Everything that comes from outside is put
// in as text, never as HTML.
"use strict";

const KEPT = 300;
const CLASSES = ["forward", "refuse", "fault"];
const $ = (id) => document.getElementById(id);

let token = sessionStorage.getItem("weir-token");
let before = null;
let rates = [];

class Unauthorized extends Error {}

async function ask(path) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const answer = await fetch(path, { headers, cache: "no-store", signal: AbortSignal.timeout(5000) });
  if (answer.status === 401) throw new Unauthorized();
  if (!answer.ok) throw new Error(`${answer.status} ${(await answer.text()).slice(0, 200)}`);
  return answer.json();
}

function element(name, text, className) {
  const e = document.createElement(name);
  if (text !== undefined) e.textContent = text;
  if (className) e.className = className;
  return e;
}

const whole = (n) => Math.round(n).toLocaleString("en");
const perSecond = (n) => (n > 0 && n < 10 ? n.toFixed(1) : whole(n));

/** Fills a table body. A cell is a text, or [text, class]. */
function fill(id, rows, none) {
  const body = $(id);
  body.replaceChildren(...rows.map(({ cells, className }) => {
    const row = element("tr", undefined, className);
    row.append(...cells.map((c) => (Array.isArray(c) ? element("td", c[0], c[1]) : element("td", c))));
    return row;
  }));
  if (!rows.length) {
    const cell = element("td", none, "none");
    cell.colSpan = 9;
    body.append(cell);
  }
}

/** What grew since the last picture, a second; nothing across a restart of weir. */
function difference(now) {
  const same = before && before.started === now.started && now.uptime_s > before.uptime_s;
  const seconds = same ? now.uptime_s - before.uptime_s : 0;
  const rate = (a, b) => (same && b !== undefined ? Math.max(0, a - b) / seconds : 0);
  const count = (list, key, name, field) => list.find((x) => x[key] === name)?.[field];
  const reasons = new Map(now.requests.map((r) =>
    [r.reason, rate(r.count, same ? count(before.requests, "reason", r.reason, "count") : undefined)]));
  const limits = new Map(now.limits.map((l) =>
    [l.name, rate(l.refused, same ? count(before.limits, "name", l.name, "refused") : undefined)]));
  const classes = Object.fromEntries(CLASSES.map((c) =>
    [c, now.requests.filter((r) => r.class === c).reduce((sum, r) => sum + reasons.get(r.reason), 0)]));
  return { same, reasons, limits, classes, at: Date.now() };
}

function p99(latency) {
  const total = latency.counts.reduce((a, b) => a + b, 0);
  if (!total) return "–";
  let seen = 0;
  for (let i = 0; i < latency.counts.length; i++) {
    seen += latency.counts[i];
    if (seen >= total * 0.99) return i < latency.bounds_ms.length ? whole(latency.bounds_ms[i]) : `>${whole(latency.bounds_ms.at(-1))}`;
  }
  return "–";
}

/** The latency since the picture before, or since the start where nothing came. */
function latencyNow(now, same) {
  const [new_, old] = [now.origin.latency, same ? before.origin.latency : null];
  if (!old) return new_;
  const counts = new_.counts.map((n, i) => n - old.counts[i]);
  return counts.some((n) => n > 0) ? { ...new_, counts } : new_;
}

function show(now) {
  const d = difference(now);
  if (d.same) {
    rates.push(d);
    rates = rates.slice(-KEPT);
  }
  $("phase").textContent = now.phase;
  $("phase").className = `badge ${now.phase}`;
  $("about").textContent = `${now.listen.join(" · ")} · up ${duration(now.uptime_s)} · version ${now.version}`;
  notes(now);
  if (d.same) {
    $("forwarded").textContent = perSecond(d.classes.forward);
    $("refused").textContent = perSecond(d.classes.refuse);
    $("failed").textContent = perSecond(d.classes.fault);
  }
  $("in-flight").textContent = whole(now.in_flight);
  $("connections").textContent = whole(now.connections);
  $("latency").textContent = p99(latencyNow(now, d.same));
  tables(now, d);
  $("foot").textContent = `config ${now.config.path} · ${now.config.hash} · loaded ${now.config.loaded} · ` +
    `tables ${(now.table_bytes / 2 ** 20).toFixed(1)} MiB · log: ${whole(now.log.written)} lines written, ` +
    `${whole(now.log.suppressed)} held back, ${whole(now.log.lost)} lost, ${whole(now.log.dropped)} dropped`;
  before = now;
  draw();
}

function tables(now, d) {
  fill("reasons", now.requests.filter((r) => r.count > 0).map((r) => ({
    className: r.class,
    cells: [[`${r.reason} – ${r.text}`, "long"], [perSecond(d.reasons.get(r.reason)), "n"], [whole(r.count), "n"]],
  })), "no request yet");
  fill("limits", now.limits.map((l) => ({
    cells: [`${l.name} – ${l.covers}`, `${l.rate}, burst ${whole(l.burst)}, by ${l.key}`,
      l.enforce < 100 && l.action !== "observe" ? `${l.action} for ${l.enforce}%` : l.action,
      [perSecond(d.limits.get(l.name)), "n"], [whole(l.refused), "n"], [whole(l.observed), "n"]],
  })), "no limit is configured");
  $("capacity").textContent = `can bear ${now.origin.capacity}, ${whole(now.origin.max_in_flight)} in flight`;
  fill("endpoints", now.origin.endpoints.map((e) => {
    const out = e.ejected_for !== null && e.ejected_for !== undefined;
    const state = !e.healthy ? ["unhealthy", "bad"] : out ? ["ejected", "bad"] : ["up", "good"];
    return { cells: [`${e.address}${e.name ? ` (${e.name})` : ""}${e.group === "fallback" ? ", fallback" : ""}`, state,
      [whole(e.in_flight), "n"], [whole(e.requests), "n"], [whole(e.failures), "n"]] };
  }), "no endpoint");
}

function notes(now) {
  const lines = [...now.notes];
  const refused = now.config.refused;
  if (refused) {
    lines.push(`The reload of ${refused.at} was refused; the config before it stays in force:`);
    lines.push(...refused.faults.map((f) => `  ${f.message}`));
  }
  if (now.config.needs_restart.length) lines.push(`Changed, but counts only after a restart: ${now.config.needs_restart.join(", ")}`);
  $("notes").hidden = !lines.length;
  $("notes").replaceChildren(...lines.map((l) => element("li", l)));
}

function showRecent(recent) {
  fill("top", recent.top.map((t) => ({ cells: [t.client, [whole(t.refused), "n"]] })), "nobody");
  fill("recent", recent.refusals.slice(0, 20).map((r) => ({
    cells: [r.time.slice(11, 23), r.client, r.reason, r.rule ?? "", [`${r.method} ${r.host}${r.path}`, "long"], [r.user_agent, "long"]],
  })), "none");
}

function duration(s) {
  const parts = [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]].map(([n, unit], i, all) =>
    [Math.floor((i ? s % all[i - 1][0] : s) / n), unit]).filter(([n]) => n);
  return parts.slice(0, 2).map(([n, unit]) => `${n} ${unit}`).join(" ") || "0 s";
}

/** A round number at or above n. */
function ceiling(n) {
  const power = 10 ** Math.floor(Math.log10(Math.max(n, 1)));
  return [1, 2, 5, 10].map((m) => m * power).find((m) => m >= n);
}

function draw() {
  const canvas = $("chart");
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (!width || !height) return;
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const c = canvas.getContext("2d");
  c.scale(scale, scale);
  const css = getComputedStyle(document.documentElement);
  const colour = (name) => css.getPropertyValue(`--${name}`).trim();
  c.font = `${parseFloat(getComputedStyle(document.body).fontSize) * 0.75}px system-ui, sans-serif`;
  const top = ceiling(Math.max(1, ...rates.flatMap((r) => CLASSES.map((k) => r.classes[k]))));
  const left = c.measureText(whole(top)).width + 10;
  const y = (n) => height - 4 - (n / top) * (height - 20);
  const now = Date.now();
  const x = (at) => width - ((now - at) / (KEPT * 1000)) * (width - left);
  c.fillStyle = colour("soft");
  c.strokeStyle = colour("line");
  c.textAlign = "right";
  c.textBaseline = "middle";
  for (const n of [0, top / 2, top]) {
    c.beginPath();
    c.moveTo(left, y(n));
    c.lineTo(width, y(n));
    c.stroke();
    c.fillText(n < 10 && n % 1 ? n.toFixed(1) : whole(n), left - 6, Math.min(y(n), height - 8));
  }
  for (const k of CLASSES) line(c, rates.map((r) => [x(r.at), y(r.classes[k])]).filter(([at]) => at >= left), colour(k), y(0));
}

function line(c, points, colour, ground) {
  if (points.length < 2) return;
  c.beginPath();
  points.forEach(([px, py], i) => (i ? c.lineTo(px, py) : c.moveTo(px, py)));
  c.strokeStyle = colour;
  c.lineWidth = 2;
  c.lineJoin = "round";
  c.stroke();
  c.lineTo(points.at(-1)[0], ground);
  c.lineTo(points[0][0], ground);
  c.globalAlpha = 0.12;
  c.fillStyle = colour;
  c.fill();
  c.globalAlpha = 1;
}

async function round() {
  try {
    const [status, recent] = await Promise.all([ask("api/status"), ask("api/recent")]);
    $("ask").hidden = true;
    $("main").hidden = false;
    show(status);
    showRecent(recent);
  } catch (error) {
    if (error instanceof Unauthorized) {
      $("wrong").hidden = !token;
      token = null;
      sessionStorage.removeItem("weir-token");
      $("main").hidden = true;
      $("ask").hidden = false;
      $("phase").textContent = "locked";
      $("phase").className = "badge";
      return;
    }
    $("phase").textContent = "no answer";
    $("phase").className = "badge lost";
    $("about").textContent = String(error.message ?? error);
  }
  setTimeout(round, 1000);
}

$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  token = $("token").value.trim();
  $("token").value = "";
  sessionStorage.setItem("weir-token", token);
  round();
});
addEventListener("resize", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
round();
