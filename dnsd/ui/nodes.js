// #/nodes: every node of the datacenter, with its own checks and services.
import { apiPath } from './api.js';
import { count } from './format.js';
import { Counts, Health, byHealth, countChecks, isOf, worstOfNode }
  from './health.js';
import { Filter, matches, wordsOf } from './filter.js';
import { html } from './html.js';
import { useLive } from './live.js';
import { useMemo } from './preact_hooks.js';
import { href } from './route.js';
import { State, Table } from './table.js';

const kColumns = [
  { title: 'Health', kind: 'narrow',
    cell: (row) => html`<${Health} status=${row.health}/>` },
  { title: 'Node', kind: 'main', leads: true,
    cell: (row) => html`<a href=${href(['nodes', row.Node])}>${row.Node}</a>` },
  { title: 'Address', cell: (row) => html`<span class="address">${
    row.Address}</span>` },
  { title: 'Services', kind: 'number',
    cell: (row) => count(row.Services?.length || 0) },
  { title: 'Checks', cell: (row) => html`<${Counts}
    counts=${countChecks(row.Checks)}/>` },
];

export function Nodes({ params }) {
  const dc = params.get('dc');
  const live = useLive(apiPath('/v1/internal/ui/nodes', { dc }));
  const all = useMemo(() => (live.data || []).map(
    (row) => ({ ...row, health: worstOfNode(row.Checks) })).sort(
    (a, b) => byHealth(a.health, b.health) || a.Node.localeCompare(b.Node)),
  [live.data]);
  const words = wordsOf(params);
  const health = params.get('health');
  const rows = all.filter((row) => isOf(row.health, health) &&
    matches(words, [row.Node, row.Address, row.ID || '',
      ...Object.entries(row.Meta || {}).flat()]));
  const empty = all.length === 0
    ? 'There are no nodes here, or the token may not read them.'
    : rows.length === 0 && 'No node fits the filter.';
  return html`<h1 tabindex="-1">Nodes</h1>
    <${Filter} params=${params} label="Filter by name, address or metadata"
      noun="node" shown=${rows.length} total=${all.length}/>
    <${State} live=${live} empty=${empty}>
      <${Table} id="nodes" caption="Nodes" columns=${kColumns} rows=${rows}
        keyOf=${(row) => row.Node}/></>`;
}
