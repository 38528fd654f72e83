// Elements and texts. All that comes from outside is put in as text, never as HTML.

export const $ = (id) => document.getElementById(id);

/** An element with attributes and children; a child is a node or a text. */
export function el(name, attributes = {}, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) e.setAttribute(key, "");
    else if (value !== false && value !== undefined && value !== null) e.setAttribute(key, value);
  }
  e.append(...children);
  return e;
}

/** Sets a text only where it differs, so that nothing is announced or painted for nothing. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A section with a table under a heading: [title, id, columns]; a column that starts with ">" holds numbers. */
export function tableSection(title, id, columns, ...more) {
  const head = columns.map((c) => el("th", { scope: "col", class: c.startsWith(">") ? "n" : undefined }, c.replace(">", "")));
  return el("section", { "aria-labelledby": `${id}-title` },
    el("h2", { id: `${id}-title` }, title),
    el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": `${title}, table` },
      el("table", {}, el("caption", { class: "hidden" }, title),
        el("thead", {}, el("tr", {}, ...head)), el("tbody", { id }))),
    ...more);
}

/**
 * Fills a table's body row by row, keeping the rows that stay, so that whoever is in one with the keyboard stays there.
 * `cells` gives texts, or [text, class]; `control` makes a last cell's content once and gets each item.
 */
export function fill(id, items, key, cells, none, control) {
  const body = $(id);
  const focused = document.activeElement;
  const have = new Map([...body.children].map((row) => [row.dataset.key, row]));
  const rows = items.map((item) => {
    const name = String(key(item));
    let row = have.get(name);
    const values = cells(item);
    if (!row || row.dataset.none) {
      row = el("tr");
      row.dataset.key = name;
      row.append(...values.map((_, i) => el(i ? "td" : "th", i ? {} : { scope: "row" })));
      if (control) row.append(el("td", { class: "control" }, control.make(item)));
    }
    values.forEach((value, i) => {
      const [text, style] = Array.isArray(value) ? value : [value, ""];
      say(row.children[i], String(text));
      if (row.children[i].className !== style) row.children[i].className = style;
    });
    if (control) control.update(row.lastElementChild, item);
    return row;
  });
  if (!rows.length) {
    const row = el("tr", {}, el("td", { colspan: "12", class: "none" }, none));
    row.dataset.none = "1";
    row.dataset.key = " none";
    rows.push(have.get(" none") ?? row);
  }
  rows.forEach((row, i) => {
    if (body.children[i] !== row) body.insertBefore(row, body.children[i] ?? null);
  });
  while (body.children.length > rows.length) body.lastElementChild.remove();
  if (focused !== document.activeElement && focused?.isConnected) focused.focus({ preventScroll: true });
}

/** A list of texts. */
export function list(id, lines) {
  const now = [...$(id).children].map((item) => item.textContent);
  if (now.length === lines.length && now.every((text, i) => text === lines[i])) return;
  $(id).replaceChildren(...lines.map((line) => el("li", {}, line)));
}

export const whole = (n) => Math.round(n ?? 0).toLocaleString("en");
export const rate = (n) => (n > 0 && n < 10 ? n.toFixed(1) : whole(n));
export const share = (n) => (n === null || n === undefined ? "" : `${Math.round(n * 100)} %`);
export const millis = (n) => (n === null || n === undefined || Number.isNaN(n) ? "–" : n > 30000 ? "> 30 s" : `${whole(n)} ms`);
export const clock = (text) => new Date(text).toLocaleTimeString("en-GB");

export function duration(s) {
  const units = [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]];
  const parts = units.map(([n, unit], i) => [Math.floor((i ? s % units[i - 1][0] : s) / n), unit]).filter(([n]) => n);
  return parts.slice(0, 2).map(([n, unit]) => `${n} ${unit}`).join(" ") || "0 s";
}
