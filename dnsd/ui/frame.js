// What stands around every page: where one can go, which datacenter is shown,
// where the catalog comes from, and what is wrong.
import { html } from './html.js';
import { duration } from './format.js';
import { sourceWords } from './live_page.js';
import { useLive } from './live.js';
import { href, setParams } from './route.js';
import { ThemeChoice } from './theme.js';
import { TokenBox } from './token_box.js';

const kPages = { services: 'Services', nodes: 'Nodes', live: 'Live',
  lookup: 'Look up' };

function Navigation({ page }) {
  return html`<nav aria-label="Pages"><ul>${Object.entries(kPages).map(
    ([path, name]) => html`<li key=${path}><a href=${href([path])}
      aria-current=${page === path ? 'page' : undefined}>${name}</a></li>`)}
    </ul></nav>`;
}

function DatacenterChoice({ params, local }) {
  const { data } = useLive('/v1/catalog/datacenters');
  const chosen = params.get('dc') || local;
  const all = [...new Set([...(data || []), chosen].filter(Boolean))];
  if (all.length === 0) return null;
  return html`<label class="pick"><span>Datacenter</span><select
    onChange=${(event) => setParams({
      dc: event.target.value === local ? '' : event.target.value })}>${
    all.map((name) => html`<option key=${name} value=${name}
      selected=${name === chosen}>${name}</option>`)}</select></label>`;
}

function Source({ source }) {
  if (!source) return null;
  const isOk = source.State === 'ok';
  return html`<a class=${`source ${isOk ? '' : 'alarm'}`} href=${
    href(['live'])}><span class="unseen">Source: </span>${
    sourceWords(source)}<span class="source-state">${isOk ? 'up to date'
      : source.State}</span></a>`;
}

function Banner({ live }) {
  const { stats, error } = live;
  if (error?.status === 403) {
    return html`<p class="banner" role="status">${
      'This token may not see all of it ('}${error.message}).</p>`;
  }
  if (error?.status === 0) {
    return html`<p class="banner" role="alert">dnsd does not answer: what is
      shown may be old. It is asked again.</p>`;
  }
  if (stats?.Source.State === 'stale') {
    return html`<p class="banner" role="alert">Consul has not been heard for
      ${' '}${duration(stats.Source.AgeSeconds)}: DNS goes on with what was
      known then.</p>`;
  }
  return null;
}

export function Frame({ route, live, self, children }) {
  return html`<a class="skip" href="#main" onClick=${(event) => {
      event.preventDefault();
      document.getElementById('main').focus();
    }}>Skip to the content</a>
    <header class="frame">
      <a class="brand" href=${href(['services'])}><span aria-hidden="true"
        class="logo"></span>dnsd</a>
      <${Navigation} page=${route.parts[0] || 'services'}/>
      <div class="settings">
        <${Source} source=${live.stats?.Source}/>
        <${DatacenterChoice} params=${route.params}
          local=${self?.Config.Datacenter}/>
        <${ThemeChoice}/><${TokenBox}/>
      </div>
    </header>
    <${Banner} live=${live}/>
    <main id="main" tabindex="-1">${children}</main>
    <footer class="muted">${self && `${self.Config.NodeName} · `}dnsd ${
      live.stats?.Version || ''} · <a href="licenses.txt">licenses</a>
    </footer>`;
}
