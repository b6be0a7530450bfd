// Health as Consul counts it: the worst check decides.
import { html } from './html.js';

export const kStatuses = ['passing', 'warning', 'critical'];
const kRank = { passing: 0, warning: 1, critical: 2, maintenance: 3 };
const kMarks = { passing: '●', warning: '▲', critical: '✕', maintenance: '■',
  none: '○' };
const kWords = { none: 'no checks' };

const kMaintenance = /^_(node|service)_maintenance/;

export function statusOf(check) {
  return kMaintenance.test(check.CheckID) ? 'maintenance' : check.Status;
}

function worstBy(checks, judge) {
  let found = 'none';
  for (const check of checks || []) {
    const status = judge(check);
    if (found === 'none' || kRank[status] > kRank[found]) found = status;
  }
  return found;
}

// 'none' when there are no checks.
export function worst(checks) {
  return worstBy(checks, statusOf);
}

// A node is not in maintenance because a service on it is.
export function worstOfNode(checks) {
  return worstBy(checks, (check) => (
    check.CheckID === '_node_maintenance' ? 'maintenance' : check.Status));
}

// Of counted checks, as /v1/internal/ui/services has them.
export function worstOfCounts(row) {
  if (row.ChecksCritical > 0) return 'critical';
  if (row.ChecksWarning > 0) return 'warning';
  return row.ChecksPassing > 0 ? 'passing' : 'none';
}

// Whether a filter for `wanted` shows it; '' shows all.
export function isOf(status, wanted) {
  return !wanted || status === wanted ||
    (wanted === 'critical' && status === 'maintenance');
}

// What is worse stands before.
export function byHealth(a, b) {
  return (kRank[b] ?? -1) - (kRank[a] ?? -1);
}

export function Health({ status }) {
  return html`<span class="health ${status}"><span class="mark"
    aria-hidden="true">${kMarks[status] || '○'}</span>${
    kWords[status] || status}</span>`;
}

// "3 passing, 1 critical"; what there is none of is left out.
export function Counts({ counts }) {
  const some = kStatuses.filter((status) => counts[status] > 0);
  if (some.length === 0) return html`<span class="muted">none</span>`;
  return html`<span class="counts">${some.map((status) => html`<span
    key=${status} class="health ${status}"><span class="mark"
    aria-hidden="true">${kMarks[status]}</span>${counts[status]} ${
    status}</span>`)}</span>`;
}

export function countChecks(checks) {
  const counts = { passing: 0, warning: 0, critical: 0 };
  for (const check of checks || []) {
    if (check.Status in counts) counts[check.Status] += 1;
  }
  return counts;
}
