// Who sends: addresses of 198.18.0.0/15 (RFC 2544, benchmarks) and 2001:db8::/32 (RFC 3849, documentation).
// 198.18.x.y attacks, 198.19.x.y and IPv6 are good. Neighbours in number are strangers by network.

import { SEED } from './params.js';

// The last byte's; another SEED makes other clients, whom the limits do not remember.
const host = (i) => 1 + ((i + 31 * (SEED - 1)) % 254);

// A good client's address. Every fourth has IPv6, a /64 in a /48 of its own.
export function good(i) {
  if (i % 4 === 3) return `2001:db8:${(i & 0xffff).toString(16)}::${host(i >> 16).toString(16)}`;
  return `198.19.${i % 256}.${host(Math.floor(i / 256))}`;
}

// An attacker that has a network to itself.
export function lone(i) {
  return `198.18.${200 + (i % 56)}.${host(Math.floor(i / 56))}`;
}

// One of many bots that sit in so many networks, as rented machines do.
export function bot(i, networks) {
  return `198.18.${i % networks}.${1 + (Math.floor(i / networks) % 254)}`;
}
