// #/lookup: what DNS would answer for a name, and why: how the name was read,
// and which instances were left out by which check.
import { apiPath, get } from './api.js';
import { Health, byHealth, worst } from './health.js';
import { html } from './html.js';
import { plural } from './format.js';
import { useToken } from './live.js';
import { useEffect, useRef, useState } from './preact_hooks.js';
import { href, setParams } from './route.js';
import { Table } from './table.js';

const kTypes = ['A', 'AAAA', 'SRV', 'ANY', 'CNAME', 'MX', 'NS', 'PTR', 'SOA',
  'TXT'];

function useExplained(name, type) {
  const [state, setState] = useState({});
  const [again, setAgain] = useState(0);
  const who = useToken();
  useEffect(() => {
    if (!name) {
      setState({});
      return undefined;
    }
    const abort = new AbortController();
    const path = apiPath('/v1/dnsd/explain', { name, type });
    setState((old) => ({ ...old, loading: true }));
    get(path, abort.signal)
      .then(({ body }) => setState({ answer: body, at: new Date() }))
      .catch((error) => {
        if (!abort.signal.aborted) setState({ error });
      });
    return () => abort.abort();
  }, [name, type, who, again]);
  return [state, () => setAgain((count) => count + 1)];
}

const kRecordColumns = [
  { title: 'Name', kind: 'main', cell: (row) => html`<span class="address">${
    row.Name}</span>` },
  { title: 'TTL', kind: 'number', cell: (row) => row.Ttl },
  { title: 'Type', cell: (row) => row.Type },
  { title: 'Data', cell: (row) => html`<span class="address">${
    row.Data}</span>` },
];

function Records({ title, rows }) {
  if (!rows?.length) return null;
  // Equal records are one RRset, in an order of the server's choice.
  const placed = rows.map((row, index) => ({ ...row, index }));
  return html`<h3>${title} <span class="muted">${
    plural(rows.length, 'record')}</span></h3>
    <${Table} id=${`lookup/${title}`} caption=${title}
      columns=${kRecordColumns} rows=${placed} keyOf=${(row) => row.index}/>`;
}

function CheckLines({ checks }) {
  if (!checks?.length) return html`<span class="muted">no checks</span>`;
  const sorted = [...checks].sort((a, b) => byHealth(a.Status, b.Status));
  return html`<ul class="lines">${sorted.map((check) => html`<li
    key=${check.CheckID}><${Health} status=${check.Status}/> ${
    check.Name || check.CheckID}${check.Status !== 'passing' && check.Output &&
    html`<pre tabindex="0" aria-label=${`Output of ${
      check.Name || check.CheckID}`}>${check.Output}</pre>`}</li>`)}</ul>`;
}

const kInstanceColumns = [
  { title: 'In the answer', kind: 'narrow', cell: (row) => (row.Included
    ? html`<span class="health passing"><span class="mark"
      aria-hidden="true">●</span>yes</span>`
    : html`<span class="health critical"><span class="mark"
      aria-hidden="true">✕</span>left out</span>`) },
  { title: 'Instance', kind: 'main', cell: (row) => html`<span class="id">${
    row.ServiceID}</span> <span class="muted">on <a href=${
    href(['nodes', row.Node])}>${row.Node}</a></span>` },
  { title: 'Address', kind: 'tight', cell: (row) => html`<span
    class="address">${row.Address}${row.Port ? `:${row.Port}` : ''}</span>` },
  { title: 'Reason', cell: (row) => row.Reason ||
    html`<span class="muted">healthy</span>` },
  { title: 'Checks', cell: (row) => html`<${CheckLines}
    checks=${row.Checks}/>` },
];

function InstanceRows({ answer }) {
  const rows = answer.Instances || [];
  if (rows.length === 0) return null;
  const out = rows.filter((row) => !row.Included);
  const sorted = [...rows].sort((a, b) => a.Included - b.Included ||
    byHealth(worst(a.Checks), worst(b.Checks)));
  return html`<h2>Instances${answer.Service && html` of <a href=${
    href(['services', answer.Service])}>${answer.Service}</a>`}
    <span class="muted"> ${rows.length - out.length} in the answer, ${
    out.length} left out${answer.InstanceCount > rows.length &&
    `, of the first ${rows.length} of ${answer.InstanceCount}`}</span></h2>
    <${Table} id="lookup/instances" caption="Instances"
      columns=${kInstanceColumns} rows=${sorted}
      keyOf=${(row) => `${row.Node}/${row.ServiceID}`}
      rowClass=${(row) => (row.Included ? '' : 'out')}/>`;
}

const kSources = {
  catalog: 'from the catalog',
  zone: 'from a zone file',
  forward: 'asked of others',
  refused: 'not ours, and nobody to ask',
  pending: 'a datacenter that is still to be loaded',
};

function Verdict({ answer, at }) {
  const records = answer.Answer?.length || 0;
  const what = [answer.Kind, answer.Service, answer.Tag && `tag ${answer.Tag}`,
    answer.Query && `query ${answer.Query}`, answer.Zone,
    answer.Datacenter && `datacenter ${answer.Datacenter}`].filter(Boolean);
  // Without an rcode it is others who decide.
  const isGood = answer.Rcode === 'NOERROR' && records > 0;
  return html`<p class="verdict" role="status">${answer.Rcode && html`<strong
    class=${isGood ? 'good' : 'bad'}>${answer.Rcode}</strong> ${
    plural(records, 'record')} for `}<span class="address">${
    answer.Name}</span> ${answer.Type}, ${
    kSources[answer.Source] || answer.Source}${
    what.length > 0 && ` (${what.join(', ')})`}${answer.Truncated &&
    html` <strong class="bad">cut (TC): the rest comes over TCP</strong>`}
    <span class="muted"> at ${at.toLocaleTimeString('en-GB')}</span></p>`;
}

function Suggestions({ names, type }) {
  if (!names?.length) return null;
  return html`<p>Did you mean${names.map((name) => html` <a class="sample"
    key=${name} href=${href(['lookup'], { name, type })}>${name}</a>`)}?</p>`;
}

function Explained({ state }) {
  if (state.error) {
    return html`<p class="state failed" role="alert">${
      state.error.message}</p>`;
  }
  const { answer, at } = state;
  if (!answer) {
    return state.loading ? html`<p class="state" role="status">Asking…</p>`
      : null;
  }
  return html`<${Verdict} answer=${answer} at=${at}/>
    <${Suggestions} names=${answer.Suggestions} type=${answer.Type}/>
    <${InstanceRows} answer=${answer}/>
    ${answer.Steps?.length > 0 && html`<h2>How it was decided</h2>
      <ol class="steps">${answer.Steps.map((step, index) => html`<li
        key=${index}>${step}</li>`)}</ol>`}
    ${(answer.Answer?.length || answer.Authority?.length ||
      answer.Additional?.length) && html`<h2>The message</h2>`}
    <${Records} title="Answer" rows=${answer.Answer}/>
    <${Records} title="Authority" rows=${answer.Authority}/>
    <${Records} title="Additional" rows=${answer.Additional}/>`;
}

export function Lookup({ params, domain, nodeName }) {
  const name = params.get('name') || '';
  const type = params.get('type') || 'A';
  const input = useRef(null);
  const select = useRef(null);
  const [state, askAgain] = useExplained(name, type);
  const look = (event) => {
    event.preventDefault();
    const wanted = input.current.value.trim();
    if (wanted === name && select.current.value === type) askAgain();
    setParams({ name: wanted, type: select.current.value });
  };
  const samples = [[`consul.service.${domain}`, 'SRV'],
    nodeName && [`${nodeName}.node.${domain}`, 'A'], [domain, 'SOA']];
  return html`<h1 tabindex="-1">Look up</h1>
    <form class="lookup" onSubmit=${look}>
      <label class="box"><span>Name</span><input type="text" ref=${input}
        defaultValue=${name} key=${name} required autocomplete="off"
        autocapitalize="off" spellcheck=${false} size="36"
        placeholder=${`web.service.${domain}`}/></label>
      <label><span>Type</span><select ref=${select} key=${type}>${
        kTypes.map((one) => html`<option key=${one} selected=${
          one === type}>${one}</option>`)}</select></label>
      <button class="primary">Look up</button>
    </form>
    ${name ? html`<${Explained} state=${state}/>` : html`<p class="muted">Any
      name this server may be asked for:${samples.filter(Boolean).map(
        ([sample, of]) => html` <a class="sample" key=${sample} href=${
          href(['lookup'], { name: sample, type: of })}>${sample} ${
          of}</a>`)}</p>`}`;
}
