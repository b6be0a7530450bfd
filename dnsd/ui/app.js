// The web UI: one page, whose parts are the files of this folder.
import { Frame } from './frame.js';
import { html } from './html.js';
import { useLive } from './live.js';
import { LivePage } from './live_page.js';
import { Lookup } from './lookup.js';
import { Node } from './node.js';
import { Nodes } from './nodes.js';
import { render } from './preact.js';
import { useEffect, useLayoutEffect, useRef } from './preact_hooks.js';
import { scrollToPlace, useRoute, watchPlaces } from './route.js';
import { Service } from './service.js';
import { Services } from './services.js';
import { useStats } from './stats.js';

const kTitles = { services: 'Services', nodes: 'Nodes', live: 'Live',
  lookup: 'Look up' };

function Page({ route, live, local }) {
  const [page = 'services', name] = route.parts;
  const given = { params: route.params, ...local };
  if (page === 'services' && name) {
    return html`<${Service} key=${name} name=${name} ...${given}/>`;
  }
  if (page === 'nodes' && name) {
    return html`<${Node} key=${name} name=${name} ...${given}/>`;
  }
  if (page === 'services') return html`<${Services} ...${given}/>`;
  if (page === 'nodes') return html`<${Nodes} ...${given}/>`;
  if (page === 'live') return html`<${LivePage} live=${live}/>`;
  if (page === 'lookup') return html`<${Lookup} ...${given}/>`;
  return html`<h1 tabindex="-1">No such page</h1>
    <p class="state">There is nothing at “${route.path}”.</p>`;
}

// A new page is begun at its heading, so that who listens hears where they are.
function usePlace(route) {
  const isFirst = useRef(true);
  useLayoutEffect(() => {
    if (!isFirst.current) {
      document.querySelector('h1')?.focus({ preventScroll: true });
      scrollToPlace();
    }
    isFirst.current = false;
  }, [route.path]);
  useEffect(() => {
    const [page = 'services', name] = route.parts;
    document.title = `${name || kTitles[page] || page} · dnsd`;
  }, [route.path]);
}

function App() {
  const route = useRoute();
  const live = useStats();
  const { data: self } = useLive('/v1/agent/self');
  const domain = self?.DebugConfig?.DNSDomain || 'consul';
  usePlace(route);
  const local = { domain: domain.replace(/\.$/, ''),
    datacenter: self?.Config.Datacenter, nodeName: self?.Config.NodeName };
  return html`<${Frame} route=${route} live=${live} self=${self}>
    <${Page} route=${route} live=${live} local=${local}/></>`;
}

watchPlaces();
const root = document.getElementById('app');
root.replaceChildren();
render(html`<${App}/>`, root);
