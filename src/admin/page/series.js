// The last hour as the page holds it: by the second where it was watched or looked at, coarser before.

import { ask } from "./net.js";

const HOUR = 3600;
const COARSE = 10;
const FINE = 300;

let names = [];
const points = new Map();
let at = new Map();

export let last = 0;

/** What the server gave for a range; a coarse point gives way to fine ones. */
function take(view) {
  names = Object.keys(view.fields);
  at = new Map(names.map((name, i) => [name, i]));
  view.at.forEach((second, i) => {
    const known = points.get(second);
    if (known && known.step < view.step) return;
    points.set(second, { step: view.step, values: names.map((name) => view.fields[name][i]) });
    last = Math.max(last, second);
  });
}

const range = (from, to, step) => ask(`api/timeline?from=${Math.floor(from)}&to=${Math.ceil(to)}&step=${step}`);

export async function load() {
  const [hour, fine] = await Promise.all([range(0, 2 ** 32 - 1, COARSE), range(Date.now() / 1000 - FINE, 2 ** 32 - 1, 1)]);
  points.clear();
  last = 0;
  take(hour);
  take(fine);
  sweep(fine.at[0] ?? Infinity, fine.at.at(-1) ?? 0);
}

/** Leaves out what is coarse within a range that is known by the second. */
function sweep(from, to) {
  for (const [second, point] of points) {
    if (point.step > 1 && second + point.step > from && second <= to) points.delete(second);
  }
}

/** Seconds that were missed while nobody was connected. */
export function missed(view) {
  take(view);
}

/** One more second. Whoever sees that some are missing between asks for them. */
export function add([second, ...values]) {
  const before = last;
  points.set(second, { step: 1, values });
  last = Math.max(last, second);
  for (const old of points.keys()) if (old < last - HOUR) points.delete(old);
  if (before && second > before + 1) range(before + 1, second, 1).then(take, () => {});
}

/** Asks for the seconds of a short range that is known only coarsely. */
export async function refine(from, to) {
  if (to - from > 1200 || ![...points].some(([s, p]) => p.step > 1 && s >= from && s <= to)) return false;
  const view = await range(from, to, 1);
  take(view);
  sweep(from, to);
  return true;
}

export const latest = (name) => points.get(last)?.values[at.get(name)];

/** Seconds and values, in order: [[seconds], [values of the first name], …]. */
export function columns(wanted) {
  const seconds = [...points.keys()].sort((a, b) => a - b);
  const out = wanted.map((name) => {
    const index = at.get(name);
    return seconds.map((second) => points.get(second).values[index] ?? null);
  });
  return [seconds, ...out];
}

/** Means by the minute of [from, to], the newest first; state and latency by their worst. */
export function minutes(from, to) {
  const worst = new Set(["state", "p95"]);
  const found = new Map();
  for (const [second, point] of points) {
    if (second < from || second > to) continue;
    const minute = Math.floor(second / 60) * 60;
    const one = found.get(minute) ?? { minute, seconds: 0, sums: names.map(() => 0) };
    one.seconds += point.step;
    point.values.forEach((value, i) => {
      if (worst.has(names[i])) one.sums[i] = Math.max(one.sums[i], value ?? 0);
      else one.sums[i] += (value ?? 0) * point.step;
    });
    found.set(minute, one);
  }
  const row = ({ minute, seconds, sums }) =>
    ({ minute, ...Object.fromEntries(names.map((n, i) => [n, worst.has(n) ? sums[i] : sums[i] / seconds])) });
  return [...found.values()].sort((a, b) => b.minute - a.minute).map(row);
}
