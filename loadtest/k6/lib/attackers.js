// Attackers: each kind is to be refused, by its own mechanism. None keeps cookies or follows redirects.

import exec from 'k6/execution';
import { sleep } from 'k6';
import { bot, lone } from './addresses.js';
import { ask, askAll, request } from './ask.js';
import { LOGIN_BODY, PATHS } from './params.js';
import { randomOf } from './random.js';

function attacker(address, agent = 'python-requests/2.31.0') {
  return { who: 'bad', address, agent };
}

// One machine that asks as fast as its executor lets it.
export function flood() {
  ask(attacker(lone(0)), 'GET', PATHS.api, { tags: { kind: 'flood' } });
}

// Paces of bots lie between a fifth and five times the mean, evenly in their logarithm; this is that shape's mean.
const SHAPE_MEAN = (5 - 0.2) / Math.log(25);

let army;

// One request of the bot whose turn it is. Every virtual user plays its share of the bots; each has a pace of its own
// and comes at random around it.
export function botnet({ clients, networks, rate, players }) {
  army = army || recruit({ clients, networks, rate, players });
  let next = army.bots[0];
  for (const other of army.bots) if (other.due < next.due) next = other;
  const now = Date.now() / 1000;
  if (next.due > now) sleep(next.due - now);
  ask(attacker(next.address), 'GET', PATHS.api, { tags: { kind: 'botnet' } });
  // Who fell far behind does not make up for it: that would be another load than was asked for.
  next.due = Math.max(next.due, now - 1) - Math.log(1 - army.random()) / next.pace;
}

function recruit({ clients, networks, rate, players }) {
  const random = randomOf(exec.vu.idInTest);
  const player = exec.vu.idInTest % players;
  const start = Date.now() / 1000;
  const bots = [];
  for (let i = player; i < clients; i += players) {
    const pace = ((rate / clients) * Math.pow(25, random()) * 0.2) / SHAPE_MEAN;
    bots.push({ address: bot(i, networks), pace, due: start - Math.log(1 - random()) / pace });
  }
  return { bots, random };
}

let guesses = 0;
let passed = 0;
let began;

// A guesser of passwords. By the limit `burst` and so many a minute may pass; a guess beyond that is marked as past it.
export function guesser({ pace, burst, perMinute }) {
  if (!began) sleep(randomOf(exec.vu.idInTest)() / pace);
  const client = attacker(lone(exec.vu.idInTest));
  began = began || Date.now();
  const allowed = burst + ((Date.now() - began) / 60000) * perMinute;
  // Half a guess of grace: two clocks never agree to the last moment.
  const past = passed + 1 > allowed + 0.5 ? 'yes' : 'no';
  guesses += 1;
  const answer = ask(client, 'POST', PATHS.login, {
    body: LOGIN_BODY.replace(/password=[^&]*/, `password=guess-${guesses}`),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    tags: { kind: 'guesser', past },
  });
  if (answer.status !== 429) passed += 1;
  sleep(1 / pace);
}

// Few requests that last long, as many at once as it can hold.
export function holder({ held, hold }) {
  const client = attacker(lone(exec.vu.idInTest));
  const path = `${PATHS.slow}${Math.round(hold * 1000)}`;
  const began = Date.now();
  askAll(client, Array.from({ length: held }, () => request(client, 'GET', path, { timeout: `${hold + 20}s` })));
  // A server that refuses all at once must not turn this into a flood.
  sleep(Math.max(0, hold - (Date.now() - began) / 1000));
}
