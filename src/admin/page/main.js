// The live page: asks what it may, loads the last hour, then listens.

import { $, duration, say, whole } from "./dom.js";
import * as bans from "./bans.js";
import * as charts from "./charts.js";
import * as health from "./health.js";
import * as limits from "./limits.js";
import * as now from "./now.js";
import * as series from "./series.js";
import { Locked, ask, hasToken, listen, setToken } from "./net.js";
import { themes } from "./theme.js";

let acts = false;
let started = null;

function build() {
  const [refused, requests, networks, ranks, reasons, changes] = now.sections();
  const [endpoints, sinks, config] = health.sections();
  const wide = [bans.section(), limits.section(), now.refusals()];
  wide.forEach((section) => section.classList.add("wide"));
  $("columns").append(refused, requests, ranks, networks, wide[0], wide[1], reasons, sinks, endpoints, config, changes, wide[2]);
  bans.controls();
  charts.controls();
  themes(() => series.last && charts.build());
}

function show(picture) {
  const { status } = picture;
  const growth = now.grown(status);
  say($("phase"), status.phase);
  $("phase").className = `badge ${status.phase}`;
  const task = status.identity?.task ? `task ${status.identity.task} · ` : "";
  say($("about"), `${task}${status.listen.join(" · ")} · up ${duration(status.uptime_s)}`);
  now.show(picture, growth);
  now.notes(status);
  bans.show(picture, acts);
  limits.show(status, growth, acts);
  health.show(status);
  const hint = acts ? "" : " · read-only: set admin.token_file to act from here";
  say($("foot"), `weir ${status.version} · ${whole(status.connections)} connections · tables ${(status.table_bytes / 2 ** 20).toFixed(1)} MiB${hint}`);
}

async function onEvent(event) {
  if (!event.data) return;
  const data = JSON.parse(event.data);
  if (event.type === "missed") {
    series.missed(data);
    charts.draw();
    return;
  }
  const again = started !== null && started !== data.picture.status.started;
  started = data.picture.status.started;
  if (again) await series.load();
  series.add(data.sample);
  show(data.picture);
  charts.draw();
}

function lock() {
  $("wrong").hidden = !hasToken();
  setToken(null);
  $("main").hidden = true;
  $("lock").hidden = true;
  $("ask").hidden = false;
  say($("phase"), "locked");
  say($("link"), "");
  $("token").focus();
}

async function run() {
  try {
    const { token } = await ask("api/session");
    if (token && !hasToken()) return lock();
    acts = token;
    await series.load();
    $("ask").hidden = true;
    $("main").hidden = false;
    $("lock").hidden = !hasToken();
    charts.build();
    const onLink = (text) => {
      say($("link"), text);
      $("link").className = text === "live" ? "good" : "bad";
    };
    await listen({ onEvent, onLink, lastSeen: () => (series.last ? String(series.last) : "") });
  } catch (error) {
    if (error instanceof Locked) return lock();
    say($("phase"), "no answer");
    $("phase").className = "badge lost";
    say($("link"), String(error.message));
    setTimeout(run, 2000);
  }
}

$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  setToken($("token").value.trim());
  $("token").value = "";
  run();
});
$("lock").addEventListener("click", () => {
  setToken(null);
  location.reload();
});
build();
run();
