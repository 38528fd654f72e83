// single-source-flood: one address sends RATE requests a second; it is refused, and good clients do not notice

import { goodOnes, options as build, summary } from './lib/judge.js';
import { DAY, caller, crawler, person } from './lib/day.js';
import { flood as attack, play } from './lib/attacks.js';
import { number } from './lib/params.js';

const DURATION = number('DURATION', 30, 3);
const day = DAY(DURATION);
const storm = attack(DURATION, number('RATE', 1000, 200));
const expects = [...goodOnes(day.atLeast), ...storm.expects];

export const options = build(Object.assign({ flood: storm.scenario }, day.scenarios), expects);
export const handleSummary = summary('single-source-flood', expects);
export const flood = play.flood;
export { person, caller, crawler };
