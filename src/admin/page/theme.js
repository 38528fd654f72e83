// Dark or light: as the system says, or as chosen here.

import { $ } from "./dom.js";

const KEY = "weir-theme";
const CHOICES = ["auto", "dark", "light"];

export function themes(onChange) {
  const apply = (choice) => {
    if (choice === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice;
    $("theme").textContent = `Theme: ${choice}`;
    onChange();
  };
  const now = () => CHOICES.find((choice) => choice === localStorage.getItem(KEY)) ?? "auto";
  $("theme").addEventListener("click", () => {
    localStorage.setItem(KEY, CHOICES[(CHOICES.indexOf(now()) + 1) % CHOICES.length]);
    apply(now());
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", onChange);
  apply(now());
}
