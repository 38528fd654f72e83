// Limits: what they refused and would have refused; and, with the token, for how many clients each is enforced.

import { $, el, fill, rate, say, tableSection, whole } from "./dom.js";
import { act } from "./net.js";

export const section = () => tableSection("Limits", "limits",
  ["limit", "rate", "action", "enforced for", ">refused/s", ">refused", ">would refuse/s", ">would have", "change"],
  el("p", { id: "limit-said", role: "status" }));

const percent = (n) => `${+n.toFixed(2)} %`;

const slider = (acts) => ({
  make(limit) {
    const input = el("input", { type: "range", min: "0", max: "100", step: "1", value: String(limit.enforce), "aria-label": `Share of clients that the limit ${limit.name} is enforced for, in percent` });
    const shown = el("output", {}, percent(limit.enforce));
    const apply = el("button", { type: "button", class: "quiet", "aria-label": `Apply to the limit ${limit.name}` }, "Apply");
    const box = el("span", { class: "slider" }, input, shown, apply);
    // What is in force, until weir says otherwise.
    box.dataset.now = String(limit.enforce);
    input.addEventListener("input", () => {
      shown.textContent = percent(Number(input.value));
      input.setAttribute("aria-valuetext", shown.textContent);
      apply.disabled = input.value === box.dataset.now;
    });
    apply.addEventListener("click", async () => {
      apply.disabled = true;
      try {
        const done = await act("POST", `api/limits/${encodeURIComponent(limit.name)}/enforce`, { enforce: `${input.value}%` });
        const back = done.configured === undefined ? "as the config says" : `until the next reload; the config says ${percent(done.configured)}`;
        say($("limit-said"), `${done.name} is enforced for ${percent(done.enforce)} of clients, ${back}`);
      } catch (error) {
        apply.disabled = false;
        say($("limit-said"), `not done: ${error.message}`);
      }
    });
    apply.disabled = true;
    return box;
  },
  update(cell, limit) {
    const box = cell.firstElementChild;
    box.hidden = !acts || limit.action === "observe";
    if (box.dataset.now === String(limit.enforce)) return;
    box.dataset.now = String(limit.enforce);
    const [input, shown, apply] = box.children;
    input.value = String(limit.enforce);
    shown.textContent = percent(limit.enforce);
    apply.disabled = true;
  },
});

export function show(status, growth, acts) {
  fill("limits", status.limits, (l) => l.name, (l) => {
    const differs = l.configured !== undefined;
    const enforced = l.action === "observe" ? "nobody: it observes" : `${percent(l.enforce)} of clients${differs ? `, differs from the config (${percent(l.configured)})` : ""}`;
    return [[`${l.name} – ${l.covers}`, "wrap"], `${l.rate}, burst ${whole(l.burst)}, by ${l.key}`, l.action, [enforced, differs ? "long differs" : "long"],
      [rate(growth("refused", l.name, l.refused)), "n"], [whole(l.refused), "n"], [rate(growth("observed", l.name, l.observed)), "n"], [whole(l.observed), "n"]];
  }, "no limit is configured", slider(acts));
}
