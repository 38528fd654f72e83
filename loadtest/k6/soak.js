// soak: the same for long; does anything grow, tire or leak? (the runner watches weir's memory)

import { goodOnes, options as build, summary } from './lib/judge.js';
import { DAY, caller, crawler, person } from './lib/day.js';
import { number } from './lib/params.js';

const DURATION = number('DURATION', 1800, 3);
const day = DAY(DURATION);
const expects = goodOnes(day.atLeast);

export const options = build(day.scenarios, expects);
export const handleSummary = summary('soak', expects);
export { person, caller, crawler };
