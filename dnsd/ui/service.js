// #/services/NAME: its instances, what their checks say, and which of them DNS
// answers with.
import { apiPath, get } from './api.js';
import { Checks, Meta } from './checks.js';
import { Filter, matches, wordsOf } from './filter.js';
import { plural } from './format.js';
import { Counts, Health, byHealth, countChecks, isOf, worst }
  from './health.js';
import { html } from './html.js';
import { useLive } from './live.js';
import { useEffect, useMemo, useState } from './preact_hooks.js';
import { href } from './route.js';
import { Tags } from './services.js';
import { State, useFirst } from './table.js';

function addressOf(row) {
  const address = row.Service.Address || row.Node.Address;
  const ip = address.includes(':') ? `[${address}]` : address;
  return row.Service.Port ? `${ip}:${row.Service.Port}` : address;
}

// Why an instance is in DNS or is not, by "NODE/ID"; null while nobody says.
function useReasons(name, data) {
  const [reasons, setReasons] = useState(null);
  useEffect(() => {
    if (!name || !data) return undefined;
    const abort = new AbortController();
    get(apiPath('/v1/dnsd/explain', { name, type: 'SRV',
      transport: 'tcp' }), abort.signal)
      .then(({ body }) => setReasons(new Map((body.Instances || []).map(
        (row) => [`${row.Node}/${row.ServiceID}`.toLowerCase(), row]))))
      .catch(() => { if (!abort.signal.aborted) setReasons(null); });
    return () => abort.abort();
  }, [name, data]);
  return reasons;
}

function InDns({ reason }) {
  if (!reason) return null;
  return reason.Included
    ? html`<span class="in-dns">in DNS</span>`
    : html`<span class="in-dns left-out">left out of DNS</span>`;
}

function Instance({ row, reason }) {
  const { Node, Service, Checks: checks } = row;
  const isBad = row.health !== 'passing' && row.health !== 'none';
  return html`<details class="instance" open=${isBad}>
    <summary>
      <${Health} status=${row.health}/>
      <span class="id">${Service.ID}</span>
      <span class="where"><span class="address">${addressOf(row)}</span>
        <span class="muted"> on ${Node.Node}</span></span>
      <${Tags} tags=${Service.Tags}/>
      <${InDns} reason=${reason}/>
    </summary>
    <div class="inside">
      ${reason && !reason.Included && html`<p class="reason">Left out of DNS:
        ${' '}${reason.Reason}</p>`}
      <${Checks} checks=${checks} isOfService/>
      <p class="muted">Node <a href=${href(['nodes', Node.Node])}>${
        Node.Node}</a>, ${Node.Address}${Service.Weights && html`${' '}
        · weight ${Service.Weights.Passing} passing, ${
        Service.Weights.Warning} warning`}</p>
      <${Meta} meta=${Service.Meta}/>
    </div></details>`;
}

function Instances({ rows, reasons, id }) {
  const [some, rest] = useFirst(rows, id);
  return html`<div class="instances">${some.map((row) => html`<${Instance}
    key=${`${row.Node.Node}/${row.Service.ID}`} row=${row}
    reason=${reasons?.get(`${row.Node.Node}/${row.Service.ID}`
      .toLowerCase())}/>`)}</div>${rest}`;
}

function allChecks(rows) {
  return rows.flatMap((row) => row.Checks || []);
}

export function Service({ name, params, domain, datacenter }) {
  const dc = params.get('dc');
  const live = useLive(apiPath(
    `/v1/health/service/${encodeURIComponent(name)}`, { dc }));
  const all = useMemo(() => (live.data || []).map(
    (row) => ({ ...row, health: worst(row.Checks) })).sort(
    (a, b) => byHealth(a.health, b.health) ||
      a.Node.Node.localeCompare(b.Node.Node) ||
      a.Service.ID.localeCompare(b.Service.ID)), [live.data]);
  const far = dc && dc !== datacenter ? `.${dc}` : '';
  const dnsName = `${name}.service${far}.${domain}`;
  const reasons = useReasons(dnsName, live.data);
  const words = wordsOf(params);
  const health = params.get('health');
  const rows = all.filter((row) => isOf(row.health, health) &&
    matches(words, [row.Service.ID, row.Node.Node, addressOf(row),
      ...(row.Service.Tags || [])]));
  const empty = all.length === 0
    ? `There is no service “${name}” here, or the token may not read it.`
    : rows.length === 0 && 'No instance fits the filter.';
  return html`<p class="crumbs"><a href=${href(['services'])}>Services</a></p>
    <h1 tabindex="-1">${name}</h1>
    <p class="summary">${all.length > 0 && html`<${Health}
      status=${worst(allChecks(all))}/> ${plural(all.length, 'instance')},
      ${' '}checks: <${Counts} counts=${countChecks(allChecks(all))}/>`}
      <a class="action" href=${href(['lookup'],
        { name: dnsName, type: 'SRV' })}>What DNS answers, and why</a></p>
    <${Filter} params=${params} noun="instance" shown=${rows.length}
      total=${all.length} label="Filter by ID, node, address or tag"/>
    <${State} live=${live} empty=${empty}><${Instances} rows=${rows}
      reasons=${reasons} id=${`service/${name}`}/></>`;
}
