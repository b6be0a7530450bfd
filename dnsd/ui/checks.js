// A list of checks: what each says, and what it is worth.
import { Health, byHealth, statusOf } from './health.js';
import { html } from './html.js';

function Check({ check, isOfNode }) {
  return html`<li class="check">
    <div class="check-head"><${Health} status=${statusOf(check)}/>
      <strong>${check.Name || check.CheckID}</strong>
      <span class="muted">${[check.Type, isOfNode && 'of the node',
        check.Name && check.Name !== check.CheckID && check.CheckID]
        .filter(Boolean).join(' · ')}</span></div>
    ${check.Notes && html`<p class="notes">${check.Notes}</p>`}
    ${check.Output
      ? html`<pre tabindex="0" aria-label=${`Output of ${
        check.Name || check.CheckID}`}>${check.Output}</pre>`
      : html`<p class="muted">no output yet</p>`}
  </li>`;
}

// What is worse stands before.
export function Checks({ checks, isOfService }) {
  if (!checks?.length) {
    return html`<p class="muted">There are no checks: it counts as
      healthy.</p>`;
  }
  const sorted = [...checks].sort((a, b) =>
    byHealth(statusOf(a), statusOf(b)));
  return html`<ul class="checks">${sorted.map((check) => html`<${Check}
    key=${`${check.Node}/${check.CheckID}`} check=${check}
    isOfNode=${isOfService && check.ServiceID === ''}/>`)}</ul>`;
}

// Key and value pairs of nodes and services.
export function Meta({ meta }) {
  const pairs = Object.entries(meta || {}).filter(([key]) =>
    key !== 'consul-network-segment');
  if (pairs.length === 0) return null;
  return html`<dl class="meta">${pairs.map(([key, value]) => html`<div
    key=${key}><dt>${key}</dt><dd>${value}</dd></div>`)}</dl>`;
}
