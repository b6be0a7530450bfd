// The system's Chromium, driven by playwright-core, and pages of it that
// remember whatever should not have happened: errors on the console, refused by
// the policy, requests to anywhere but the server.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

// Where `./dev` put what package-lock.json names.
const modules = createRequire(`${process.env.DNSD_UI_TEST_MODULES}/`);
const { chromium } = modules('playwright-core');
const kAxe = readFileSync(modules.resolve('axe-core/axe.min.js'), 'utf8');

// Long enough for a busy machine; only failures wait it out.
const kPatienceMs = 30000;

export function launch() {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    // As root there is no sandbox. Nothing but this machine has a name.
    args: ['--no-sandbox',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
  });
}

export const kSizes = {
  desk: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 },
};

// {page, faults}: a page with an own session, whose faults are texts.
export async function open(browser, { theme = 'light', size = 'desk' } = {}) {
  const context = await browser.newContext({
    colorScheme: theme,
    viewport: kSizes[size],
    isMobile: size === 'phone',
    hasTouch: size === 'phone',
    deviceScaleFactor: 1,
    bypassCSP: false,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(kPatienceMs);
  const faults = [];
  const origins = new Set();
  page.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    // The browser's own line for an answer that is no success; what the page
    // makes of it is tested where it is provoked.
    if (/^Failed to load resource/.test(message.text())) return;
    faults.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`error: ${error.stack}`));
  page.on('request', (request) => {
    const { origin } = new URL(request.url());
    origins.add(origin);
    if (origins.size > 1) faults.push(`asks elsewhere: ${request.url()}`);
  });
  page.on('websocket', (socket) => faults.push(`socket: ${socket.url()}`));
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => {
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  return { page, faults, context };
}

// What axe-core finds serious or critical, a line each.
export async function findBarriers(page) {
  // Not as an element: the policy would refuse it, as it should.
  await page.evaluate(kAxe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }) => `${id}: ${help}: ${
      nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | ')}`);
}

// More than ten queries a second, as the live page counts them.
export async function waitForRate(page) {
  await page.waitForFunction(() => {
    const rate = document.querySelector('.tile dd')?.firstChild.data;
    return parseInt(rate?.replace(',', ''), 10) > 10;
  });
}
