// An ordinary day: the good traffic that several scenarios have, alone or beside an attack.

import { PATHS, count, number } from './params.js';

export { caller, crawler, person } from './clients.js';

// Its scenarios for `seconds`, and how many requests it makes at the least: half of what a quick server gets.
export function DAY(seconds, people = [40, 6], callers = [5, 2]) {
  const readers = count('PEOPLE', ...people);
  const programs = count('CALLERS', ...callers);
  const think = number('THINK', 2, 0.5);
  const run = (exec, vus) => ({ executor: 'constant-vus', vus, duration: `${seconds}s`, gracefulStop: '5s', exec });
  const perSecond = (readers * (1 + PATHS.assets.length)) / (think + 0.1) + programs * 4;
  return {
    scenarios: { person: run('person', readers), caller: run('caller', programs), crawler: run('crawler', 1) },
    atLeast: (perSecond * seconds) / 2,
  };
}
