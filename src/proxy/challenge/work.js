"use strict";
// SHA-256 (FIPS 180-4) of one block: the problem's 36 letters, then twelve digits that are tried in turn.
// By hand, as the browser's own digest is slow on so little, and absent where a page has no TLS.
const K = Int32Array.of(
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2);
const H = Int32Array.of(0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19);
const w = new Int32Array(64);
const { problem, difficulty } = document.body.dataset;
const shown = document.getElementById("status");
const bar = document.getElementById("bar");

const letters = (text) => [0, 1, 2, 3].reduce((word, i) => (word << 8) | text.charCodeAt(i), 0);
const digits = Array.from({ length: 10000 }, (_, n) => letters(String(n).padStart(4, "0")));
for (let i = 0; i < 9; i++) w[i] = letters(problem.slice(4 * i));
w[12] = 0x80000000;
w[15] = 48 * 8;

// The first word of the hash of w.
function hash() {
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15], y = w[i - 2];
    w[i] = w[i - 16] + w[i - 7]
      + ((x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3)
      + ((y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10);
  }
  let a = H[0], b = H[1], c = H[2], d = H[3], e = H[4], f = H[5], g = H[6], h = H[7];
  for (let i = 0; i < 64; i++) {
    const t = h + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) + (e & f ^ ~e & g) + K[i] + w[i] | 0;
    const u = ((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) + (a & b ^ a & c ^ b & c) | 0;
    h = g; g = f; f = e; e = d + t | 0; d = c; c = b; b = a; a = t + u | 0;
  }
  return a + H[0] | 0;
}

// The first number whose hash begins with enough zeros, in slices, so that the page stays alive.
function* search() {
  for (let n = 0; n < 1e12; n++) {
    if (n % 10000 === 0) {
      w[9] = digits[Math.floor(n / 1e8)];
      w[10] = digits[Math.floor(n / 1e4) % 10000];
      yield n;
    }
    w[11] = digits[n % 10000];
    if (Math.clz32(hash()) >= difficulty) return String(n).padStart(12, "0");
  }
}

const pause = () => new Promise((go) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = go;
  port2.postMessage(0);
});

async function solve() {
  const steps = search();
  for (let last = 0; ;) {
    const { done, value } = steps.next();
    if (done) return value;
    if (performance.now() - last > 50) {
      bar.value = 1 - Math.exp(-value / 2 ** difficulty);
      await pause();
      last = performance.now();
    }
  }
}

async function run() {
  if (!navigator.cookieEnabled) return document.body.className = "cookies";
  try {
    const solution = await solve();
    bar.value = 1;
    const url = "/.well-known/weir/pow";
    const sent = await fetch(`${url}?${problem}&${solution}`, { method: "POST" });
    // Without this a browser that keeps no cookie would come here again and again.
    const kept = sent.ok && await fetch(url, { cache: "no-store" });
    if (kept && kept.ok) return location.reload();
    document.body.className = sent.ok ? "cookies" : "failed";
  } catch {
    document.body.className = "failed";
  }
}

shown.hidden = false;
run();
