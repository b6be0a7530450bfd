// Asks this server, and nobody else. The token stays in this tab
// (sessionStorage) and goes along as a header, never in an address.
const kTokenKey = 'dnsd-token';

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status; // 0: no answer
  }
}

export function token() {
  return sessionStorage.getItem(kTokenKey) || '';
}

export function setToken(value) {
  if (value) {
    sessionStorage.setItem(kTokenKey, value);
  } else {
    sessionStorage.removeItem(kTokenKey);
  }
  dispatchEvent(new Event('dnsd-token'));
}

async function ask(path, signal, accept) {
  const headers = { Accept: accept };
  if (token()) headers['X-Consul-Token'] = token();
  let response;
  try {
    response = await fetch(path, { headers, signal, cache: 'no-store' });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, 'dnsd does not answer');
  }
  if (!response.ok) {
    const text = (await response.text()).trim().slice(0, 300);
    throw new ApiError(response.status, text || `HTTP ${response.status}`);
  }
  return response;
}

// {body, index}; index 0: the answer is of none.
export async function get(path, signal) {
  const response = await ask(path, signal, 'application/json');
  try {
    const body = await response.json();
    return { body, index: Number(response.headers.get('X-Consul-Index')) || 0 };
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, 'The answer was cut short');
  }
}

// Calls `take` with each object of a stream of server-sent events, until it
// ends. Not EventSource, which sends no token.
export async function follow(path, signal, take) {
  const response = await ask(path, signal, 'text/event-stream');
  const type = response.headers.get('Content-Type') || '';
  if (!type.startsWith('text/event-stream')) {
    take(await response.json());
    return false;
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return true;
    text += value.replaceAll('\r', '');
    const events = text.split('\n\n');
    text = events.pop();
    for (const event of events) {
      const data = event.split('\n').filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5)).join('\n');
      if (data) take(JSON.parse(data));
    }
  }
}

// A path with parameters; those without a value are left out.
export function apiPath(path, params = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value) query.set(name, value);
  }
  return query.size ? `${path}?${query}` : path;
}
