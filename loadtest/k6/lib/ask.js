// What a client asks for, under its own address, counted for good or bad. A browser follows redirects with its cookies,
// as far as they stay here: all of it is one answer, as the person sees one page.

import http from 'k6/http';
import { check } from 'k6';
import { Counter, Rate, Trend } from 'k6/metrics';
import { BASE, pathHere } from './target.js';

export const asked = new Counter('asked');
// Which share was refused: 429, or a connection closed or a 403 or 503 in its place.
export const refused = new Rate('refused');
// Which share was not answered as this client may expect.
export const failed = new Rate('failed');
// From the first request to the last answer.
export const took = new Trend('took', true);

// A soft probe takes two; a loop is to end soon, as it is load.
const MOST_REDIRECTS = 5;
const REDIRECTS = [301, 302, 303, 307, 308];

// One request's parts as http.batch takes them. `client` has who (good or bad), address and agent; a browser has a jar.
export function request(client, method, path, more = {}) {
  const { body = null, headers = {}, tags = {}, timeout = '20s', responseType = client.who === 'good' ? 'text' : 'none' } = more;
  return [
    method,
    BASE + path,
    body,
    {
      headers: Object.assign({ 'X-Forwarded-For': client.address, 'User-Agent': client.agent }, headers),
      tags: Object.assign({ who: client.who, name: path.split('?')[0] }, tags),
      // Without one k6 keeps cookies for an iteration: who is no browser asks once in it, and so brings none.
      jar: client.jar,
      responseType,
      timeout,
    },
  ];
}

export function ask(client, method, path, more = {}) {
  const question = request(client, method, path, more);
  return settle(client, question, http.request(...question), more.tags);
}

// Several at once, as a browser asks.
export function askAll(client, requests) {
  return http.batch(requests).map((answer, i) => settle(client, requests[i], answer));
}

// The answer that the client ends up with, counted once.
function settle(client, question, first, tags = {}) {
  const { answer, took: milliseconds } = client.jar ? follow(question, first) : { answer: first, took: first.timings.duration };
  const labels = Object.assign({ who: client.who }, tags);
  asked.add(1, labels);
  took.add(milliseconds, labels);
  failed.add(!isAnswered(client, answer.status), labels);
  refused.add([429, 403, 503].includes(answer.status), labels);
  if (answer.status === 429) {
    check(answer, { 'a refusal has Retry-After': (a) => Number(a.headers['Retry-After']) >= 1 }, labels);
  }
  return answer;
}

// An attacker is to be answered, if only with a refusal.
function isAnswered(client, status) {
  if (client.who === 'good') return status >= 200 && status < 400;
  return (status >= 200 && status < 500) || status === 503;
}

// By hand, as k6 would follow to any host.
function follow([method, , body, params], first) {
  let answer = first;
  let took = first.timings.duration;
  for (let left = MOST_REDIRECTS; left > 0 && REDIRECTS.includes(answer.status); left--) {
    const path = pathHere(answer.headers.Location);
    if (path === null) break;
    // RFC 9110, 15.4: only 307 and 308 keep a method that is not GET.
    if (answer.status < 307) [method, body] = ['GET', null];
    const tags = Object.assign({}, params.tags, { name: path.split('?')[0] });
    answer = http.request(method, BASE + path, body, Object.assign({}, params, { tags }));
    took += answer.timings.duration;
  }
  return { answer, took };
}
