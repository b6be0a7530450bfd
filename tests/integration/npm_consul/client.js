// What an application does with the npm client `consul`, step by step, against
// the agent on 127.0.0.1:PORT. Prints a line of JSON for each step: what came
// back, without what differs from run to run (indexes, ids, ports of the
// cluster). npm_consul_test.cc compares the lines of two agents.
//
//   NODE_PATH=.../node_modules node client.js PORT
"use strict";
const Consul = require("consul");

const consul = new Consul({ host: "127.0.0.1", port: process.argv[2] });
const kMasked = new Set(["CreateIndex", "ModifyIndex", "ID", "Version"]);
const kPatienceMs = 20000;

const isUuid = (text) => typeof text === "string" && text.length === 36;
// Consul shows the union of tags in any order.
const sortsTags = (value) =>
  Array.isArray(value) && value.every((item) => typeof item === "string");

function masked(value, key) {
  if (sortsTags(value)) return [...value].sort();
  if (Array.isArray(value)) return value.map((item) => masked(item));
  if (value === null || typeof value !== "object") {
    const hides = kMasked.has(key) && (typeof value === "number" || isUuid(value));
    return hides ? "#" : value;
  }
  const out = {};
  for (const name of Object.keys(value).sort()) {
    if (name === "consul-network-segment") continue;
    out[name] = masked(value[name], name);
  }
  return out;
}

function say(step, value) {
  console.log(JSON.stringify([step, masked(value === undefined ? null : value)]));
}

// Errors are answers too.
async function run(step, call) {
  try {
    const value = await call();
    say(step, value);
    return value;
  } catch (error) {
    say(step, { error: error.message, status: error.statusCode });
    return null;
  }
}

// An agent tells its catalog a little later what it was told.
async function until(step, call, done) {
  const end = Date.now() + kPatienceMs;
  for (;;) {
    const value = await call();
    if (done(value)) return say(step, value);
    if (Date.now() > end) throw new Error(`${step}: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const web = () => consul.health.service("web");
const statusOf = (entries) =>
  entries.length === 1 &&
  entries[0].Checks.filter((check) => check.ServiceID)
    .map((check) => check.Status)
    .join();

async function agent() {
  const self = await consul.agent.self();
  const { Datacenter, NodeName, NodeID, Server } = self.Config;
  say("self", { Datacenter, NodeName, NodeID, Server });
  const members = await consul.agent.members();
  say("members", members.map(({ Name, Status, Tags }) => [Name, Status, Tags.dc, Tags.role]));
  await run("register", () => consul.agent.service.register({
    name: "web", id: "web1", port: 80, address: "10.0.0.1", tags: ["b", "a"],
    meta: { k: "v" }, check: { ttl: "1h", notes: "hello" },
  }));
  await run("register without a name", () => consul.agent.service.register({}));
  await run("services", () => consul.agent.service.list());
  await run("checks", () => consul.agent.check.list());
  for (const [verb, status] of [["pass", "passing"], ["warn", "warning"], ["fail", "critical"]]) {
    await run(verb, () => consul.agent.check[verb]({ id: "service:web1", note: `<${verb}>` }));
    await until(`health after ${verb}`, web, (entries) => statusOf(entries) === status);
  }
  await run("pass of none", () => consul.agent.check.pass("nope"));
  await run("pass", () => consul.agent.check.pass("service:web1"));
  await until("healthy", () => consul.health.service({ service: "web", passing: true }),
              (entries) => entries.length === 1);
  await run("check", () => consul.agent.check.register({
    name: "extra", ttl: "1h", serviceid: "web1", status: "passing" }));
  await until("both", web, (entries) => statusOf(entries) === "passing,passing");
  await run("check deregistered", () => consul.agent.check.deregister("extra"));
  await until("one", web, (entries) => statusOf(entries) === "passing");
  await run("deregister of none", () => consul.agent.check.deregister("nope"));
}

async function maintenance() {
  for (const enable of [true, false]) {
    await run("service", () => consul.agent.service.maintenance({
      id: "web1", enable, reason: "why" }));
    await until("its checks", () => consul.health.checks("web"),
                (checks) => checks.length === (enable ? 2 : 1));
    await run("node", () => consul.agent.maintenance({ enable, reason: "all" }));
    await until("critical", () => consul.health.state("critical"),
                (checks) => checks.length === (enable ? 2 : 0));
    if (enable) {
      await run("service off", () => consul.agent.service.maintenance({
        id: "web1", enable: false }));
      await until("its own", () => consul.health.checks("web"),
                  (checks) => checks.length === 1);
    }
  }
  await run("of none", () => consul.agent.service.maintenance({ id: "nope", enable: true }));
}

async function catalog() {
  await run("outside", () => consul.catalog.register({
    node: "outside", address: "10.9.9.9",
    service: { service: "web", id: "web9", port: 90, tags: ["x"] },
    check: { checkid: "c", name: "c", status: "warning", serviceid: "web9" },
  }));
  await run("no address", () => consul.catalog.register({ node: "x" }));
  await run("datacenters", () => consul.catalog.datacenters());
  await run("nodes", () => consul.catalog.node.list());
  await run("services", () => consul.catalog.service.list());
  await run("web", () => consul.catalog.service.nodes("web"));
  await run("web x", () => consul.catalog.service.nodes({ service: "web", tag: "x" }));
  await run("of a node", () => consul.catalog.node.services("outside"));
  await run("of no node", () => consul.catalog.node.services("nope"));
  await run("no mesh", () => consul.catalog.connect.nodes("web"));
  await run("node's health", () => consul.health.node("outside"));
  await run("warning", () => consul.health.state("warning"));
  await run("elsewhere", () => consul.catalog.nodes({ dc: "dc9" }));
  await run("bad filter", () => consul.catalog.nodes({ filter: "zz" }));
  await run("filter", () => consul.health.service({
    service: "web", filter: 'Service.Port == 90 and "x" in Service.Tags' }));
}

// Each change answers the request that waits for it.
async function blocking() {
  const seen = [];
  const watch = consul.watch({
    method: consul.health.service,
    options: { service: "web", wait: "20s" },
  });
  const states = (entries) =>
    entries.map(({ Node, Checks }) =>
      [Node.Node, Checks.filter((check) => check.ServiceID).map((check) => check.Status)]);
  const changes = [
    () => consul.agent.check.fail("service:web1"),
    () => consul.agent.check.warn("service:web1"),
    () => consul.catalog.deregister({ node: "outside", serviceid: "web9" }),
  ];
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the watch saw nothing")), kPatienceMs);
    watch.on("error", reject);
    watch.on("change", (entries) => {
      const state = JSON.stringify(states(entries));
      // Consul wakes for more than changes.
      if (seen.at(-1) === state) return;
      seen.push(state);
      const change = changes.shift();
      if (change) return change().catch(reject);
      clearTimeout(timer);
      watch.end();
      resolve();
    });
  });
  say("watched", seen);
}

async function queries() {
  const made = await consul.query.create({
    name: "nearest", service: { service: "web", tags: ["a"], onlypassing: false },
    dns: { ttl: "7s" } });
  say("created", isUuid(made.ID));
  const id = made.ID;
  await run("again", () => consul.query.create({ name: "nearest", service: { service: "web" } }));
  await run("list", () => consul.query.list());
  await run("get", () => consul.query.get(id));
  await run("execute", () => consul.query.execute("nearest"));
  await run("update", () => consul.query.update({
    query: id, name: "other", service: { service: "nothing" } }));
  await run("execute by id", () => consul.query.execute(id));
  await run("gone name", () => consul.query.execute("nearest"));
  await run("template", async () => isUuid((await consul.query.create({
    name: "geo-", template: { type: "name_prefix_match" },
    service: { service: "${name.suffix}" } })).ID));
  await run("explain", () => consul.query.explain("geo-web"));
  await run("execute template", () => consul.query.execute("geo-web"));
  await run("destroy", () => consul.query.destroy(id));
  await run("get none", () => consul.query.get(id));
}

async function end() {
  await run("node gone", () => consul.catalog.deregister({ node: "outside" }));
  await run("deregister", () => consul.agent.service.deregister("web1"));
  await run("deregister again", () => consul.agent.service.deregister("web1"));
  await until("nothing", () => consul.catalog.service.nodes("web"),
              (instances) => instances.length === 0);
  await run("services", () => consul.agent.service.list());
  await run("checks", () => consul.agent.check.list());
  await run("catalog", () => consul.catalog.service.list());
  say("leader", typeof (await consul.status.leader()));
  say("peers", (await consul.status.peers()).length);
  consul.destroy();
}

(async () => {
  for (const part of [agent, maintenance, catalog, blocking, queries, end]) {
    console.log(`== ${part.name}`);
    await part();
  }
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
