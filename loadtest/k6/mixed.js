// mixed: an ordinary day beside a flood, a botnet and guessers at once, each judged for itself

import { goodOnes, options as build, summary } from './lib/judge.js';
import { DAY, caller, crawler, person } from './lib/day.js';
import * as attacks from './lib/attacks.js';
import { number } from './lib/params.js';

const DURATION = number('DURATION', 60, 3);
const RATE = number('RATE', 500, 200);
const day = DAY(DURATION);
const storm = attacks.flood(DURATION, RATE);
const army = attacks.botnet(DURATION, RATE);
const guess = attacks.guessers(DURATION);
const expects = [...goodOnes(day.atLeast), ...storm.expects, ...army.expects, ...guess.expects];
const attackers = { flood: storm.scenario, botnet: army.scenario, guessers: guess.scenario };

export const options = build(Object.assign(attackers, day.scenarios), expects);
export const handleSummary = summary('mixed', expects);
export const { flood, botnet, guesser } = attacks.play;
export { person, caller, crawler };
