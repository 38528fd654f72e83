// What a scenario expects, as thresholds that fail the run and as a summary.

import { GUARD, BASE } from './target.js';
import { P99_MS, SHORT } from './params.js';

// An expectation: words for people, the metric, and the condition it must meet.
function expect(says, metric, condition) {
  return { says, metric, condition };
}

export const sent = (says, selector, atLeast) =>
  expect(`${says}: requests sent`, `asked${selector}`, `count>=${Math.max(1, Math.floor(atLeast))}`);

// What every good client has a right to. `atLeast`: so many of their requests, or the run proves nothing.
export const goodOnes = (atLeast) => [
  sent('good clients', '{who:good}', atLeast),
  expect('good clients: failed', 'failed{who:good}', 'rate<0.001'),
  expect('good clients: refused', 'refused{who:good}', 'rate<0.001'),
  expect('good clients: 99th percentile, ms', 'took{who:good}', `p(99)<${P99_MS}`),
  expect('good clients: answers are right', 'checks{who:good}', 'rate>=0.999'),
];

export const untilWhen = expect('refusals say until when', 'checks{who:bad}', 'rate>=0.999');

// What attackers get: at least so many percent refused, every refusal with its Retry-After, no broken connections.
export const badOnes = (says, selector, atLeast, percent) => [
  sent(says, selector, atLeast),
  expect(`${says}: refused`, `refused${selector}`, `rate>=${percent / 100}`),
  expect(`${says}: not answered`, `failed${selector}`, 'rate<0.01'),
  untilWhen,
];

export { expect };

// k6's options: who runs, and what is expected of it.
export function options(scenarios, expects) {
  const thresholds = {};
  for (const { metric, condition } of expects) thresholds[metric] = [condition];
  return Object.assign(
    {
      scenarios,
      thresholds,
      batch: 1000,
      batchPerHost: 1000,
      summaryTrendStats: ['avg', 'med', 'p(95)', 'p(99)', 'max', 'count'],
      systemTags: ['status', 'method', 'name', 'scenario', 'error_code'],
    },
    GUARD,
  );
}

// k6's handleSummary: a table, and with OUT=FOLDER the same as NAME.md and NAME.json there.
export function summary(name, expects) {
  return (data) => {
    const rows = [...new Set(expects)].map((e) => row(e, data.metrics[e.metric]));
    const passed = rows.every((r) => r.ok);
    const seconds = data.state.testRunDurationMs / 1000;
    const files = { stdout: `${name}: ${passed ? 'passed' : 'FAILED'}\n${text(rows)}\n` };
    if (__ENV.OUT) {
      files[`${__ENV.OUT}/${name}.md`] = markdown(name, passed, seconds, rows, data.metrics);
      files[`${__ENV.OUT}/${name}.json`] = JSON.stringify({ scenario: name, passed, seconds, rows }, null, 2);
    }
    return files;
  };
}

function row({ says, metric, condition }, measured) {
  const verdict = measured && measured.thresholds && measured.thresholds[condition];
  const kind = /^[a-z]+(\(\d+\))?/.exec(condition)[0];
  const value = measured ? measured.values[kind] : undefined;
  return { says, value: shown(value, kind), wanted: condition, ok: Boolean(verdict && verdict.ok) };
}

function shown(value, kind) {
  if (value === undefined) return 'nothing';
  if (kind === 'rate') return `${(value * 100).toFixed(2)} %`;
  return kind === 'count' ? String(value) : value.toFixed(1);
}

function text(rows) {
  const width = Math.max(...rows.map((r) => r.says.length));
  return rows.map((r) => `  ${r.ok ? 'ok  ' : 'FAIL'} ${r.says.padEnd(width)}  ${r.value} (${r.wanted})`).join('\n');
}

function markdown(name, passed, seconds, rows, metrics) {
  const lines = [
    `# ${name}: ${passed ? 'passed' : 'FAILED'}`,
    '',
    `${BASE}, ${seconds.toFixed(0)} s${SHORT ? ', SHORT' : ''}, k6.`,
    '',
    '| | measured | wanted | |',
    '|---|---|---|---|',
    ...rows.map((r) => `| ${r.says} | ${r.value} | \`${r.wanted}\` | ${r.ok ? 'ok' : '**FAIL**'} |`),
    '',
    '| latency, ms | median | p95 | p99 | max |',
    '|---|---|---|---|---|',
  ];
  for (const [metric, { values }] of Object.entries(metrics)) {
    if (!metric.startsWith('took')) continue;
    const cells = ['med', 'p(95)', 'p(99)', 'max'].map((k) => (values[k] === undefined ? '–' : values[k].toFixed(1)));
    lines.push(`| ${metric.replace('took', '') || 'all'} | ${cells.join(' | ')} |`);
  }
  return `${lines.join('\n')}\n`;
}
