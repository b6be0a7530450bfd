// What the server under test is filled with, over its HTTP API.
export const kMarkup = '<img src=x onerror="globalThis.pwned=1">';

export async function call(base, method, path, body, headers = {}) {
  const response = await fetch(base + path, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`${method} ${path}: ${response.status} ${text}`);
  }
  return text;
}

const put = (base, path, body) => call(base, 'PUT', path, body);

function instance(id, name, port, more = {}) {
  return { ID: id, Name: name, Port: port, Address: `10.1.0.${port % 250}`,
    ...more };
}

function ttl(id, name, notes = '') {
  return { CheckID: id, Name: name, TTL: '1h', Status: 'passing',
    Notes: notes };
}

export async function say(base, verb, check, note = '') {
  await put(base, `/v1/agent/check/${verb}/${check}?note=${
    encodeURIComponent(note)}`);
}

// Three instances of web, of which one is critical and one a warning, and some
// neighbours.
async function fillServices(base) {
  const at = '/v1/agent/service/register';
  await put(base, at, instance('web-1', 'web', 8080, { Tags: ['v1', 'http'],
    Meta: { version: '1.9.2', owner: 'shop team' },
    Checks: [ttl('web-1-http', 'HTTP GET /health')] }));
  await put(base, at, instance('web-2', 'web', 8081, { Tags: ['v1', 'http'],
    Checks: [ttl('web-2-http', 'HTTP GET /health'),
      ttl('web-2-disk', 'Disk space', 'Below 10 % it is a warning.')] }));
  await put(base, at, instance('web-3', 'web', 8082, { Tags: ['v2', 'canary'],
    Checks: [ttl('web-3-http', 'HTTP GET /health')] }));
  await put(base, at, instance('pg-1', 'postgres', 5432, { Tags: ['primary'],
    Checks: [ttl('pg-1-tcp', 'TCP connect')] }));
  await put(base, at, instance('pg-2', 'postgres', 5433, { Tags: ['replica'],
    Checks: [ttl('pg-2-tcp', 'TCP connect')] }));
  await put(base, at, instance('cache-1', 'cache', 6379));
  await put(base, at, instance('api-1', 'api', 9000, {
    Checks: [ttl('api-1-grpc', 'gRPC health')] }));
  await put(base, '/v1/agent/service/maintenance/cache-1?enable=true&reason='
    + encodeURIComponent('Disk is being replaced'));
  await say(base, 'pass', 'web-1-http', 'HTTP GET http://10.1.0.80:8080/health'
    + ': 200 OK Output: {"status":"up"}');
  await say(base, 'warn', 'web-2-disk', 'DISK WARNING - /var has 8 % left');
  await say(base, 'fail', 'web-3-http',
    'Get "http://10.1.0.82:8082/health": dial tcp 10.1.0.82:8082: connect: '
    + 'connection refused');
}

// Whatever can be said has markup in it.
async function fillMarkup(base) {
  await put(base, '/v1/catalog/register', {
    Node: `node${kMarkup}`, Address: '10.9.9.9',
    NodeMeta: { place: kMarkup },
    Service: { ID: `id${kMarkup}`, Service: `evil${kMarkup}`, Port: 1,
      Tags: [`tag${kMarkup}`], Meta: { note: kMarkup } },
    Checks: [{ CheckID: `check${kMarkup}`, Name: `name${kMarkup}`,
      Status: 'critical', Notes: `notes${kMarkup}`, Output: `out${kMarkup}`,
      ServiceID: `id${kMarkup}` },
    { CheckID: 'of-node', Name: `name${kMarkup}`, Status: 'warning',
      Output: `out${kMarkup}` }],
  });
}

export async function fill(base) {
  await fillServices(base);
  await fillMarkup(base);
  for (let i = 1; i <= 3; i += 1) {
    await put(base, '/v1/catalog/register', {
      Node: `worker-${i}`, Address: `10.0.0.${i}`,
      NodeMeta: { rack: `r${i}` },
      Service: { ID: `batch-${i}`, Service: 'batch', Port: 7000 + i },
      Check: { CheckID: 'disk', Name: 'Disk', Status: 'passing',
        Output: 'DISK OK' },
    });
  }
}

// Services svc-0000 and so on, on nodes of fifty each.
export async function fillMany(base, count) {
  const paths = [];
  for (let i = 0; i < count; i += 1) {
    const name = `svc-${String(i).padStart(4, '0')}`;
    paths.push({ Node: `host-${Math.floor(i / 50)}`, Address: '10.2.0.1',
      Service: { ID: name, Service: name, Port: 80, Tags: [`team-${i % 7}`] },
      Check: { CheckID: name, Name: 'alive', Status: i % 100 === 99
        ? 'critical' : 'passing', ServiceID: name } });
  }
  // A few at a time: the limit is of requests in flight.
  const lanes = Array.from({ length: 8 }, async () => {
    for (let body = paths.pop(); body; body = paths.pop()) {
      await put(base, '/v1/catalog/register', body);
    }
  });
  await Promise.all(lanes);
}

export async function fillOne(base, name, token = '') {
  await call(base, 'PUT', '/v1/agent/service/register',
    instance(name, name, 80), { 'X-Consul-Token': token });
}
