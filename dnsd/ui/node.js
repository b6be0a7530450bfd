// #/nodes/NAME: the node's own checks, and what runs there.
import { apiPath } from './api.js';
import { Checks, Meta } from './checks.js';
import { Health, byHealth, worst, worstOfNode } from './health.js';
import { html } from './html.js';
import { useLive } from './live.js';
import { useMemo } from './preact_hooks.js';
import { href } from './route.js';
import { Tags } from './services.js';
import { State, Table } from './table.js';

const kColumns = [
  { title: 'Health', kind: 'narrow',
    cell: (row) => html`<${Health} status=${row.health}/>` },
  { title: 'Service', kind: 'main', leads: true,
    cell: (row) => html`<a href=${href(['services', row.Service])}>${
      row.Service}</a>` },
  { title: 'ID', cell: (row) => html`<span class="id">${row.ID}</span>` },
  { title: 'Port', kind: 'number', cell: (row) => row.Port || '–' },
  { title: 'Tags', cell: (row) => html`<${Tags} tags=${row.Tags}/>` },
];

function servicesOf(node) {
  return (node?.Services || []).map((service) => ({
    ...service,
    // As Consul counts: what fails on the node fails all on it.
    health: worst((node.Checks || []).filter((check) =>
      !check.ServiceID || check.ServiceID === service.ID)),
  })).sort((a, b) => byHealth(a.health, b.health) ||
    a.Service.localeCompare(b.Service) || a.ID.localeCompare(b.ID));
}

export function Node({ name, params, domain, datacenter }) {
  const dc = params.get('dc');
  const live = useLive(apiPath(
    `/v1/internal/ui/node/${encodeURIComponent(name)}`, { dc }));
  const node = live.data;
  const services = useMemo(() => servicesOf(node), [node]);
  const far = dc && dc !== datacenter ? `.${dc}` : '';
  return html`<p class="crumbs"><a href=${href(['nodes'])}>Nodes</a></p>
    <h1 tabindex="-1">${name}</h1>
    <${State} live=${live} empty=${!node && `There is no node “${name}”.`}>
      <p class="summary"><${Health}
        status=${worstOfNode(node?.Checks)}/>
        <span class="address">${node?.Address}</span>
        <a class="action" href=${href(['lookup'], {
          name: `${name}.node${far}.${domain}`, type: 'A' })}>What DNS
        answers, and why</a></p>
      <${Meta} meta=${node?.Meta}/>
      <h2>Services</h2>
      ${services.length > 0 ? html`<${Table} id=${`node/${name}`}
        caption="Services of the node" columns=${kColumns} rows=${services}
        keyOf=${(row) => row.ID}/>`
        : html`<p class="muted">None are registered on it.</p>`}
      <h2>Checks</h2>
      <${Checks} checks=${node?.Checks}/></>`;
}
