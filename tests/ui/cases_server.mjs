// What the server says of itself, as the pages show it.
import assert from 'node:assert/strict';
import { waitForRate } from './browser.mjs';
import { call } from './catalog.mjs';
import { askDns } from './dns.mjs';

function tile(page, title) {
  return page.locator('.tile', { hasText: title }).locator('dd');
}

export async function theLiveViewCounts({ page, base, dns }) {
  const abort = new AbortController();
  const asking = askDns(dns, abort.signal);
  await page.goto(`${base}/ui/#/live`);
  await waitForRate(page);
  const legend = page.locator('.legend').first();
  await legend.getByText('NOERROR').waitFor();
  await legend.getByText('NXDOMAIN').waitFor();
  await page.getByRole('radio', { name: 'by type' }).check();
  await legend.getByText('SRV').waitFor();
  await legend.getByText('AAAA').waitFor();
  await page.getByRole('radio', { name: 'by transport' }).check();
  await legend.getByText('udp').waitFor();
  assert.match(await tile(page, 'Latency').innerText(), /[\d.]+ (µs|ms)/);
  assert.match(await tile(page, 'Source').innerText(), /Own registry/);
  assert.ok(await page.locator('canvas').count() >= 2);
  abort.abort();
  assert.ok(await asking > 0);
}

export async function aTokenIsAskedForAndKept({ page, acl }) {
  await page.goto(`${acl.base}/ui/`);
  await page.getByText('the token may not read them').waitFor();
  await page.getByText('This token may not see all of it').waitFor();
  await page.getByRole('button', { name: 'Token' }).click();
  await page.getByLabel('Secret').fill('no-such-token');
  await page.keyboard.press('Enter');
  await page.getByText('ACL not found').first().waitFor();
  await page.getByRole('button', { name: 'Token' }).click();
  await page.getByLabel('Secret').fill(acl.token);
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'secret-service' }).waitFor();
  await page.getByText('Own registry').first().waitFor(); // by the stream
  await page.reload();
  await page.getByRole('link', { name: 'secret-service' }).waitFor();
  assert.doesNotMatch(page.url(), new RegExp(acl.token));
  await page.getByRole('button', { name: 'Token' }).click();
  await page.getByRole('button', { name: 'Forget it' }).click();
  await page.getByText('the token may not read them').waitFor();
}

export async function aMirrorSaysWhatItMirrorsAndThatItIsGone(
  { page, mirror }) {
  await page.goto(`${mirror.base}/ui/`);
  await page.getByText(/Mirror of .*127\.0\.0\.1/).first().waitFor();
  await page.getByRole('link', { name: 'mirrored' }).waitFor();
  await page.getByText('up to date').first().waitFor();
  await call(mirror.consul, 'PUT', '/v1/agent/leave');
  await page.getByText('Consul has not been heard for').waitFor();
  await page.getByText('stale').first().waitFor();
  // What was known is still shown, and said to be old.
  await page.getByText('This is how it was').waitFor();
  await page.getByRole('link', { name: 'mirrored' }).waitFor();
}

export async function anotherDatacenterIsAskedFor({ page, base }) {
  await page.goto(`${base}/ui/#/services?dc=elsewhere`);
  await page.getByText('No path to datacenter').waitFor();
  await page.getByRole('link', { name: 'Nodes' }).click();
  assert.match(page.url(), /dc=elsewhere/);
  await page.getByLabel('Datacenter').selectOption('dc1');
  await page.getByRole('link', { name: 'worker-1' }).waitFor();
}
