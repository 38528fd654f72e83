// The charts of the last hour: one range for all three, moved by buttons, keys, or by dragging over one of them.

/* global uPlot */
import { $, clock, duration, el, fill, millis, rate, say } from "./dom.js";
import * as series from "./series.js";

export const STATES = ["normal", "elevated", "attack", "overload"];
const LONGEST = 3600;
const SHORTEST = 30;

/** Name in the timeline, words, colour, dashes, filled. Lines differ by their dashes too, not by colour alone. */
const CHARTS = [
  { title: "Requests a second", height: 280, bands: true, lines: [
    ["offered", "offered", "--offer", []],
    ["forwarded", "forwarded", "--forward", [], true],
    ["capacity", "capacity", "--ink", [10, 5]],
    ["usual", "usual", "--soft", [2, 4]],
    ["errors", "errors", "--fault", [4, 2]]] },
  { title: "Refused a second, by reason", height: 190, lines: [
    ["limit", "limit", "--refuse", [], true],
    ["flood", "flood", "--fault", [8, 3]],
    ["ban", "ban or deny list", "--ink", [3, 3]],
    ["full", "capacity used up", "--offer", [10, 3, 2, 3]],
    ["malformed", "malformed or slow", "--soft", [2, 4]],
    ["challenged", "asked for proof", "--forward", [6, 2]]] },
  { title: "Origin: first byte in ms, and requests in flight", height: 150, lines: [
    ["p95", "95 % within", "--refuse", []],
    ["p50", "50 % within", "--forward", [6, 3]],
    ["in_flight", "in flight", "--soft", [2, 3]]] },
];

const view = { live: true, span: 900, to: 0 };
let charts = [];

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const bounds = () => {
  const to = view.live ? series.last : view.to;
  return [to - view.span, to];
};

/** Where the state was not normal, the ground is shaded and named. */
function shade(u) {
  const [seconds, states] = series.columns(["state"]);
  const { left, top, width, height } = u.bbox;
  u.ctx.save();
  u.ctx.beginPath();
  u.ctx.rect(left, top, width, height);
  u.ctx.clip();
  u.ctx.textAlign = "left";
  u.ctx.textBaseline = "alphabetic";
  u.ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
  for (let i = 0; i < seconds.length; i++) {
    if (!(states[i] > 0)) continue;
    const from = i;
    while (i + 1 < seconds.length && states[i + 1] === states[from]) i++;
    const x = u.valToPos(seconds[from], "x", true);
    const end = u.valToPos(seconds[i] + 1, "x", true);
    if (end < left || x > left + width) continue;
    u.ctx.fillStyle = css(states[from] === 1 ? "--band-soft" : "--band");
    u.ctx.fillRect(x, top, end - x, height);
    u.ctx.fillStyle = css("--ink");
    const words = STATES[states[from]];
    const room = Math.min(end, left + width) - Math.max(x, left);
    if (u.ctx.measureText(words).width + 8 * devicePixelRatio < room) u.ctx.fillText(words, Math.max(x, left) + 4 * devicePixelRatio, top + 14 * devicePixelRatio);
  }
  u.ctx.restore();
}

function make(chart, box) {
  const axis = { stroke: css("--soft"), grid: { stroke: css("--line"), width: 1 }, ticks: { stroke: css("--line"), width: 1 } };
  const line = ([, words, colour, dash, filled]) =>
    ({ label: words, stroke: css(colour), width: 2, dash, fill: filled ? `${css(colour)}2b` : undefined, points: { show: false } });
  const options = {
    width: Math.max(box.clientWidth, 200), height: chart.height,
    legend: { show: false },
    cursor: { sync: { key: "weir" }, drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
    scales: { y: { range: (_, __, most) => [0, Math.max(1, most * 1.08)] } },
    axes: [
      { ...axis, size: 30, values: (_, ticks, __, ___, step) => ticks.map((t) => clock(t * 1000).slice(0, step < 60 ? 8 : 5)) },
      { ...axis, size: 56, values: (_, ticks) => ticks.map((t) => (t >= 10000 ? `${t / 1000}k` : String(t))) },
    ],
    series: [{}, ...chart.lines.map(line)],
    hooks: {
      setSelect: [(u) => {
        if (u.select.width < 8) return;
        look(u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x"));
        u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
      }],
      setCursor: [(u) => legend(chart, u.cursor.idx)],
      drawClear: chart.bands ? [shade] : [],
    },
  };
  return new uPlot(options, data(chart), box);
}

const data = (chart) => series.columns(chart.lines.map(([name]) => name));

/** Values where the pointer is, else the newest. */
function legend(chart, index) {
  const [, ...values] = chart.data ?? data(chart);
  chart.items.forEach((item, i) => {
    const at = index ?? values[i].length - 1;
    say(item, values[i][at] === null || values[i][at] === undefined ? "–" : rate(values[i][at]));
  });
}

/** Builds the charts, at the start and where colours change. */
export function build() {
  charts.forEach((chart) => chart.plot.destroy());
  $("charts").replaceChildren();
  charts = CHARTS.map((base) => {
    const items = base.lines.map(() => el("b", {}, "–"));
    const key = base.lines.map(([name, words], i) => el("li", { class: `key-${name}` }, el("i"), `${words} `, items[i]));
    const box = el("div", { role: "img", "aria-label": base.title });
    $("charts").append(el("figure", {}, el("figcaption", {}, el("h3", {}, base.title), el("ul", { class: "key" }, ...key)), box));
    return { ...base, items, box };
  });
  charts.forEach((chart) => {
    chart.plot = make(chart, chart.box);
  });
  draw();
}

export function draw() {
  if (document.hidden || !charts.length) return;
  const [min, max] = bounds();
  for (const chart of charts) {
    chart.data = data(chart);
    chart.plot.setData(chart.data, false);
    chart.plot.setScale("x", { min, max });
    if (chart.plot.cursor.idx === null || chart.plot.cursor.left < 0) legend(chart, null);
  }
  const ago = series.last - max;
  say($("range"), `${clock(min * 1000)} to ${clock(max * 1000)}${view.live ? "" : `, ${duration(Math.max(0, ago))} ago`}`);
  $("live").setAttribute("aria-pressed", String(view.live));
  for (const span of [300, 900, 3600]) $(`span-${span}`).setAttribute("aria-pressed", String(view.span === span));
  describe(min, max);
}

let described = 0;

/** The text beside the charts: now and then, and where it is asked for. */
function describe(min, max) {
  const now = Date.now();
  if (now - described < 5000 && view.live) return;
  described = now;
  const rows = series.minutes(min, max);
  const refused = (r) => r.limit + r.ban + r.flood + r.full + r.malformed;
  if (rows.length) {
    const r = rows[0];
    charts[0].box.setAttribute("aria-label", `Requests a second. In the last minute shown: ${rate(r.offered)} offered, ` +
      `${rate(r.forwarded)} forwarded of ${rate(r.capacity)} that the origin can bear, ${rate(refused(r))} refused, ${rate(r.errors)} failed.`);
  }
  if (!$("table-box").open) return;
  fill("minutes", rows, (r) => r.minute, (r) => [
    clock(r.minute * 1000).slice(0, 5), STATES[r.state] ?? "–", [rate(r.offered), "n"], [rate(r.forwarded), "n"], [rate(refused(r)), "n"],
    [rate(r.challenged), "n"], [rate(r.errors), "n"], [r.p95 ? millis(r.p95) : "–", "n"]], "nothing yet");
}

/** Shows a range, as far as there is one. */
export function look(from, to) {
  const span = Math.min(LONGEST, Math.max(SHORTEST, Math.round(to - from)));
  const latest = series.last;
  view.span = span;
  view.to = Math.min(latest, Math.max(Math.round(to), latest - LONGEST + span));
  view.live = view.to >= latest;
  described = 0;
  draw();
  if (!view.live) series.refine(view.to - span, view.to).then((more) => more && draw(), () => {});
}

const move = (by) => {
  const [from, to] = bounds();
  look(from + by * view.span, to + by * view.span);
};

const zoom = (by) => {
  const [from, to] = bounds();
  const [middle, half] = [(from + to) / 2, (view.span * by) / 2];
  if (view.live) look(to - half * 2, to);
  else look(middle - half, middle + half);
};

const goLive = () => {
  view.live = true;
  described = 0;
  draw();
};

export function controls() {
  $("live").addEventListener("click", goLive);
  for (const span of [300, 900, 3600]) {
    $(`span-${span}`).addEventListener("click", () => {
      const [, to] = bounds();
      look(to - span, to);
    });
  }
  const steps = { back: () => move(-0.5), on: () => move(0.5), in: () => zoom(0.5), out: () => zoom(2) };
  for (const [id, step] of Object.entries(steps)) $(id).addEventListener("click", step);
  const keys = { ArrowLeft: () => move(-0.25), ArrowRight: () => move(0.25), "+": steps.in, "-": steps.out, End: goLive,
    Home: () => look(series.last - LONGEST, series.last - LONGEST + view.span) };
  $("charts").addEventListener("keydown", (event) => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  });
  $("table-box").addEventListener("toggle", () => {
    described = 0;
    draw();
  });
  new ResizeObserver(() => charts.forEach((chart) => {
    const width = Math.max(chart.box.clientWidth, 200);
    if (chart.plot && chart.plot.width !== width) chart.plot.setSize({ width, height: chart.height });
  })).observe($("charts"));
  document.addEventListener("visibilitychange", draw);
}
