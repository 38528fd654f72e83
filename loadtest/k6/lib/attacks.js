// Attacks as k6 scenarios, alone or together: who plays, and what is expected.

import { count, number } from './params.js';
import { badOnes, expect, sent, untilWhen } from './judge.js';
import { botnet as playBotnet, flood as playFlood, guesser as playGuesser, holder as playHolder } from './attackers.js';

// One address that sends `rate` requests a second.
export function flood(seconds, rate) {
  const vus = Math.max(5, Math.ceil(rate / 20));
  const times = { rate, timeUnit: '1s', duration: `${seconds}s`, preAllocatedVUs: vus, maxVUs: vus * 2, gracefulStop: '2s' };
  return {
    scenario: Object.assign({ executor: 'constant-arrival-rate', exec: 'flood' }, times),
    expects: badOnes('flood', '{kind:flood}', (rate * seconds) / 3, number('MIN_REFUSED', 95, 40)),
  };
}

// Many clients, in few networks, each with a pace of its own.
export function botnet(seconds, rate) {
  const clients = count('CLIENTS', 2000, 250);
  const networks = count('NETWORKS', 8, 1);
  const players = Math.min(clients, Math.max(5, Math.ceil(rate / 20)));
  const plan = { clients, networks, rate, players };
  return {
    scenario: {
      executor: 'constant-vus', exec: 'botnet', vus: players, duration: `${seconds}s`, gracefulStop: '2s',
      env: { PLAN: JSON.stringify(plan) },
    },
    expects: badOnes('botnet', '{kind:botnet}', (rate * seconds) / 3, number('MIN_REFUSED', 70, 30)),
  };
}

// Guessers of passwords, each from an address of its own.
export function guessers(seconds) {
  const plan = { pace: number('PACE', 2, 8), burst: count('LOGIN_BURST', 10), perMinute: number('LOGIN_RATE', 5) };
  const vus = count('ATTACKERS', 20, 4);
  const guesses = (plan.pace * seconds) / 2;
  return {
    scenario: {
      executor: 'constant-vus', exec: 'guesser', vus, duration: `${seconds}s`, gracefulStop: '2s',
      env: { PLAN: JSON.stringify(plan) },
    },
    expects: [
      sent('guessers', '{kind:guesser}', vus * guesses),
      sent('guesses past the burst', '{past:yes}', vus),
      expect('guesses past the burst: refused', 'refused{past:yes}', 'rate>=0.99'),
      expect('guesses: not answered', 'failed{kind:guesser}', 'rate<0.01'),
      untilWhen,
    ],
  };
}

// Few requests that last long.
export function holders(seconds) {
  const plan = { held: count('HELD', 40), hold: number('HOLD', 5, 1) };
  const vus = count('ATTACKERS', 10, 4);
  const rounds = Math.max(1, seconds / plan.hold / 2);
  return {
    scenario: {
      executor: 'constant-vus', exec: 'holder', vus, duration: `${seconds}s`, gracefulStop: `${plan.hold + 5}s`,
      env: { PLAN: JSON.stringify(plan) },
    },
    expects: badOnes('holders', '{who:bad}', vus * plan.held * rounds, number('MIN_REFUSED', 50, 40)),
  };
}

// What the scenarios' `exec` names.
const plan = () => JSON.parse(__ENV.PLAN);
export const play = {
  flood: playFlood,
  botnet: () => playBotnet(plan()),
  guesser: () => playGuesser(plan()),
  holder: () => playHolder(plan()),
};
