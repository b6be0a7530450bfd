// A table of any length: the first hundred rows, and more as they come into
// view. On a phone each row is a card, whose cells have their columns' titles
// beside them; the roles keep it a table for who listens to it.
import { html } from './html.js';
import { useEffect, useRef, useState } from './preact_hooks.js';

const kStep = 100;

// The first of `items`, and the button that stands behind them while there are
// more. `id` names the list: a page that is come back to has as many as before.
const shownOf = new Map();

export function useFirst(items, id) {
  const [shown, setShown] = useState(shownOf.get(id) || kStep);
  const button = useRef(null);
  const more = () => setShown((old) => {
    shownOf.set(id, old + kStep);
    return old + kStep;
  });
  const left = items.length - shown;
  useEffect(() => {
    if (!button.current) return undefined;
    const watcher = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) more();
    }, { rootMargin: '600px' });
    watcher.observe(button.current);
    return () => watcher.disconnect();
  }, [left > 0, shown]);
  const rest = left > 0 && html`<button class="more" ref=${button}
    onClick=${more}>Show more (${left} left)</button>`;
  return [items.slice(0, shown), rest];
}

function isInteractive(target) {
  return target.closest('a, button, input, summary, pre') !== null;
}

// A click anywhere in a row is one on its first link; the link is what the
// keyboard uses.
function followRow(event) {
  if (isInteractive(event.target) || event.defaultPrevented) return;
  if (String(getSelection())) return; // text was selected
  event.currentTarget.querySelector('a')?.click();
}

// columns: [{title, cell(row), kind}], kind is a class of the column's cells. A
// `small` table stays one on a phone.
export function Table({ id, caption, columns, rows, keyOf, rowClass, small }) {
  const [some, rest] = useFirst(rows, id);
  const leads = columns.some((column) => column.leads);
  return html`<table role="table" class=${small ? '' : 'cards'}>
    <caption class="unseen">${caption}</caption>
    <thead role="rowgroup"><tr role="row">${columns.map((column) => html`<th
      role="columnheader" scope="col" class=${column.kind}>${
      column.title}</th>`)}</tr></thead>
    <tbody role="rowgroup">${some.map((row) => html`<tr role="row"
      key=${keyOf(row)} class=${[leads && 'leads', rowClass?.(row)]
        .filter(Boolean).join(' ')}
      onClick=${leads ? followRow : undefined}>${columns.map((column) =>
        html`<td role="cell" class=${column.kind} data-title=${
          column.title}>${column.cell(row)}</td>`)}</tr>`)}</tbody>
  </table>${rest}`;
}

// What stands where a list would, while there is none.
export function State({ live, empty, children }) {
  if (live.error && live.data === undefined) {
    return html`<p class="state failed" role="alert">${
      live.error.message}</p>`;
  }
  if (live.data === undefined) {
    return html`<p class="state" role="status">Loading…</p>`;
  }
  const old = live.error && html`<p class="old" role="status">This is how it was:
    ${' '}${live.error.message}. It is asked again.</p>`;
  return html`${old}${empty
    ? html`<p class="state" role="status">${empty}</p>` : children}`;
}
