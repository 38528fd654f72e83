// login-guessing: guessers of passwords are refused after their burst; who knows the password signs in

import { goodOnes, options as build, summary } from './lib/judge.js';
import { member } from './lib/clients.js';
import { guessers, play } from './lib/attacks.js';
import { PATHS, count, number } from './lib/params.js';

const DURATION = number('DURATION', 30, 3);
const PEOPLE = count('PEOPLE', 20, 4);
const think = number('THINK', 2, 0.5);
const members = { executor: 'constant-vus', exec: 'member', vus: PEOPLE, duration: `${DURATION}s`, gracefulStop: '5s' };
const guess = guessers(DURATION);
const perSecond = (PEOPLE * (1 + PATHS.assets.length)) / (think + 0.1);
const expects = [...goodOnes((perSecond * DURATION) / 2), ...guess.expects];

export const options = build({ members, guessers: guess.scenario }, expects);
export const handleSummary = summary('login-guessing', expects);
export const guesser = play.guesser;
export { member };
