// Chance that comes out alike in every run: mulberry32, seeded by SEED and whoever draws.

import { SEED } from './params.js';

export function randomOf(drawer) {
  let state = (SEED * 0x9e3779b9 + drawer * 0x85ebca6b) | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
