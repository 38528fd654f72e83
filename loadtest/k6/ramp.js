// ramp: ever more newcomers, up to RATE requests a second and back; nobody is refused on the way

import { goodOnes, options as build, summary } from './lib/judge.js';
import { newcomer } from './lib/clients.js';
import { crowd } from './lib/crowd.js';
import { number } from './lib/params.js';

const DURATION = number('DURATION', 60, 3);
const RATE = number('RATE', 300, 60);
const ramp = crowd([[0.45, 1], [0.1, 1], [0.45, 0]], RATE, DURATION);
const expects = goodOnes(ramp.requests / 2);

export const options = build({ ramp: ramp.scenario }, expects);
export const handleSummary = summary('ramp', expects);
export { newcomer };
