// upload-download: files up and down, whole to the last byte, while others read pages

import { expect, goodOnes, options as build, sent, summary } from './lib/judge.js';
import * as clients from './lib/clients.js';
import { P99_MS, count, number } from './lib/params.js';

const DURATION = number('DURATION', 30, 3);
const PEOPLE = count('PEOPLE', 8, 4);
const SIZE = count('SIZE', 1024, 256);
const think = number('THINK', 2, 0.5);
const run = (exec) => ({ executor: 'constant-vus', vus: PEOPLE, duration: `${DURATION}s`, gracefulStop: '5s', exec });

// No two of its pages are alike, or a mixed-up body could pass.
const file = new Uint8Array(SIZE * 1024).map((_, at) => (at * 31 + (at >> 12)) & 255).buffer;

const each = (PEOPLE * DURATION) / (think + 1) / 2;
const expects = [
  ...goodOnes(each * 3).filter((e) => !e.metric.startsWith('took')),
  sent('uploads', '{scenario:up}', each),
  sent('downloads', '{scenario:down}', each),
  expect('uploads: arrived whole', 'checks{way:up}', 'rate>=0.999'),
  expect('downloads: arrived whole', 'checks{way:down}', 'rate>=0.999'),
  expect('readers beside them: 99th percentile, ms', 'took{scenario:readers}', `p(99)<${P99_MS}`),
];

export const options = build({ up: run('sender'), down: run('fetcher'), readers: run('person') }, expects);
export const handleSummary = summary('upload-download', expects);
export const { person } = clients;
export const sender = () => clients.sender(file);
export const fetcher = () => clients.fetcher(SIZE);
