// Asking weir, and listening to it. The token lives in this tab only, and goes out as a header that no other site can
// make a browser send.

const KEY = "weir-token";
/** Weir gives a sign of life every five seconds. */
const SILENCE = 15000;

let token = sessionStorage.getItem(KEY);

export class Locked extends Error {}

export const hasToken = () => token !== null;

export function setToken(text) {
  token = text;
  if (text === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, text);
}

const headers = (more = {}) => (token === null ? more : { ...more, Authorization: `Bearer ${token}` });

async function checked(answer) {
  if (answer.status === 401) throw new Locked();
  if (!answer.ok) throw new Error((await answer.text()).trim().slice(0, 300) || `weir answered ${answer.status}`);
  return answer;
}

export async function ask(path) {
  const answer = await fetch(path, { headers: headers(), signal: AbortSignal.timeout(10000) });
  return (await checked(answer)).json();
}

/** Changes something; what weir says against it is thrown. */
export async function act(method, path, body) {
  const type = body === undefined ? {} : { "Content-Type": "application/json" };
  const answer = await fetch(path, { method, headers: headers(type), body: body && JSON.stringify(body), signal: AbortSignal.timeout(20000) });
  return (await checked(answer)).json();
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** One answer of the stream, event by event. */
async function hear(last, onEvent, onOpen) {
  const stop = new AbortController();
  let watchdog = setTimeout(() => stop.abort(), SILENCE);
  try {
    const more = last ? { "Last-Event-ID": last } : {};
    const answer = await checked(await fetch("api/live", { headers: headers(more), cache: "no-store", signal: stop.signal }));
    onOpen();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(watchdog);
      watchdog = setTimeout(() => stop.abort(), SILENCE);
      text += value;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        onEvent(parse(text.slice(0, end)));
        text = text.slice(end + 2);
      }
    }
  } finally {
    clearTimeout(watchdog);
  }
}

function parse(block) {
  const event = { type: "message", id: "", data: "" };
  for (const line of block.split("\n")) {
    const at = line.indexOf(": ");
    const [field, value] = [line.slice(0, at), line.slice(at + 2)];
    if (field === "event") event.type = value;
    else if (field === "id") event.id = value;
    else if (field === "data") event.data += value;
  }
  return event;
}

/** Listens until the token is refused; comes back by itself, and says then what it has seen last. */
export async function listen({ onEvent, onLink, lastSeen }) {
  let wait = 500;
  for (;;) {
    try {
      await hear(lastSeen(), onEvent, () => {
        wait = 500;
        onLink("live");
      });
    } catch (error) {
      if (error instanceof Locked) throw error;
      onLink(error.name === "AbortError" ? "no sign of life: connecting again" : `connecting again: ${error.message}`);
      await pause(wait * (0.75 + Math.random() / 2));
      wait = Math.min(wait * 2, 8000);
    }
  }
}
