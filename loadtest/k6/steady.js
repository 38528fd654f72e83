// steady: an ordinary day's traffic, people, programs and a crawler, at a constant level

import { goodOnes, options as build, summary } from './lib/judge.js';
import { DAY, caller, crawler, person } from './lib/day.js';
import { number } from './lib/params.js';

const DURATION = number('DURATION', 60, 3);
const day = DAY(DURATION);
const expects = goodOnes(day.atLeast);

export const options = build(day.scenarios, expects);
export const handleSummary = summary('steady', expects);
export { person, caller, crawler };
