// What is shown stands in the address behind '#', so that it can be kept and
// sent on: #/services/web?dc=dc2&q=v1.
import { useEffect, useState } from './preact_hooks.js';

// {parts: ['services', 'web'], params: URLSearchParams}
export function parseHash(hash) {
  const [path, query] = hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  const parts = path.split('/').filter(Boolean).map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part; // typed by hand: a '%' that stands for itself
    }
  });
  return { parts, params: new URLSearchParams(query || '') };
}

// '#/services/web?dc=dc2'; parameters without a value are left out. The
// datacenter goes along from page to page.
export function href(parts, params = {}) {
  const query = new URLSearchParams();
  const dc = parseHash(location.hash).params.get('dc');
  for (const [name, value] of Object.entries({ dc, ...params })) {
    if (value) query.set(name, value);
  }
  const path = parts.map(encodeURIComponent).join('/');
  return `#/${path}${query.size ? `?${query}` : ''}`;
}

// Changes parameters of the page that is shown, without a step in the history.
export function setParams(changes) {
  const { parts, params } = parseHash(location.hash);
  const all = { ...Object.fromEntries(params), ...changes };
  history.replaceState(null, '', href(parts, all));
  dispatchEvent(new Event('hashchange'));
}

// {parts, params, path}, anew when they change.
export function useRoute() {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const read = () => setHash(location.hash);
    addEventListener('hashchange', read);
    return () => removeEventListener('hashchange', read);
  }, []);
  const route = parseHash(hash);
  return { ...route, path: route.parts.join('/') };
}

// Going on begins at the top, going back where one was.
const places = new Map();
let isBack = false;
let shown = location.hash;

export function watchPlaces() {
  history.scrollRestoration = 'manual';
  addEventListener('scroll', () => places.set(shown, scrollY),
    { passive: true });
  addEventListener('popstate', () => { isBack = true; });
  addEventListener('click', () => { isBack = false; }, true);
  addEventListener('hashchange', () => { shown = location.hash; });
}

export function scrollToPlace() {
  scrollTo(0, isBack ? places.get(location.hash) || 0 : 0);
}
