// Good clients: each has an address of its own, and is never to be refused.

import http from 'k6/http';
import { check, sleep } from 'k6';
import { crc32 } from './crc32.js';
import exec from 'k6/execution';
import { good } from './addresses.js';
import { ask, askAll, request } from './ask.js';
import { LOGIN_BODY, PATHS, number } from './params.js';
import { randomOf } from './random.js';

const THINK = number('THINK', 2, 0.5);
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

// A person's browser by its number: it keeps cookies and follows redirects.
function browser(number) {
  return { who: 'good', address: good(number), agent: BROWSER, jar: new http.CookieJar() };
}

// This virtual user's browser, with its cookies of the visits before.
let own;
function mine() {
  own = own || browser(exec.vu.idInTest);
  return own;
}

// This virtual user as a program: without cookies, and whatever is not the answer itself is wrong.
function program(agent) {
  return { who: 'good', address: good(exec.vu.idInTest), agent };
}

let random;
let arrived = false;

// Good clients do not all come in the same instant: before the first request, a part of THINK.
function arrive() {
  if (arrived) return;
  arrived = true;
  random = randomOf(exec.vu.idInTest);
  sleep(THINK * random());
}

// Think time: around THINK, between a half and one and a half of it.
export function think() {
  sleep(THINK * (0.5 + random()));
}

// A page and what it is made of.
export function view(visitor) {
  const page = ask(visitor, 'GET', PATHS.page);
  check(page, { 'the page is there': (a) => a.status === 200 && a.body.length > 0 }, { who: 'good' });
  askAll(visitor, PATHS.assets.map((path) => request(visitor, 'GET', path)));
}

// A person: reads a page, thinks, reads on.
export function person() {
  arrive();
  view(mine());
  think();
}

// Somebody new who comes for one page.
export function newcomer() {
  view(browser(1000 + exec.scenario.iterationInTest));
}

// A program: a call, a pause of a fifth of a second, a search now and then.
export function caller() {
  arrive();
  const sync = program('inventory-sync/4.2');
  const searches = exec.vu.iterationInScenario % 10 === 9;
  const answer = ask(sync, 'GET', searches ? `${PATHS.search}tea` : PATHS.api);
  check(answer, { 'the call is answered': (a) => a.status === 200 && a.body.length > 0 }, { who: 'good' });
  sleep(0.2);
}

// A search engine's crawler: a page a second.
export function crawler() {
  arrive();
  ask(program('ExampleBot/2.1 (+https://example.com/bot)'), 'GET', PATHS.page);
  sleep(1);
}

// Signs in once with the right password, and reads on.
export function member() {
  arrive();
  const visitor = mine();
  if (exec.vu.iterationInScenario === 0) {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const answer = ask(visitor, 'POST', PATHS.login, { body: LOGIN_BODY, headers });
    check(answer, { 'the right password signs in': (a) => a.status >= 200 && a.status < 400 }, { who: 'good' });
  }
  view(visitor);
  think();
}

// A sender of files. `file` is an ArrayBuffer; the demo service says its length and CRC-32.
export function sender(file) {
  arrive();
  const visitor = program('photo-upload/1.9');
  const headers = { 'Content-Type': 'application/octet-stream' };
  const answer = ask(visitor, 'POST', PATHS.upload, { body: file, headers });
  const intact = { 'the upload arrived whole': (a) => a.status === 200 && whole(a, file) };
  check(answer, intact, { who: 'good', way: 'up' });
  think();
}

function whole(answer, file) {
  if (!answer.headers['Content-Type'].startsWith('application/json')) return true;
  const { bytes, crc32: sum } = answer.json();
  return bytes === file.byteLength && sum === crc32(file);
}

// A fetcher of files of so many KiB.
export function fetcher(size) {
  arrive();
  const visitor = program('media-player/7');
  const path = `${PATHS.download}${size}KiB`;
  const answer = ask(visitor, 'GET', path, { responseType: 'binary' });
  const intact = { 'the download arrived whole': (a) => a.status === 200 && filled(a.body, size * 1024) };
  check(answer, intact, { who: 'good', way: 'down' });
  think();
}

// The demo service fills its downloads with dots.
function filled(body, size) {
  if (!PATHS.download.startsWith('/download?')) return body.byteLength > 0;
  const bytes = new Uint8Array(body);
  return bytes.length === size && [0, size >> 1, size - 1].every((at) => bytes[at] === 46);
}
