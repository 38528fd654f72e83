// flash-crowd: thousands of new people within moments, each for one page; a crowd is not a flood, nobody is refused

import { goodOnes, options as build, summary } from './lib/judge.js';
import { newcomer } from './lib/clients.js';
import { crowd } from './lib/crowd.js';
import { number } from './lib/params.js';

const DURATION = number('DURATION', 60, 3);
const RATE = number('RATE', 400, 100);
const rush = crowd([[0.05, 1], [0.75, 1], [0.2, 0.1]], RATE, DURATION);
const expects = goodOnes(rush.requests / 2);

export const options = build({ rush: rush.scenario }, expects);
export const handleSummary = summary('flash-crowd', expects);
export { newcomer };
