// What DNS answers and why, as the pages show it.
import assert from 'node:assert/strict';
import { resolverOf } from './dns.mjs';

export async function theLookupSaysWhy({ page, base, dns }) {
  await page.goto(`${base}/ui/#/services/web`);
  const out = page.locator('details', { hasText: 'web-3' });
  await out.getByText('left out of DNS', { exact: true }).waitFor();
  const within = page.locator('details', { hasText: 'web-1' });
  await within.getByText('in DNS', { exact: true }).waitFor();
  await page.getByRole('link', { name: 'What DNS answers, and why' }).click();
  await page.locator('.verdict').getByText('NOERROR').waitFor();
  const row = page.getByRole('row').filter({ hasText: 'web-3' }).first();
  await row.getByText('left out').waitFor();
  await row.getByText('HTTP GET /health').first().waitFor();
  await row.getByText('connection refused').waitFor();
  // What it says is what DNS says.
  const answered = await resolverOf(dns).resolveSrv('web.service.consul');
  const records = page.getByRole('table', { name: 'Answer' });
  for (const { port } of answered) {
    await records.getByText(` ${port} `).waitFor();
  }
  assert.equal(await records.getByRole('row').count(), answered.length + 1);
}

export async function anyNameCanBeLookedUp({ page, base }) {
  await page.goto(`${base}/ui/#/lookup`);
  await page.getByRole('textbox').fill('nothing.service.consul');
  await page.getByRole('combobox', { name: 'Type' }).selectOption('SRV');
  await page.keyboard.press('Tab');
  await page.getByRole('button', { name: 'Look up' }).click();
  await page.locator('.verdict').getByText('NXDOMAIN').waitFor();
  assert.match(page.url(), /name=nothing.service.consul&type=SRV/);
  await page.getByRole('textbox').fill('consul');
  await page.getByRole('combobox', { name: 'Type' }).selectOption('SOA');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Look up' }).click();
  await page.locator('.verdict').getByText('NOERROR').waitFor();
  await page.getByText(/hostmaster\.consul/).first().waitFor();
}
