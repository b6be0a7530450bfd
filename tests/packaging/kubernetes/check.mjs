// Judges docker/helm/dnsd and docker/kubernetes with the real helm, Kubernetes'
// own schemas, and the dnsd they are for. `./dev kubernetes` runs it.
//
//   node check.mjs TOOLS HELM DNSD [--write]
//
// TOOLS has the node_modules of package.json; HELM and DNSD are binaries. With
// --write, docker/kubernetes is made anew from the chart first.
//
// A field that Kubernetes does not know is found by tsc, which knows the types
// of every object and lets no literal have more; a value that it would refuse by
// the validators of kubernetes-models.
import {execFileSync, spawnSync} from 'node:child_process';
import fs from 'node:fs';
import {createRequire} from 'node:module';
import os from 'node:os';
import path from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';

const [tools, helm, dnsd, write] = process.argv.slice(2);
const require = createRequire(path.join(path.resolve(tools), 'x.js'));
const YAML = require('yaml');
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const chart = path.join(root, 'docker/helm/dnsd');
const manifests = path.join(root, 'docker/kubernetes');
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'dnsd-kubernetes-'));
process.on('exit', () => fs.rmSync(scratch, {recursive: true, force: true}));

let failures = 0;
function expect(what, problems) {
  problems = [problems].flat().filter((problem) => problem);
  console.log(`${problems.length ? 'FAILED' : 'ok'}: ${what}`);
  for (const problem of problems) console.log(`    ${problem}`);
  failures += problems.length ? 1 : 0;
}

// --- the chart ---

const consul = {consul: {address: 'http://consul-server.consul.svc:8500'}};
// What people set, by what it is called here.
const settings = {
  'a registry': {},
  'beside a Consul': consul,
  'with everything': {
    ...consul,
    consul: {address: 'https://consul:8501', tokenSecret: {name: 'consul-token'}},
    image: {repository: 'registry.example/dnsd', tag: '1', pullPolicy: 'Always'},
    imagePullSecrets: [{name: 'pull'}],
    recursors: ['192.0.2.53', 'tls://192.0.2.54#dns.example'],
    config: 'dns_config {\n  service_ttl { "*" = "5s" }\n}\n',
    extraArgs: ['-log-json', '-node-meta=a:b'],
    statefulSet: {replicas: 3, storage: {size: '2Gi', storageClassName: 'fast'}},
    daemonSet: {enabled: true, priorityClassName: 'system-node-critical'},
    service: {
      clusterIP: '10.96.0.53', annotations: {a: 'b'},
      node: {clusterIP: '10.96.0.54', annotations: {c: 'd'}},
    },
    networkPolicy: {
      dnsFrom: [{namespaceSelector: {}}, {ipBlock: {cidr: '10.0.0.0/8'}}],
    },
    podLabels: {team: 'dns'},
    nodeSelector: {'kubernetes.io/os': 'linux'},
    tolerations: [{key: 'dns', operator: 'Exists', effect: 'NoSchedule'}],
    affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{matchExpressions: [{key: 'a', operator: 'Exists'}]}]}}},
  },
  'on nodes only': {
    ...consul, statefulSet: {enabled: false}, daemonSet: {enabled: true},
  },
  'with all that is optional left out': {
    podDisruptionBudget: {enabled: false}, networkPolicy: {enabled: false},
    preStopSleepSeconds: 0, podAnnotations: null, resources: null,
  },
  'by another name': {fullnameOverride: 'x'.repeat(80)},
};
// What must be refused, and a word of the reason.
const refused = {
  'two registries': [{statefulSet: {replicas: 2}}, 'registry of its own'],
  'a registry on each node': [{daemonSet: {enabled: true}}, 'registry of its own'],
  'nothing': [{statefulSet: {enabled: false}}, 'nothing to install'],
  'a value that does not exist': [{replicas: 2}, 'replicas'],
  'a value of another type': [{recursors: '192.0.2.53'}, 'recursors'],
};

function template(values, ...args) {
  const file = path.join(scratch, 'values.yaml');
  fs.writeFileSync(file, YAML.stringify(values));
  return spawnSync(helm, [
    'template', 'dnsd', chart, '--namespace', 'dnsd', '--kube-version', '1.35',
    '--values', file, ...args,
  ], {encoding: 'utf8'});
}

// The documents of a file; YAML that says a key twice, and the like, throws.
function parse(text) {
  const documents = YAML.parseAllDocuments(text, {uniqueKeys: true});
  for (const document of documents) {
    if (document.errors.length) throw document.errors[0];
  }
  return documents.map((document) => document.toJS()).filter((object) => object);
}

// --- what Kubernetes says ---

async function schemaProblems(objects) {
  const problems = [];
  for (const object of objects) {
    const file = path.join(path.resolve(tools), 'node_modules/kubernetes-models',
                           object.apiVersion, `${object.kind}.js`);
    if (!fs.existsSync(file)) {
      problems.push(`no ${object.kind} in ${object.apiVersion}`);
      continue;
    }
    const Kind = (await import(pathToFileURL(file)))[object.kind];
    try {
      new Kind(object).validate();
    } catch (error) {
      problems.push(`${object.kind} ${object.metadata?.name}: ${error.message}`);
    }
  }
  return problems;
}

function typeProblems(objects) {
  const lines = objects.map((object, i) =>
    `import type {I${object.kind} as T${i}} from ` +
    `"kubernetes-models/${object.apiVersion}/${object.kind}";\n` +
    `export const o${i}: T${i} = ${JSON.stringify(object, null, 1)};`);
  const directory = path.join(path.resolve(tools), 'types');
  fs.mkdirSync(directory, {recursive: true});
  fs.writeFileSync(path.join(directory, 'package.json'), '{"type": "module"}');
  const file = path.join(directory, 'objects.ts');
  fs.writeFileSync(file, lines.join('\n'));
  const tsc = spawnSync(process.execPath, [
    require.resolve('typescript/bin/tsc'), '--noEmit', '--strict',
    '--skipLibCheck', '--module', 'nodenext', '--target', 'es2022',
    file,
  ], {encoding: 'utf8'});
  return tsc.status === 0 ? [] : tsc.stdout.trim().split('\n');
}

// --- what the objects say of each other ---

const matches = (selector, labels) =>
  Object.entries(selector).every(([key, value]) => labels?.[key] === value);

function relations(objects) {
  const of = (kind) => objects.filter((object) => object.kind === kind);
  const workloads = [...of('StatefulSet'), ...of('DaemonSet')];
  const problems = [];
  const check = (good, what) => good || problems.push(what);
  const names = objects.map((object) => `${object.kind}/${object.metadata.name}`);
  check(new Set(names).size === names.length, 'a name is there twice');
  for (const object of objects) {
    check(object.metadata.name.length <= 63, `long: ${object.metadata.name}`);
    check(object.metadata.namespace === 'dnsd' || object.kind === 'Namespace',
          `${object.kind} ${object.metadata.name} is in another namespace`);
  }
  for (const service of of('Service')) {
    const behind = workloads.filter((workload) =>
      matches(service.spec.selector, workload.spec.template.metadata.labels));
    check(behind.length === 1,
          `${behind.length} workloads are behind ${service.metadata.name}`);
    for (const workload of behind) {
      const ports = workload.spec.template.spec.containers[0].ports;
      for (const {targetPort, protocol} of service.spec.ports) {
        check(ports.some((port) => port.name === targetPort &&
                                   port.protocol === protocol),
              `${service.metadata.name}: no port ${targetPort}/${protocol}`);
      }
    }
  }
  for (const workload of workloads) {
    const {spec, metadata: {name}} = workload;
    const pod = spec.template.spec;
    check(matches(spec.selector.matchLabels, spec.template.metadata.labels),
          `${name} does not select its own pods`);
    check(of('ServiceAccount').some((account) =>
            account.metadata.name === pod.serviceAccountName),
          `${name}: no account ${pod.serviceAccountName}`);
    if (spec.serviceName) {
      check(of('Service').some((service) =>
              service.metadata.name === spec.serviceName &&
              service.spec.clusterIP === 'None'),
            `${name}: no headless service ${spec.serviceName}`);
    }
    const volumes = [...(pod.volumes ?? []).map((volume) => volume.name),
                     ...(spec.volumeClaimTemplates ?? []).map((claim) =>
                       claim.metadata.name)];
    const mounts = pod.containers[0].volumeMounts.map((mount) => mount.name);
    check(`${volumes.sort()}` === `${mounts.sort()}`,
          `${name}: volumes ${volumes}, mounts ${mounts}`);
    for (const volume of pod.volumes ?? []) {
      check(!volume.configMap || of('ConfigMap').some((map) =>
              map.metadata.name === volume.configMap.name),
            `${name}: no ConfigMap ${volume.configMap?.name}`);
    }
  }
  for (const budget of of('PodDisruptionBudget')) {
    check(workloads.some((workload) =>
            workload.kind === 'StatefulSet' &&
            matches(budget.spec.selector.matchLabels,
                    workload.spec.template.metadata.labels)),
          'the PodDisruptionBudget is of no StatefulSet');
  }
  for (const policy of of('NetworkPolicy')) {
    check(workloads.every((workload) =>
            matches(policy.spec.podSelector.matchLabels,
                    workload.spec.template.metadata.labels)),
          'the NetworkPolicy leaves pods out');
  }
  return problems;
}

// The "restricted" level of Kubernetes' Pod Security Standards, and a root file
// system that nobody writes to.
function restricted(objects) {
  const problems = [];
  for (const object of objects) {
    const pod = object.kind === 'Pod' ? object.spec : object.spec?.template?.spec;
    if (!pod) continue;
    const good = pod.securityContext?.runAsNonRoot === true &&
      pod.securityContext.runAsUser > 0 &&
      pod.securityContext.seccompProfile?.type === 'RuntimeDefault' &&
      pod.automountServiceAccountToken === false &&
      !pod.hostNetwork && !pod.hostPID && !pod.hostIPC &&
      pod.containers.every(({securityContext: context, ports}) =>
        context?.allowPrivilegeEscalation === false && !context.privileged &&
        context.readOnlyRootFilesystem === true &&
        `${context.capabilities?.drop}` === 'ALL' && !context.capabilities.add &&
        !(ports ?? []).some((port) => port.hostPort));
    if (!good) problems.push(`${object.kind} ${object.metadata.name}`);
  }
  return problems;
}

// --- what dnsd says ---

function dnsdProblems(objects) {
  const problems = [];
  for (const {kind, data} of objects) {
    if (kind !== 'ConfigMap') continue;
    for (const [name, text] of Object.entries(data)) {
      const file = path.join(scratch, name);
      fs.writeFileSync(file, text);
      const judged = spawnSync(dnsd, ['validate', file], {encoding: 'utf8'});
      if (judged.status !== 0) problems.push(judged.stderr);
    }
  }
  for (const object of objects) {
    const pod = object.kind === 'Pod' ? object.spec : object.spec?.template?.spec;
    for (const container of pod?.containers ?? []) {
      const probes = ['startupProbe', 'livenessProbe', 'readinessProbe']
        .map((probe) => container[probe]?.exec.command.slice(1))
        .filter((args) => args);
      for (const args of [container.args, ...probes]) {
        // A flag that is wrong is said before the help is given.
        const help = spawnSync(dnsd, [...args, '-h'], {encoding: 'utf8'});
        if (help.status !== 0 || !/^Usage: dnsd /.test(help.stdout)) {
          problems.push(`${args.join(' ')}: ${help.stderr}`);
        }
      }
    }
  }
  return problems;
}

async function judge(what, text) {
  let objects;
  try {
    objects = parse(text);
  } catch (error) {
    expect(`${what}: is YAML`, error.message);
    return;
  }
  expect(`${what}: ${objects.length} objects that Kubernetes has`,
         objects.length ? await schemaProblems(objects) : 'none at all');
  expect(`${what}: with no field that it has not`, typeProblems(objects));
  expect(`${what}: that fit together`, relations(objects));
  expect(`${what}: whose pods are restricted`, restricted(objects));
  expect(`${what}: that dnsd understands`, dnsdProblems(objects));
}

// --- docker/kubernetes ---

const plain = {
  'statefulset.yaml': [
    'dnsd beside a Consul: two pods that mirror it, each with a disk.', consul],
  'daemonset.yaml': [
    'dnsd beside a Consul on every node, which its pods ask.',
    settings['on nodes only']],
};
const namespace = `apiVersion: v1
kind: Namespace
metadata:
  name: dnsd
  labels:
    pod-security.kubernetes.io/enforce: restricted
`;

// What the chart makes, without what only Helm needs.
function manifest([about, values]) {
  const text = template(values, '--skip-tests').stdout
    .replace(/^# Source: .*\n/gm, '')
    .replace(/^ *(app\.kubernetes\.io\/managed-by|helm\.sh\/chart): .*\n/gm, '');
  return `# ${about}\n# Made of the chart by \`./dev kubernetes --write\`: ` +
    `change that. The image and the\n# address of the Consul are yours to set.\n` +
    namespace + text;
}

if (write === '--write') {
  fs.mkdirSync(manifests, {recursive: true});
  for (const [name, how] of Object.entries(plain)) {
    fs.writeFileSync(path.join(manifests, name), manifest(how));
  }
}

// --- all of it ---

console.log(execFileSync(helm, ['version', '--short'], {encoding: 'utf8'}).trim());
const lint = spawnSync(helm, ['lint', '--strict', chart], {encoding: 'utf8'});
expect('helm lint --strict', lint.status === 0 ? '' : lint.stdout + lint.stderr);
for (const [what, values] of Object.entries(settings)) {
  const made = template(values);
  if (made.status !== 0) {
    expect(`${what}: is a chart`, made.stderr);
  } else {
    await judge(what, made.stdout);
  }
}
for (const [what, [values, reason]] of Object.entries(refused)) {
  const made = template(values);
  expect(`refused: ${what}`,
         made.status !== 0 && made.stderr.includes(reason) ? '' :
           `${made.status}: ${made.stderr}`);
}
for (const [name, how] of Object.entries(plain)) {
  const file = path.join(manifests, name);
  const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
  expect(`${name} is what the chart makes`,
         text === manifest(how) ? '' : 'run ./dev kubernetes --write');
  await judge(name, text);
}
// A check that finds nothing proves nothing: each has to find what is wrong, and
// to say so.
const good = parse(template(settings['with everything']).stdout);
const spoiled = (change) => {
  const objects = structuredClone(good);
  change((kind) => objects.find((object) => object.kind === kind));
  return objects;
};
const container = (workload) => workload.spec.template.spec.containers[0];
const detected = {
  'an unknown field': ['image_', typeProblems(spoiled((of) => {
    container(of('StatefulSet')).image_ = 'x';
  }))],
  'a value of the wrong type': ['/spec/ports/0/port', await schemaProblems(
    spoiled((of) => { of('Service').spec.ports[0].port = 'fifty-three'; }))],
  'a missing field': ['selector', await schemaProblems(
    spoiled((of) => { delete of('DaemonSet').spec.selector; }))],
  'a service of nobody': ['0 workloads are behind', relations(
    spoiled((of) => { of('Service').spec.selector = {app: 'other'}; }))],
  'a right too many': ['DaemonSet', restricted(spoiled((of) => {
    container(of('DaemonSet')).securityContext.capabilities.add = ['NET_ADMIN'];
  }))],
  'a flag that dnsd has not': ['-no-such', dnsdProblems(spoiled((of) => {
    container(of('StatefulSet')).args.push('-no-such');
  }))],
};
for (const [what, [word, problems]] of Object.entries(detected)) {
  expect(`${what} would be found`,
         problems.some((problem) => problem.includes(word)) ? '' :
           `it is not: ${problems}`);
}
if (failures) {
  console.log(`FAILED: ${failures} statements`);
  process.exitCode = 1;
} else {
  console.log('all statements hold');
}
