// The server under test, asked by DNS.
import { Resolver } from 'node:dns/promises';

export function resolverOf(dns) {
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  resolver.setServers([`127.0.0.1:${dns}`]);
  return resolver;
}

// Asks until `stop`; what is answered, and names that are not there.
export async function askDns(dns, signal) {
  const resolver = resolverOf(dns);
  let asked = 0;
  while (!signal.aborted) {
    const results = await Promise.allSettled([
      resolver.resolve4('web.service.consul'),
      resolver.resolveSrv('web.service.consul'),
      resolver.resolve6('postgres.service.consul'),
      resolver.resolve4(`none-${asked % 3}.service.consul`)]);
    asked += results.length;
    await new Promise((resolve) => { setTimeout(resolve, 8); });
  }
  return asked;
}
