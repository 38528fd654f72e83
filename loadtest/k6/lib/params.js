// Parameters from the environment. loadtest/README.md has the table; tests/test_rules.py holds the two alike.

// SHORT=1: a few seconds on a machine that may be busy, for `make test`.
export const SHORT = __ENV.SHORT === '1';

// The most that may be asked for: a run is bounded in count and time.
export const NUMBERS = {
  DURATION: { unit: 's', most: 86400 },
  RATE: { unit: 'requests/s', most: 50000 },
  PEOPLE: { unit: 'people', most: 5000 },
  THINK: { unit: 's', most: 600 },
  CALLERS: { unit: 'callers', most: 1000 },
  ATTACKERS: { unit: 'attackers', most: 5000 },
  CLIENTS: { unit: 'clients', most: 100000 },
  NETWORKS: { unit: 'networks', most: 200 },
  PACE: { unit: 'requests/s', most: 1000 },
  HELD: { unit: 'requests', most: 1000 },
  HOLD: { unit: 's', most: 60 },
  SIZE: { unit: 'KiB', most: 65536 },
  LOGIN_BURST: { unit: 'guesses', most: 1000000 },
  LOGIN_RATE: { unit: 'guesses/min', most: 1000000 },
  P99_MS: { unit: 'ms', most: 600000 },
  MIN_REFUSED: { unit: '%', most: 100 },
  SEED: { unit: '', most: 2147483647 },
};

// A positive number: the environment's, or the default of a full or a short run.
export function number(name, full, short = full) {
  const given = __ENV[name];
  if (given === undefined || given === '') return SHORT ? short : full;
  const { unit, most } = NUMBERS[name];
  const value = Number(given);
  if (!(value > 0 && value <= most)) throw new Error(`${name}="${given}": expected a number of ${unit}, above 0, at most ${most}`);
  return value;
}

// The same for what can only be counted.
export function count(name, full, short = full) {
  const value = number(name, full, short);
  if (!Number.isInteger(value)) throw new Error(`${name}="${value}": expected a whole number`);
  return value;
}

function text(name, fallback) {
  return __ENV[name] || fallback;
}

// What is asked for: the demo service's paths, unless a service of your own has others.
export const PATHS = {
  page: text('PATH_PAGE', '/'),
  assets: text('PATH_ASSETS', '/profile,/profile,/profile').split(','),
  api: text('PATH_API', '/profile'),
  search: text('PATH_SEARCH', '/search?q='),
  login: text('PATH_LOGIN', '/login'),
  upload: text('PATH_UPLOAD', '/upload'),
  download: text('PATH_DOWNLOAD', '/download?size='),
  slow: text('PATH_SLOW', '/slow?ms='),
};

// The form that signs in; guesses replace the word after "password=".
export const LOGIN_BODY = text('LOGIN_BODY', 'user=demo&password=open-sesame');

export const SEED = count('SEED', 1);

export const P99_MS = number('P99_MS', 50, 2000);
