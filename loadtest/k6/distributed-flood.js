// distributed-flood: thousands of clients, each with a pace of its own, most of them below the limit of one client

import { goodOnes, options as build, summary } from './lib/judge.js';
import { DAY, caller, crawler, person } from './lib/day.js';
import { botnet as attack, play } from './lib/attacks.js';
import { number } from './lib/params.js';

const DURATION = number('DURATION', 60, 3);
const day = DAY(DURATION);
const army = attack(DURATION, number('RATE', 1000, 200));
const expects = [...goodOnes(day.atLeast), ...army.expects];

export const options = build(Object.assign({ botnet: army.scenario }, day.scenarios), expects);
export const handleSummary = summary('distributed-flood', expects);
export const botnet = play.botnet;
export { person, caller, crawler };
