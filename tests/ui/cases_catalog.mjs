// What is registered, as the pages show it.
import assert from 'node:assert/strict';
import { kMarkup, say } from './catalog.mjs';

// "Service, health and reason in three clicks": in one.
export async function aClickShowsTheReason({ page, base }) {
  await page.goto(`${base}/`);
  assert.equal(new URL(page.url()).pathname, '/ui/');
  const row = page.getByRole('row').filter({
    has: page.getByRole('link', { name: 'web', exact: true }) });
  await row.waitFor();
  assert.match(await row.innerText(), /critical/);
  await row.getByRole('link').click();
  const web3 = page.locator('details', { hasText: 'web-3' });
  await web3.getByText('connection refused').waitFor();
  assert.equal(await web3.getAttribute('open'), '');
  const web1 = page.locator('details', { hasText: 'web-1' });
  assert.equal(await web1.getAttribute('open'), null);
  await web1.locator('summary').click();
  await web1.getByText('200 OK').waitFor();
  await web1.getByText('shop team').waitFor();
  assert.equal(await page.title(), 'web · dnsd');
}

export async function maintenanceIsSaid({ page, base }) {
  await page.goto(`${base}/ui/#/services/cache?health=critical`);
  const cache = page.locator('details', { hasText: 'cache-1' });
  await cache.locator('summary').getByText('maintenance').waitFor();
  await cache.getByText('Disk is being replaced', { exact: true }).waitFor();
  await cache.getByText('Left out of DNS: it is in maintenance').waitFor();
  // The node it is on is not, for all that.
  await page.goto(`${base}/ui/#/nodes?q=alpha`);
  const node = page.getByRole('row').filter({ hasText: 'alpha' });
  await node.locator('.narrow .critical').waitFor();
  assert.equal(await node.getByText('maintenance').count(), 0);
}

// Without loading anything again.
export async function aChangeShowsAtOnce({ page, base }) {
  await page.goto(`${base}/ui/#/services/api`);
  const api = page.locator('details', { hasText: 'api-1' });
  await api.getByText('passing').first().waitFor();
  await page.evaluate(() => { globalThis.isSame = true; });
  await say(base, 'fail', 'api-1-grpc', 'NOT_SERVING: shutting down');
  await api.getByText('NOT_SERVING: shutting down').waitFor();
  await api.locator('summary').getByText('critical').waitFor();
  await page.getByRole('link', { name: 'Services' }).first().click();
  const row = page.getByRole('row').filter({
    has: page.getByRole('link', { name: 'api', exact: true }) });
  await row.getByText('critical').first().waitFor();
  await say(base, 'pass', 'api-1-grpc', 'SERVING');
  await row.getByText('passing').first().waitFor();
  assert.equal(await page.evaluate(() => globalThis.isSame), true);
}

export async function theFilterIsInTheAddress({ page, base }) {
  await page.goto(`${base}/ui/#/services`);
  await page.getByRole('link', { name: 'web', exact: true }).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('canary');
  await page.getByText(/^1 of \d+ services$/).waitFor();
  assert.match(page.url(), /q=canary/);
  await page.keyboard.press('Escape');
  await page.getByRole('radio', { name: 'critical' }).check();
  await page.waitForFunction(() => location.hash.includes('health=critical'));
  const words = await page.getByRole('table').innerText();
  assert.match(words, /web/);
  assert.doesNotMatch(words, /postgres/);
  await page.reload();
  await page.getByText(/^3 of \d+ services$/).waitFor();
  await page.getByRole('searchbox').fill('nothing like it');
  await page.getByText('No service fits the filter.').waitFor();
}

// From the address bar to the reason, by keys alone.
export async function theKeyboardIsEnough({ page, base }) {
  await page.goto(`${base}/ui/`);
  await page.getByRole('link', { name: 'web', exact: true }).waitFor();
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent),
    'Skip to the content');
  await page.keyboard.press('Enter');
  await page.keyboard.press('/');
  await page.keyboard.type('web');
  await page.getByText(/^1 of/).waitFor();
  await tabTo(page, (focus) => focus.text === 'web');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'web' }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H1');
  await tabTo(page, (focus) => focus.tag === 'SUMMARY' &&
    focus.text.includes('web-1'));
  await page.keyboard.press('Enter');
  await page.getByText('200 OK').waitFor();
  await page.goBack();
  await page.getByRole('heading', { name: 'Services' }).waitFor();
}

async function tabTo(page, isIt) {
  for (let i = 0; i < 60; i += 1) {
    await page.keyboard.press('Tab');
    const focus = await page.evaluate(() => {
      const element = document.activeElement;
      const style = getComputedStyle(element);
      return { tag: element.tagName, text: element.textContent.trim(),
        outline: parseFloat(style.outlineWidth) > 0 ||
          getComputedStyle(element.nextElementSibling || element)
            .outlineStyle !== 'none' };
    });
    if (focus.tag !== 'BODY') {
      assert.ok(focus.outline, `no focus to be seen: ${focus.tag}`);
    }
    if (isIt(focus)) return;
  }
  assert.fail('the Tab key does not get there');
}

export async function markupStaysText({ page, base }) {
  await page.goto(`${base}/ui/#/services`);
  const link = page.getByRole('link', { name: `evil${kMarkup}` });
  await link.click();
  for (const text of ['evil', 'id', 'tag', 'name', 'notes', 'out', 'node']) {
    await page.getByText(`${text}${kMarkup}`).first().waitFor();
  }
  await page.getByText(kMarkup, { exact: true }).first().waitFor(); // meta
  await page.getByRole('link', { name: `node${kMarkup}` }).first().click();
  await page.getByRole('heading', { name: `node${kMarkup}` }).waitFor();
  await page.getByText(`out${kMarkup}`).first().waitFor();
  await page.goto(`${base}/ui/#/nodes`);
  await page.getByRole('link', { name: `node${kMarkup}` }).waitFor();
  await page.goto(`${base}/ui/#/lookup?type=A&name=${
    encodeURIComponent(`evil${kMarkup}`)}`);
  await page.waitForFunction(() => document.querySelector('.verdict, .failed'));
  await page.goto(`${base}/ui/#/${encodeURIComponent(kMarkup)}`);
  await page.getByText(`There is nothing at “${kMarkup}”.`).waitFor();
  assert.equal(await page.evaluate(() => globalThis.pwned), undefined);
  assert.equal(await page.locator('img').count(), 0);
}

export async function nodesHaveTheirChecksAndServices({ page, base }) {
  await page.goto(`${base}/ui/#/nodes`);
  await page.getByRole('searchbox').fill('worker');
  await page.getByText(/^3 of \d+ nodes$/).waitFor();
  await page.getByRole('link', { name: 'worker-2' }).click();
  await page.getByText('DISK OK').waitFor();
  await page.getByText('10.0.0.2').first().waitFor();
  await page.getByRole('link', { name: 'batch', exact: true }).click();
  await page.getByRole('heading', { name: 'batch' }).waitFor();
  await page.waitForFunction(() =>
    document.querySelectorAll('details').length === 3);
}

// Only as many rows as are looked at; the filter knows them all.
export async function aThousandServicesAreFluid({ page, many }) {
  await page.goto(`${many}/ui/`);
  await page.getByText(/^1,?\d\d\d services$/).waitFor();
  const rows = page.locator('tbody tr');
  const first = await rows.count();
  assert.ok(first <= 300, `${first} rows at once`);
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await page.waitForFunction((count) =>
    document.querySelectorAll('tbody tr').length > count, first);
  const link = rows.nth(150).getByRole('link');
  await link.scrollIntoViewIfNeeded();
  const y = await page.evaluate(() => scrollY);
  assert.ok(y > 1000, `scrolled to ${y}`);
  await link.click();
  await page.getByRole('heading', { name: /^svc-/ }).waitFor();
  await page.goBack();
  await page.getByRole('heading', { name: 'Services' }).waitFor();
  await page.waitForFunction((where) => Math.abs(scrollY - where) < 100, y);
  await page.keyboard.press('/');
  await page.keyboard.type('svc-1199');
  await page.getByText(/^1 of/).waitFor();
  await page.getByRole('link', { name: 'svc-1199' }).waitFor();
}
