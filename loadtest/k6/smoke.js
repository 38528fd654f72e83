// smoke: one of each good client for a moment; is everything there and answered rightly?

import { goodOnes, options as build, summary } from './lib/judge.js';
import { caller, crawler, member, person } from './lib/clients.js';
import { number } from './lib/params.js';

const DURATION = number('DURATION', 5, 3);
const one = (exec) => ({ executor: 'constant-vus', vus: 1, duration: `${DURATION}s`, gracefulStop: '5s', exec });

const expects = goodOnes(DURATION * 4);

export const options = build(
  { person: one('person'), member: one('member'), caller: one('caller'), crawler: one('crawler') },
  expects,
);
export const handleSummary = summary('smoke', expects);
export { person, member, caller, crawler };
