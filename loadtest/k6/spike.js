// spike: ordinary traffic, in between eight times as much for a moment, and calm again

import { goodOnes, options as build, summary } from './lib/judge.js';
import { newcomer } from './lib/clients.js';
import { crowd } from './lib/crowd.js';
import { number } from './lib/params.js';

const DURATION = number('DURATION', 60, 3);
const RATE = number('RATE', 320, 80);
const calm = RATE / 8;
const level = calm / RATE;
const spike = crowd([[0.3, level], [0.02, 1], [0.3, 1], [0.02, level], [0.36, level]], RATE, DURATION, calm);
const expects = goodOnes(spike.requests / 2);

export const options = build({ spike: spike.scenario }, expects);
export const handleSummary = summary('spike', expects);
export { newcomer };
