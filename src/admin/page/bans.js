// Bans: who, why, until when, how far; and, with the token, making and lifting them.

import { $, clock, duration, el, fill, say, tableSection, whole } from "./dom.js";
import { act } from "./net.js";

export function section() {
  const field = (id, words, attributes) => el("label", { for: id }, `${words} `, el("input", { id, ...attributes }));
  const form = el("form", { id: "ban-form", class: "acts", hidden: true, "aria-label": "Ban an address" },
    field("ban-address", "Address or network", { required: true, placeholder: "192.0.2.7", autocomplete: "off", spellcheck: "false" }),
    field("ban-for", "for", { required: true, value: "10m", size: "5", autocomplete: "off" }),
    field("ban-reason", "because", { placeholder: "in your words", maxlength: "200", autocomplete: "off" }),
    el("button", {}, "Ban"));
  return tableSection("Bans", "bans", ["who", "step", "why", "until", ">met", "reach", "lift"],
    el("p", { id: "ladder", class: "soft" }), form, el("p", { id: "ban-said", role: "status" }));
}

export function controls() {
  $("ban-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const [address, lasts, reason] = ["ban-address", "ban-for", "ban-reason"].map((id) => $(id).value.trim());
    const done = await tried(`banning ${address} …`, () => act("POST", "api/bans", { address, for: lasts, reason }));
    if (done) {
      say($("ban-said"), `${done.network} is banned until ${clock(done.until)}`);
      $("ban-address").value = "";
    }
  });
}

async function tried(text, action) {
  say($("ban-said"), text);
  try {
    return await action();
  } catch (error) {
    say($("ban-said"), `not done: ${error.message}`);
    return null;
  }
}

/** What AWS WAF has of it, in words. */
function waf(reach) {
  if (!reach) return "";
  const words = { accepted: "in AWS WAF", pending: "on its way to AWS WAF", foreign: "in AWS WAF, put there by others", covered: `in AWS WAF by ${reach.by ?? "a wider network"}`,
    leaving: "leaving AWS WAF", elsewhere: "written by another weir", handed: "in AWS WAF", "no-room": "no room in AWS WAF" };
  return `${words[reach.state] ?? `AWS WAF: ${reach.state}`}${reach.trouble ? ` (${reach.trouble})` : ""}`;
}

function reach(ban) {
  const fleet = ban.reach?.fleet ? `${ban.reach.fleet.heard} of ${ban.reach.fleet.tasks} tasks` : ban.from ? `from task ${ban.from}` : "";
  return [waf(ban.reach?.waf), fleet].filter(Boolean).join(", ") || "this task";
}

const lifter = (acts) => ({
  make(ban) {
    const button = el("button", { type: "button", class: "quiet", "aria-label": `Lift the ban of ${ban.network}` }, "Unban");
    button.addEventListener("click", async () => {
      button.disabled = true;
      const path = ban.network.split("/").map(encodeURIComponent).join("/");
      const done = await tried(`lifting the ban of ${ban.network} …`, () => act("DELETE", `api/bans/${path}`));
      if (done) say($("ban-said"), `the ban of ${done.network} is lifted`);
      button.disabled = false;
    });
    return button;
  },
  update(cell) {
    cell.firstElementChild.hidden = !acts;
  },
});

export function show({ bans, status }, acts) {
  const ladder = bans.status;
  const how = !ladder.enabled ? "the ladder is off (ban.enabled)" : ladder.paused ? "the ladder is paused: none of its bans holds" : "the ladder works";
  const shown = bans.bans.length < ladder.active ? `, the longest ${bans.bans.length} shown` : "";
  const fleet = status.fleet ? `; fleet ${status.fleet.connected ? `of ${status.fleet.tasks} tasks` : "not reached"}` : "";
  say($("ladder"), `${ladder.active === 1 ? "one ban holds" : `${whole(ladder.active)} bans hold`}${shown}; ${how}${fleet}`);
  $("ban-form").hidden = !acts;
  fill("bans", bans.bans, (b) => b.network, (b) => [b.network, `${b.step}, by ${b.by}`, [b.evidence ? `${b.reason}: ${b.evidence}` : b.reason, "long"],
    `${clock(b.until)} (${duration(b.left_s)})`, [whole(b.hits), "n"], [reach(b), "long"]], "nobody is banned", lifter(acts));
}
