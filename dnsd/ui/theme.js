// Light, dark, or what the system says. theme_first.js puts the choice in place
// before the first picture.
import { html } from './html.js';
import { useEffect, useState } from './preact_hooks.js';

const kKey = 'dnsd-theme';
const kNames = { '': 'Auto', light: 'Light', dark: 'Dark' };

function choose(theme) {
  if (theme) {
    localStorage.setItem(kKey, theme);
    document.documentElement.dataset.theme = theme;
  } else {
    localStorage.removeItem(kKey);
    delete document.documentElement.dataset.theme;
  }
  dispatchEvent(new Event('dnsd-theme'));
}

// A number that changes when colours do.
export function useThemeChange() {
  const [changes, setChanges] = useState(0);
  useEffect(() => {
    const change = () => setChanges((old) => old + 1);
    const system = matchMedia('(prefers-color-scheme: dark)');
    addEventListener('dnsd-theme', change);
    system.addEventListener('change', change);
    return () => {
      removeEventListener('dnsd-theme', change);
      system.removeEventListener('change', change);
    };
  }, []);
  return changes;
}

export function ThemeChoice() {
  useThemeChange();
  const chosen = document.documentElement.dataset.theme || '';
  return html`<label class="pick"><span>Theme</span><select
    onChange=${(event) => choose(event.target.value)}>${
    Object.entries(kNames).map(([value, name]) => html`<option key=${value}
      value=${value} selected=${value === chosen}>${name}</option>`)}
    </select></label>`;
}
