// The line above a list: words to look for, a health, and how many are left.
// Both stand in the address.
import { html } from './html.js';
import { plural } from './format.js';
import { setParams } from './route.js';
import { useEffect, useRef } from './preact_hooks.js';

const kHealths = ['', 'passing', 'warning', 'critical'];

// Every word must be in one of `texts`.
export function matches(words, texts) {
  if (words.length === 0) return true;
  const all = texts.join('\n').toLowerCase();
  return words.every((word) => all.includes(word));
}

export function wordsOf(params) {
  return (params.get('q') || '').toLowerCase().split(/\s+/).filter(Boolean);
}

// '/' goes to the filter from anywhere on the page.
function useSlash(input) {
  useEffect(() => {
    const onKey = (event) => {
      const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
      if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey ||
          event.altKey || document.querySelector('dialog[open]')) return;
      event.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
}

export function Filter({ params, label, shown, total, noun }) {
  const input = useRef(null);
  useSlash(input);
  const onKey = (event) => {
    if (event.key === 'Escape') setParams({ q: '' });
  };
  const health = params.get('health') || '';
  const of = shown === total ? '' : ` of ${plural(total, noun)}`;
  return html`<div class="filter" role="search">
    <label class="box"><span class="unseen">${label}</span>
      <input type="search" ref=${input} placeholder=${label}
        value=${params.get('q') || ''} autocomplete="off" spellcheck=${false}
        aria-keyshortcuts="/" onKeyDown=${onKey}
        onInput=${(event) => setParams({ q: event.target.value })}/><kbd
        aria-hidden="true">/</kbd></label>
    <fieldset class="choice"><legend class="unseen">Health</legend>${
      kHealths.map((value) => html`<label key=${value}><input type="radio"
        name="health" value=${value} checked=${health === value}
        onChange=${() => setParams({ health: value })}/><span>${
        value || 'all'}</span></label>`)}</fieldset>
    <output class="muted" aria-live="polite">${
      of ? `${shown}${of}` : plural(total, noun)}</output>
  </div>`;
}
