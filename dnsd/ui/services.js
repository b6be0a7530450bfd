// #/services: every service of the datacenter, with the health of its checks.
import { apiPath } from './api.js';
import { count } from './format.js';
import { Counts, Health, byHealth, isOf, worstOfCounts } from './health.js';
import { Filter, matches, wordsOf } from './filter.js';
import { html } from './html.js';
import { useLive } from './live.js';
import { useMemo } from './preact_hooks.js';
import { href } from './route.js';
import { State, Table } from './table.js';

const kTagsMax = 4;

export function Tags({ tags }) {
  if (!tags?.length) return html`<span class="muted none">–</span>`;
  const more = tags.length - kTagsMax;
  return html`<span class="tags">${tags.slice(0, kTagsMax).map((tag) =>
    html`<span class="tag" key=${tag}>${tag}</span>`)}${more > 0 &&
    html`<span class="muted" title=${tags.join(', ')}>+${more}</span>`}</span>`;
}

const kColumns = [
  { title: 'Health', kind: 'narrow',
    cell: (row) => html`<${Health} status=${row.health}/>` },
  { title: 'Service', kind: 'main', leads: true,
    cell: (row) => html`<a href=${href(['services', row.Name])}>${
      row.Name}</a>${row.Kind && html` <span class="kind">${
      row.Kind}</span>`}` },
  { title: 'Instances', kind: 'number',
    cell: (row) => count(row.InstanceCount ?? row.Nodes?.length ?? 0) },
  { title: 'Checks', cell: (row) => html`<${Counts} counts=${{
    passing: row.ChecksPassing, warning: row.ChecksWarning,
    critical: row.ChecksCritical }}/>` },
  { title: 'Tags', cell: (row) => html`<${Tags} tags=${row.Tags}/>` },
];

export function Services({ params }) {
  const dc = params.get('dc');
  const live = useLive(apiPath('/v1/internal/ui/services', { dc }));
  const all = useMemo(() => (live.data || []).map(
    (row) => ({ ...row, health: worstOfCounts(row) })).sort(
    (a, b) => byHealth(a.health, b.health) || a.Name.localeCompare(b.Name)),
  [live.data]);
  const words = wordsOf(params);
  const health = params.get('health');
  const rows = all.filter((row) => isOf(row.health, health) &&
    matches(words, [row.Name, ...(row.Tags || [])]));
  const empty = all.length === 0
    ? 'No services are registered here, or the token may not read them.'
    : rows.length === 0 && 'No service fits the filter.';
  return html`<h1 tabindex="-1">Services</h1>
    <${Filter} params=${params} label="Filter by name or tag" noun="service"
      shown=${rows.length} total=${all.length}/>
    <${State} live=${live} empty=${empty}>
      <${Table} id="services" caption="Services" columns=${kColumns}
        rows=${rows} keyOf=${(row) => row.Name}/></>`;
}
