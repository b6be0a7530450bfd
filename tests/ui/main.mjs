// node main.mjs CONFIG: runs the cases in Chromium against the agents that
// CONFIG (JSON, from ui_test.cc) names, prints a line each, and exits with 1
// when one failed. A second argument runs those whose names have it.
import { mkdirSync } from 'node:fs';
import assert from 'node:assert/strict';
import { launch, open } from './browser.mjs';
import { fill, fillMany, fillOne } from './catalog.mjs';
import * as catalog from './cases_catalog.mjs';
import * as lookup from './cases_lookup.mjs';
import * as looks from './cases_looks.mjs';
import * as server from './cases_server.mjs';

const kMany = 1200;
const given = JSON.parse(process.argv[2]);
const only = process.argv[3] || '';

async function run(name, test, browser) {
  const began = Date.now();
  const { page, faults, context } = await open(browser);
  try {
    await test({ ...given, browser, page });
    assert.deepEqual(faults, []);
    console.log(`ok   ${name} (${Date.now() - began} ms)`);
    return true;
  } catch (error) {
    console.log(`FAIL ${name}: ${error.stack}`);
    await page.screenshot({ path: `${given.pictures}/FAIL-${name}.png` })
      .catch(() => {});
    for (const fault of faults) console.log(`     ${fault}`);
    return false;
  } finally {
    await context.close();
  }
}

mkdirSync(given.pictures, { recursive: true });
await Promise.all([
  fill(given.base),
  fillMany(given.many, kMany),
  fillOne(given.acl.base, 'secret-service', given.acl.token),
  fillOne(given.mirror.consul, 'mirrored'),
]);
const browser = await launch();
let failed = 0;
for (const cases of [catalog, lookup, server, looks]) {
  for (const [name, test] of Object.entries(cases)) {
    if (!name.includes(only)) continue;
    if (!await run(name, test, browser)) failed += 1;
  }
}
await browser.close();
console.log(failed === 0 ? 'all cases passed' : `${failed} cases failed`);
process.exit(failed === 0 ? 0 : 1);
