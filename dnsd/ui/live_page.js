// #/live: what is asked, how it is answered, and how fast; whom we ask; what we
// know and how old that is.
import { Chart } from './chart.js';
import { bytes, count, duration, milliseconds, percent, plural, rate }
  from './format.js';
import { html } from './html.js';
import { useMemo, useState } from './preact_hooks.js';
import { quantile, recentLatency } from './stats.js';
import { State, Table } from './table.js';

const kGroups = { rcode: 'Rcode', type: 'Type', transport: 'Transport' };
const kRecent = 10; // seconds that a figure is of
const kSeriesMax = 8;

function Tile({ title, value, note, tone }) {
  return html`<div class=${`tile ${tone || ''}`}><dt>${title}</dt>
    <dd>${value}${note && html`<span class="muted">${note}</span>`}</dd></div>`;
}

function mean(values) {
  const some = values.filter((value) => value !== null && value !== undefined);
  return some.length === 0 ? null
    : some.reduce((sum, value) => sum + value, 0) / some.length;
}

export function sourceWords(source) {
  if (source.Kind === 'registry') return 'Own registry';
  return `Mirror of ${source.Address || 'Consul'}`;
}

function CacheTile({ history }) {
  const recent = history.slice(-kRecent).map((one) => one.cache)
    .filter(Boolean);
  const hits = mean(recent.map((one) => one.hits));
  const all = hits === null ? 0 : hits + mean(recent.map((one) => one.misses));
  return html`<${Tile} title="Cache hits"
    value=${percent(all > 0 ? hits / all : null)} note="of forwarded names"/>`;
}

function SourceTile({ source }) {
  const isOk = source.State === 'ok';
  const age = source.Kind === 'mirror' &&
    `last heard ${duration(source.AgeSeconds)} ago`;
  return html`<${Tile} title="Source" tone=${isOk ? '' : 'alarm'}
    value=${isOk ? 'Up to date' : source.State}
    note=${[sourceWords(source), age].filter(Boolean).join(', ')}/>`;
}

function Tiles({ stats, history }) {
  const recent = history.slice(-kRecent);
  const latency = recentLatency(history, kRecent);
  const of = (share) => latency &&
    quantile(latency.bounds, latency.counts, share);
  return html`<dl class="tiles">
    <${Tile} title="Queries per second"
      value=${rate(mean(recent.map((one) => one.total)))}
      note=${plural(stats.Workers, 'worker')}/>
    <${Tile} title="Latency" value=${milliseconds(of(0.5))}
      note=${`median; 99 % below ${milliseconds(of(0.99))}`}/>
    ${stats.Cache && html`<${CacheTile} history=${history}/>`}
    <${SourceTile} source=${stats.Source}/>
    <${Tile} title="Catalog" value=${count(stats.Catalog.Instances)}
      note=${`instances, ${plural(stats.Catalog.Nodes, 'node')}, ${
        plural(stats.Catalog.Names, 'DNS name')}`}/>
    <${Tile} title="Up" value=${duration(stats.UptimeSeconds)}
      note=${`dnsd ${stats.Version}`}/>
  </dl>`;
}

// The series of a group: the busiest by name, the rest together.
function grouped(history, group) {
  const sums = new Map();
  for (const one of history) {
    for (const [key, value] of Object.entries(one.by?.[group] || {})) {
      sums.set(key, (sums.get(key) || 0) + value);
    }
  }
  const keys = [...sums.keys()].sort((a, b) => sums.get(b) - sums.get(a));
  const shown = keys.slice(0, kSeriesMax);
  const series = shown.map((key) => ({ label: key,
    values: history.map((one) => one.by && (one.by[group][key] || 0)) }));
  if (keys.length > kSeriesMax) {
    series.push({ label: 'others', values: history.map((one) => one.by &&
      keys.slice(kSeriesMax).reduce(
        (sum, key) => sum + (one.by[group][key] || 0), 0)) });
  }
  return series;
}

function Queries({ history, times }) {
  const [group, setGroup] = useState('rcode');
  const series = useMemo(() => grouped(history, group), [history, group]);
  return html`<section><div class="head"><h2>Queries per second</h2>
    <fieldset class="choice"><legend class="unseen">Shown by</legend>${
      Object.entries(kGroups).map(([value, name]) => html`<label
        key=${value}><input type="radio" name="group" value=${value}
        checked=${group === value} onChange=${() => setGroup(value)}/><span>by
        ${' '}${name.toLowerCase()}</span></label>`)}</fieldset></div>
    ${series.length > 0 ? html`<${Chart} title="Queries per second"
      times=${times} series=${series} format=${rate} least=${1}/>`
      : html`<p class="state">No queries yet.</p>`}</section>`;
}

const kQuantiles = { median: 0.5, '90 %': 0.9, '99 %': 0.99 };

function Latency({ history, times }) {
  const series = useMemo(() => Object.entries(kQuantiles).map(
    ([label, share]) => ({ label, values: history.map(({ latency }) =>
      (latency ? quantile(latency.bounds, latency.counts, share) : null)) })),
  [history]);
  return html`<section><h2>Latency</h2><${Chart} title="Latency" times=${times}
    series=${series} format=${milliseconds} least=${0.1}/></section>`;
}

function Cache({ cache, history, times }) {
  const series = useMemo(() => ['hits', 'misses', 'stale'].map((label) => ({
    label, values: history.map((one) => one.cache && one.cache[label]) })),
  [history]);
  return html`<section><h2>Cache <span class="muted">${
    plural(cache.Entries, 'answer')}, ${bytes(cache.Bytes)}</span></h2>
    <${Chart} title="Cache look-ups per second" times=${times} series=${series}
      format=${rate} least=${1}/></section>`;
}

const kNameColumns = [
  { title: 'Name', kind: 'main', cell: (row) => html`<span class="address">${
    row.Name}</span>` },
  { title: 'Queries', kind: 'number', cell: (row) => count(row.Count) },
];

const kForwarderColumns = [
  { title: 'State', kind: 'narrow', cell: (row) => html`<span class=${
    `health ${row.Up ? 'passing' : 'critical'}`}><span class="mark"
    aria-hidden="true">${row.Up ? '●' : '✕'}</span>${
    row.Up ? 'up' : 'down'}</span>` },
  { title: 'Address', kind: 'main', cell: (row) => html`<span class="address">${
    row.Address}</span>` },
  { title: 'Round trip', kind: 'number',
    cell: (row) => milliseconds(row.RttMs || null) },
  { title: 'Sent', kind: 'number', cell: (row) => count(row.Sent) },
  { title: 'Timeouts', kind: 'number', cell: (row) => count(row.Timeouts) },
  { title: 'Failures', kind: 'number', cell: (row) => count(row.Failures) },
];

export function LivePage({ live }) {
  const { stats, history } = live;
  const times = useMemo(() => history.map((one) => one.time), [history]);
  return html`<h1 tabindex="-1">Live</h1>
    <${State} live=${{ data: stats || undefined, error: live.error }}>${
      stats && html`<${Tiles} stats=${stats} history=${history}/>
      <div class="columns">
        <${Queries} history=${history} times=${times}/>
        ${stats.Latency && html`<${Latency} history=${history}
          times=${times}/>`}
        ${stats.Cache && html`<${Cache} cache=${stats.Cache}
          history=${history} times=${times}/>`}
        ${stats.TopNames?.length > 0 && html`<section><h2>Names asked most
          </h2><${Table} id="live/names" caption="Names asked most"
          small columns=${kNameColumns} rows=${stats.TopNames}
          keyOf=${(row) => row.Name}/></section>`}
        ${stats.Forwarders?.length > 0 && html`<section><h2>Forwarders</h2>
          <${Table} id="live/forwarders" caption="Forwarders"
          columns=${kForwarderColumns} rows=${stats.Forwarders}
          keyOf=${(row) => row.Address}/></section>`}
      </div>`}</>`;
}
