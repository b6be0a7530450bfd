// How the pages look: pictures of each in both themes and on a phone, for
// people to look at, and what axe-core has against any of them.
import assert from 'node:assert/strict';
import { findBarriers, open, waitForRate } from './browser.mjs';
import { askDns } from './dns.mjs';

// Path behind '#', and what is there when the page is whole.
const kPages = {
  services: ['/services', 'tbody tr'],
  service: ['/services/web', 'details[open] .reason'],
  nodes: ['/nodes', 'tbody tr'],
  node: ['/nodes/worker-1', 'tbody tr'],
  live: ['/live', '.legend li'],
  lookup: ['/lookup?name=web.service.consul&type=SRV', '.verdict'],
  none: ['/services?q=nothing', '.state'],
  begin: ['/lookup', '.sample'],
};

const kLooks = {
  light: { theme: 'light' },
  dark: { theme: 'dark' },
  phone: { theme: 'light', size: 'phone' },
  'phone-dark': { theme: 'dark', size: 'phone' },
};

// Nothing sticks out to the side, on any screen.
async function checkWidth(page, name) {
  const [wide, window] = await page.evaluate(() =>
    [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= window, `${name}: ${wide} px wide in ${window}`);
}

async function look(browser, name, options, { base, pictures }) {
  const { page, faults, context } = await open(browser, options);
  const barriers = [];
  for (const [title, [path, mark]] of Object.entries(kPages)) {
    await page.goto(`${base}/ui/#${path}`);
    await page.locator(mark).first().waitFor();
    if (title === 'live') {
      await waitForRate(page);
    }
    await checkWidth(page, `${title}, ${name}`);
    await page.screenshot({ path: `${pictures}/${title}-${name}.png`,
      fullPage: true });
    barriers.push(...(await findBarriers(page)).map(
      (barrier) => `${title}, ${name}: ${barrier}`));
  }
  await page.getByRole('button', { name: 'Token' }).click();
  await page.screenshot({ path: `${pictures}/token-${name}.png` });
  barriers.push(...await findBarriers(page));
  await context.close();
  assert.deepEqual(barriers, []);
  assert.deepEqual(faults, []);
}

export async function everyPageInEveryLook(given) {
  const abort = new AbortController();
  const asking = askDns(given.dns, abort.signal);
  try {
    for (const [name, options] of Object.entries(kLooks)) {
      await look(given.browser, name, options, given);
    }
  } finally {
    abort.abort();
    await asking;
  }
}

export async function theThemeIsChosenAndKept({ page, base }) {
  const ground = () => page.evaluate(() =>
    getComputedStyle(document.body).backgroundColor);
  await page.goto(`${base}/ui/`);
  await page.getByRole('link', { name: 'web', exact: true }).waitFor();
  const light = await ground();
  await page.getByLabel('Theme').selectOption('dark');
  const dark = await ground();
  assert.notEqual(dark, light);
  await page.reload();
  assert.equal(await ground(), dark);
  await page.getByLabel('Theme').selectOption('');
  assert.equal(await ground(), light);
}
