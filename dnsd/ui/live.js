// useLive(path) is the newest answer to `path`, by Consul's blocking queries:
// one that waits for a change is always on its way while the tab is looked at.
// A hidden tab asks nothing: a browser has six connections to a server, for all
// its tabs together.
import { ApiError, get, token } from './api.js';
import { useEffect, useState } from './preact_hooks.js';

const kWait = '55s';
const kLeastMs = 500; // between two answers, however much changes
const kPollMs = 5000; // where there is no index to wait for
const kLongestPauseMs = 15000;
const kAnswersMax = 50;

// The last answers, for whoever comes back to a page.
const answers = new Map();

function keep(path, data) {
  answers.delete(path);
  answers.set(path, data);
  if (answers.size > kAnswersMax) answers.delete(answers.keys().next().value);
}

export function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}

export function pauseMs(failures) {
  return Math.min(kLongestPauseMs, 500 * 2 ** failures);
}

// An index that goes back begins anew.
function nextIndex(index, given) {
  return given < index ? 0 : given;
}

async function ask(path, signal, show) {
  let index = 0;
  let failures = 0;
  while (!signal.aborted) {
    const mark = path.includes('?') ? '&' : '?';
    const wait = index ? `${mark}index=${index}&wait=${kWait}` : '';
    try {
      const answer = await get(path + wait, signal);
      keep(path, answer.body);
      show({ data: answer.body, error: null });
      index = nextIndex(index, answer.index);
      failures = 0;
      await pause(index ? kLeastMs : kPollMs, signal);
    } catch (error) {
      if (signal.aborted) return;
      index = 0;
      failures += 1;
      const isOurs = error instanceof ApiError;
      show({ error: isOurs ? error : new ApiError(0, String(error)) });
      await pause(pauseMs(failures), signal);
    }
  }
}

export function useVisible() {
  const [visible, setVisible] = useState(!document.hidden);
  useEffect(() => {
    const read = () => setVisible(!document.hidden);
    document.addEventListener('visibilitychange', read);
    return () => document.removeEventListener('visibilitychange', read);
  }, []);
  return visible;
}

export function useToken() {
  const [value, setValue] = useState(token());
  useEffect(() => {
    const read = () => {
      answers.clear(); // they were another's
      setValue(token());
    };
    addEventListener('dnsd-token', read);
    return () => removeEventListener('dnsd-token', read);
  }, []);
  return value;
}

// {data, error}: data is the last answer, undefined before the first; error
// says why there is no newer one. Without a path, nothing is asked.
export function useLive(path) {
  const [state, setState] = useState({ path: null });
  const visible = useVisible();
  const who = useToken();
  useEffect(() => {
    if (!path || !visible) return undefined;
    const abort = new AbortController();
    ask(path, abort.signal, (news) => setState((old) => ({
      ...(old.path === path && old.who === who ? old : {}),
      ...news,
      path,
      who,
    })));
    return () => abort.abort();
  }, [path, visible, who]);
  if (state.path === path && state.who === who) return state;
  return { data: answers.get(path), error: null };
}
