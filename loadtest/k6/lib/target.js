// Where the load goes: loopback, or the one host that ALLOW_TARGET names.

const SHAPE = /^(https?):\/\/(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d{1,5})?\/?$/;

// The host of `url`, or an error that says what to do. kit/target.py holds to the same rule.
export function host(url, allowed) {
  const parts = SHAPE.exec(String(url).toLowerCase());
  if (!parts) throw new Error(`URL="${url}": expected http://HOST:PORT or https://HOST, without user or path`);
  const name = parts[2];
  const loopback = name === 'localhost' || name === '[::1]' || /^127(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/.test(name);
  if (!loopback && name !== String(allowed).toLowerCase()) {
    throw new Error(
      `URL="${url}" is not loopback: this is load, and an attack. If ${name} is yours, and its owners know, ` +
        `name it again: ALLOW_TARGET=${name}`,
    );
  }
  return name;
}

const URL = __ENV.URL || 'http://127.0.0.1:8080';
export const HOST = host(URL, __ENV.ALLOW_TARGET);
export const BASE = URL.replace(/\/$/, '');

// Where a Location leads, if that is a path of the target itself, else null. `//HOST` and `/\\HOST` name another host.
export function pathHere(location, base = BASE) {
  const path = String(location).startsWith(`${base}/`) ? location.slice(base.length) : location;
  return /^\/(?![/\\])[^\s#]*$/.test(path) ? path : null;
}

// What keeps k6 there: it follows no redirects by itself (ask.js does, here), and localhost is what it says.
export const GUARD = { maxRedirects: 0, hosts: { localhost: '127.0.0.1' } };
