// New people who arrive whether or not those before them were served.

import { PATHS } from './params.js';

// `stages`: [share of the time, share of `rate` at its end]; `rate` and `start` in requests a second.
export function crowd(stages, rate, seconds, start = 0) {
  const perPage = 1 + PATHS.assets.length;
  // Arrivals a minute, because k6 wants whole numbers.
  const arrivals = (requests) => Math.max(1, Math.round((requests * 60) / perPage));
  let before = start;
  let requests = 0;
  for (const [time, level] of stages) {
    requests += ((before + level * rate) / 2) * time * seconds;
    before = level * rate;
  }
  const vus = Math.max(10, Math.ceil(rate / perPage));
  const scenario = {
    executor: 'ramping-arrival-rate',
    exec: 'newcomer',
    timeUnit: '1m',
    startRate: arrivals(start),
    stages: stages.map(([time, level]) => ({ duration: `${Math.ceil(time * seconds * 1000)}ms`, target: arrivals(level * rate) })),
    preAllocatedVUs: vus,
    maxVUs: vus * 2,
    gracefulStop: '5s',
  };
  return { scenario, requests };
}
