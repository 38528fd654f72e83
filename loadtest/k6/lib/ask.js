// One request under a client's own address, counted for good or bad.

import http from 'k6/http';
import { check } from 'k6';
import { Rate } from 'k6/metrics';
import { BASE } from './target.js';

// Which share was refused: 429, or a connection closed or a 403 or 503 in its place.
export const refused = new Rate('refused');

const fine = http.expectedStatuses({ min: 200, max: 399 });
// An attacker is to be answered, if only with a refusal.
const answered = http.expectedStatuses({ min: 200, max: 499 }, 503);

// One request's parts as http.batch takes them. `client` has who (good or bad), address and agent.
export function request(client, method, path, more = {}) {
  const { body = null, headers = {}, tags = {}, timeout = '20s', responseType = client.who === 'good' ? 'text' : 'none' } = more;
  return [
    method,
    BASE + path,
    body,
    {
      headers: Object.assign({ 'X-Forwarded-For': client.address, 'User-Agent': client.agent }, headers),
      tags: Object.assign({ who: client.who, name: path.split('?')[0] }, tags),
      responseCallback: client.who === 'good' ? fine : answered,
      responseType,
      timeout,
    },
  ];
}

// Counts an answer: refused or not, and that a refusal says until when.
export function note(client, answer, tags = {}) {
  const labels = Object.assign({ who: client.who }, tags);
  const turned = [429, 403, 503].includes(answer.status);
  refused.add(turned, labels);
  if (answer.status === 429) {
    check(answer, { 'a refusal has Retry-After': (a) => Number(a.headers['Retry-After']) >= 1 }, labels);
  }
  return answer;
}

export function ask(client, method, path, more = {}) {
  const [verb, url, body, params] = request(client, method, path, more);
  return note(client, http.request(verb, url, body, params), more.tags);
}

// Several at once, as a browser asks.
export function askAll(client, requests) {
  return http.batch(requests).map((answer) => note(client, answer));
}
