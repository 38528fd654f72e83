// low-and-slow: few clients hold as many long requests as they can; each gets its share of the service and no more

import { goodOnes, options as build, summary } from './lib/judge.js';
import { DAY, caller, crawler, person } from './lib/day.js';
import { holders, play } from './lib/attacks.js';
import { number } from './lib/params.js';

const DURATION = number('DURATION', 30, 3);
const day = DAY(DURATION);
const grip = holders(DURATION);
const expects = [...goodOnes(day.atLeast), ...grip.expects];

export const options = build(Object.assign({ holder: grip.scenario }, day.scenarios), expects);
export const handleSummary = summary('low-and-slow', expects);
export const holder = play.holder;
export { person, caller, crawler };
