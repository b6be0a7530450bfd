// What the server counts, second by second: /v1/dnsd/stats as a stream, its
// differences as rates, and the last minutes of them.
import { follow, get, token } from './api.js';
import { pause, pauseMs, useToken, useVisible } from './live.js';
import { useEffect, useState } from './preact_hooks.js';

const kPath = '/v1/dnsd/stats';
const kSamplesMax = 300;
const kGapMs = 4000; // more than that between two is a gap, not a rate
const kPollMs = 3000;

const kGroups = { Rcode: 'rcode', Type: 'type', Proto: 'transport' };

function sumBy(queries, field) {
  const sums = new Map();
  for (const row of queries || []) {
    sums.set(row[field], (sums.get(row[field]) || 0) + row.Count);
  }
  return sums;
}

function rates(now, before, seconds, field) {
  const old = sumBy(before.Queries, field);
  const out = {};
  for (const [key, count] of sumBy(now.Queries, field)) {
    out[key] = Math.max(0, count - (old.get(key) || 0)) / seconds;
  }
  return out;
}

// The time below which `share` of what is in `counts` lies, in milliseconds;
// null when it is empty.
export function quantile(bounds, counts, share) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total <= 0) return null;
  let left = total * share;
  for (let i = 0; i < counts.length; i += 1) {
    if (left <= counts[i] && counts[i] > 0) {
      const low = i === 0 ? 0 : bounds[i - 1];
      const high = i < bounds.length ? bounds[i] : bounds[bounds.length - 1];
      return 1000 * (low + (high - low) * (left / counts[i]));
    }
    left -= counts[i];
  }
  return 1000 * bounds[bounds.length - 1];
}

function latency(now, before) {
  if (!now.Latency || !before.Latency) return null;
  const counts = now.Latency.Counts.map(
    (count, i) => Math.max(0, count - (before.Latency.Counts[i] || 0)));
  return { bounds: now.Latency.BoundsSeconds, counts };
}

function sample(now, before) {
  const seconds = (now.TimeMs - before.TimeMs) / 1000;
  const by = {};
  for (const [field, name] of Object.entries(kGroups)) {
    by[name] = rates(now, before, seconds, field);
  }
  const total = Object.values(by.rcode).reduce((sum, rate) => sum + rate, 0);
  const cache = now.Cache && before.Cache && {
    hits: Math.max(0, now.Cache.Hits - before.Cache.Hits) / seconds,
    misses: Math.max(0, now.Cache.Misses - before.Cache.Misses) / seconds,
    stale: Math.max(0, now.Cache.Stale - before.Cache.Stale) / seconds,
  };
  return { time: now.TimeMs / 1000, total, by, cache,
    latency: latency(now, before) };
}

// The history with one more; a restart of the server begins anew, and a gap is
// a sample of nothing.
export function extend(history, now, before) {
  if (!before || now.UptimeSeconds < before.UptimeSeconds) return [];
  if (now.TimeMs - before.TimeMs < 1) return history;
  const isGap = now.TimeMs - before.TimeMs > kGapMs;
  const next = isGap ? { time: now.TimeMs / 1000, total: null, by: null }
    : sample(now, before);
  return [...history.slice(1 - kSamplesMax), next];
}

// The last answer and the history survive a change of page.
let kept = { stats: null, history: [] };

const kTooManyStreams = 503;

async function ask(signal, take) {
  try {
    return await follow(kPath, signal, take);
  } catch (error) {
    if (error.status !== kTooManyStreams) throw error;
    take((await get(kPath, signal)).body);
    return false;
  }
}

// `who` is the token that the page has now.
async function run(signal, who, show) {
  let failures = 0;
  const take = (stats) => {
    if (signal.aborted || token() !== who) return; // they are another's
    failures = 0;
    kept = { stats, history: extend(kept.history, stats, kept.stats),
      error: null };
    show(kept);
  };
  while (!signal.aborted) {
    try {
      const isStream = await ask(signal, take);
      await pause(isStream ? 500 : kPollMs, signal);
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      kept = { ...kept, error };
      show(kept);
      await pause(pauseMs(failures), signal);
    }
  }
}

// {stats, history, error}. One caller at a time: the page's frame.
export function useStats() {
  const [state, setState] = useState(kept);
  const visible = useVisible();
  const who = useToken();
  useEffect(() => {
    const forget = () => {
      kept = { stats: null, history: [] }; // they were another's
      setState(kept);
    };
    addEventListener('dnsd-token', forget);
    return () => removeEventListener('dnsd-token', forget);
  }, []);
  useEffect(() => {
    if (!visible) return undefined;
    const abort = new AbortController();
    run(abort.signal, who, setState);
    return () => abort.abort();
  }, [visible, who]);
  return state;
}

// The latencies of the last `count` samples together.
export function recentLatency(history, count) {
  let sum = null;
  for (const { latency: one } of history.slice(-count)) {
    if (!one) continue;
    sum = sum ? { bounds: one.bounds,
      counts: sum.counts.map((have, i) => have + one.counts[i]) } : one;
  }
  return sum;
}
