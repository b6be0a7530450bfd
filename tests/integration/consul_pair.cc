#include "tests/integration/consul_pair.h"

#include <cctype>
#include <fstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/json_read.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/dns_client.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

constexpr char kData[] = "tests/testdata/consul_diff/";
constexpr char kHttpData[] = "tests/testdata/consul_diff_http/";
constexpr char kNodeId[] = "4d7a4a4a-1111-4222-8333-000000000001";
constexpr char kNodeCheck[] = "node-check";
// What a mirror must know before it is asked: the last of the configuration's,
// and with the shapes of the HTTP API the last of those.
constexpr const char* kLastNames[] = {"web.service.", "node-1.node."};
constexpr const char* kLastHttpNames[] = {"zz-last.service.", "zz-last.node.",
                                          "zz-last.query."};

std::string DnsConfigText(const PairSetup& setup) {
  const ReleaseConfig& config = setup.config;
  const auto yes = [](bool value) { return value ? "true" : "false"; };
  std::string text = absl::StrCat(
      "domain = \"", config.domain, "\"\nalt_domain = \"", config.alt_domain,
      "\"\ndns_config {\n  enable_truncate = ", yes(config.enable_truncate),
      "\n  disable_compression = ", yes(!config.compress),
      "\n  enable_additional_node_meta_txt = ", yes(config.node_text_count > 0),
      "\n  a_record_limit = ", setup.a_record_limit, "\n", setup.dns_config);
  if (setup.sets_udp_answer_limit) {
    absl::StrAppend(&text, "\n  udp_answer_limit = ", config.udp_answer_limit);
  }
  return text + "\n}\n";
}

std::string NodeText(const PairSetup& setup) {
  return absl::StrCat("node_id = \"", kNodeId, "\"\n", setup.more,
                      "\ncheck { id = \"", kNodeCheck,
                      "\" name = \"of the node\" ttl = \"87600h\" status = \"",
                      setup.node_status, "\" }\n");
}

// Services of many instances, all alike, so that trimming does not depend on
// which of them come first.
std::string ManyInstances() {
  std::string text = "services = [\n";
  const auto add = [&](const char* name, int i, const std::string& address) {
    absl::StrAppend(&text, "{ name = \"", name, "\" id = \"", name, "-", i,
                    "\" port = ", 2000 + i, " address = \"", address,
                    "\" tags = [\"", i % 2 == 0 ? "even" : "odd", "\"] },\n");
  };
  for (int i = 0; i < 60; ++i) {
    if (i < 12) add("twelve", i, absl::StrCat("10.12.0.", 10 + i));
    add("sixty", i, absl::StrCat("10.60.0.", 10 + i));
    add("sixtyv6", i, absl::StrCat("2001:db8:60::", 10 + i));
    add("crowd", i, "");
  }
  for (const auto& [name, target] :
       {std::pair{"tomany", "sixty"}, std::pair{"tomany2", "tomany"},
        std::pair{"tomany3", "tomany2"}}) {
    absl::StrAppend(&text, "{ name = \"", name, "\" address = \"", target,
                    ".service.consul\" },\n");
  }
  return text + "]\n";
}

std::vector<std::string> ReadLines(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (!line.empty() && line[0] != '#') lines.push_back(line);
  }
  return lines;
}

// The texts that `path` of members leads to in each element of a list.
std::vector<std::string> TextsOf(const Value& list, const std::string& key) {
  std::vector<std::string> texts;
  for (const Value& item : list.items) {
    if (key.empty()) texts.push_back(absl::AsciiStrToLower(item.text));
    for (const Member& member : item.members) {
      if (member.key != key) continue;
      texts.push_back(absl::AsciiStrToLower(member.value.text));
    }
  }
  return texts;
}

bool Answers(const DnsServer& server, const std::string& name) {
  const DnsReply reply = AskTcp(server, {name, "ANY", 0, true});
  return reply.rcode == "NOERROR" && !reply.answer.empty();
}

}  // namespace

ConsulPair::ConsulPair(const std::string& consul_binary)
    : binary_(consul_binary) {}

std::string ConsulPair::Start(const PairSetup& setup) {
  config_ = setup.config;
  config_.node_id = kNodeId;
  config_.mirrored = setup.source == PairSetup::Source::kMirror;
  if (config_.mirrored && config_.node_text_count > 0) {
    ++config_.node_text_count;
  }
  dir_.Write("both/many.hcl", ManyInstances());
  dir_.Write("both/setup.hcl",
             absl::StrCat(NodeText(setup), DnsConfigText(setup)));
  const std::vector<std::string> both = {"-config-dir",
                                         std::string(kData) + "catalog",
                                         "-config-dir", dir_.Path("both")};
  consul_.emplace(binary_, both);
  return setup.source == PairSetup::Source::kConfig
             ? StartConfigured(setup, both)
             : StartMirror(setup);
}

std::string ConsulPair::StartConfigured(const PairSetup& setup,
                                        const std::vector<std::string>& both) {
  // A Consul server is an instance of the service "consul" by itself.
  const std::string own = dir_.Write(
      "dnsd.hcl", absl::StrCat("dns_config { compat = \"", setup.compat, "\"\n",
                               setup.dnsd_dns_config,
                               " }\nservices { name = \"consul\" port = ",
                               consul_->server_port(), " }\n"));
  std::vector<std::string> args = both;
  args.insert(args.end(), {"-config-file", own});
  dnsd_.emplace(args);
  if (!consul_->WaitUntilSynced(kNodeCheck)) {
    return "Consul does not sync: " + consul_->process().output();
  }
  if (!dnsd_->WaitUntilServing()) {
    return "dnsd does not serve: " + dnsd_->process().output();
  }
  return "";
}

std::string ConsulPair::StartMirror(const PairSetup& setup) {
  if (!consul_->WaitUntilSynced(kNodeCheck)) {
    return "Consul does not sync: " + consul_->process().output();
  }
  if (setup.http_shapes) {
    const std::string error = LoadHttpShapes();
    if (!error.empty()) return error;
  }
  const std::string own = dir_.Write("dnsd.hcl", DnsConfigText(setup));
  const std::string compat = dir_.Write(
      "compat.hcl", absl::StrCat("dns_config { compat = \"", setup.compat,
                                 "\"\n", setup.dnsd_dns_config, " }\n"));
  dnsd_.emplace(std::vector<std::string>{"-consul-http-addr",
                                         consul_->HttpUrl(), "-config-file",
                                         own, "-config-file", compat});
  if (!dnsd_->WaitUntilServing()) {
    return "dnsd does not serve: " + dnsd_->process().output();
  }
  const auto knows_all = [&] {
    for (const char* name : kLastNames) {
      if (!Answers(dnsd_->dns(), name + config_.domain)) return false;
    }
    if (!setup.http_shapes) return true;
    for (const char* name : kLastHttpNames) {
      if (!Answers(dnsd_->dns(), name + config_.domain)) return false;
    }
    return true;
  };
  if (WaitUntil(knows_all)) return "";
  return "dnsd does not catch up: " + dnsd_->process().output();
}

std::string ConsulPair::LoadHttpShapes() {
  // A line "PUT /path", or with another method, and its body below.
  std::string call;
  std::string body;
  const auto send = [&]() -> std::string {
    if (call.empty()) return "";
    const size_t blank = call.find(' ');
    const ConsulReply reply = consul_->api().Call(call.substr(0, blank),
                                                  call.substr(blank + 1), body);
    body.clear();
    if (reply.status == 200) return "";
    return absl::StrCat(call, ": ", reply.status, " ", reply.body);
  };
  for (const std::string& line :
       ReadLines(std::string(kHttpData) + "requests.txt")) {
    if (!line.starts_with("PUT /") && !line.starts_with("POST /")) {
      absl::StrAppend(&body, line, "\n");
      continue;
    }
    const std::string error = send();
    if (!error.empty()) return error;
    call = line;
  }
  return send();
}

std::optional<RfcCatalog> ConsulPair::ReadCatalog() {
  ConsulApi& api = consul_->api();
  const auto services = ParseJson(api.Get("/v1/catalog/services"));
  const auto nodes = ParseJson(api.Get("/v1/catalog/nodes"));
  const auto queries = ParseJson(api.Get("/v1/query"));
  const auto datacenters = ParseJson(api.Get("/v1/catalog/datacenters"));
  if (!services.ok() || !nodes.ok() || !queries.ok() || !datacenters.ok()) {
    return std::nullopt;
  }
  RfcCatalog catalog;
  for (const Member& service : services->members) {
    catalog.service_tags[absl::AsciiStrToLower(service.key)] =
        TextsOf(service.value, "");
  }
  catalog.nodes = TextsOf(*nodes, "Node");
  catalog.queries = TextsOf(*queries, "Name");
  catalog.query_ids = TextsOf(*queries, "ID");
  catalog.datacenters = TextsOf(*datacenters, "");
  return catalog;
}

std::vector<std::string> ConsulPair::ShapeNames() {
  std::vector<std::string> names =
      ReadLines(std::string(kHttpData) + "names.txt");
  const std::optional<RfcCatalog> catalog = ReadCatalog();
  if (!catalog) return {};
  for (const std::string& id : catalog->query_ids) {
    names.push_back(id + ".query." + config_.domain);
  }
  return names;
}

std::vector<std::string> PairNames() {
  return ReadLines(std::string(kData) + "names.txt");
}

DiffQuestion MakeDiffQuestion(const std::string& name,
                              const std::string& type) {
  DiffQuestion question;
  question.name = name;
  question.type = TypeFromText(type);
  return question;
}

EdnsOptions EdnsOfSize(uint16_t udp_size) {
  EdnsOptions edns;
  edns.udp_size = udp_size;
  return edns;
}

std::string MixedCase(const std::string& name) {
  std::string mixed = name;
  for (size_t i = 0; i < mixed.size(); i += 2) {
    mixed[i] = static_cast<char>(std::toupper(mixed[i]));
  }
  return mixed;
}

std::vector<QueryOptions> HeaderVariants() {
  std::vector<QueryOptions> variants;
  const auto add = [&]() -> QueryOptions& { return variants.emplace_back(); };
  add().rd = false;
  add().cd = true;
  add().ad = true;
  for (const uint8_t opcode : std::vector<uint8_t>{1, 2, 3, 4, 5, 6, 15}) {
    add().opcode = opcode;
  }
  for (const uint16_t qclass : std::vector<uint16_t>{3, 4, 254, 255}) {
    add().qclass = qclass;
  }
  for (const uint16_t size : std::vector<uint16_t>{0, 100, 65535, 1232}) {
    add().edns = EdnsOfSize(size);
  }
  variants.back().edns->version = 1;
  add().edns = EdnsOfSize(1232);
  variants.back().edns->dnssec_ok = true;
  add().edns = EdnsOfSize(1232);
  variants.back().edns->options =
      EcsOption("10.1.2.0", 24, 0) + EdnsOption(10, "01234567");
  return variants;
}

std::vector<OddPacket> OddPackets() {
  const std::string good =
      BuildQuery("web.service.consul.", kTypeA, QueryOptions());
  // Counts and flags of the header, one byte changed.
  const auto with = [&](size_t at, char value) {
    std::string packet = good;
    packet[at] = value;
    return packet;
  };
  const auto broken = [](const std::string& what, const std::string& packet) {
    return OddPacket{what, packet, true, false};
  };
  return {
      {"a response", with(2, '\x81')},
      {"no question", with(5, 0)},
      {"two questions", with(5, 2)},
      broken("an answer that is not there", with(7, 1)),
      {"two answers", with(7, 2)},
      {"two authorities", with(9, 2)},
      broken("an additional that is not there", with(11, 1)),
      {"three additionals", with(11, 3)},
      broken("a header", good.substr(0, 12)),
      {"less than a header", good.substr(0, 11)},
      {"nothing", ""},
      {"half a name", good.substr(0, 16)},
      broken("no class", good.substr(0, good.size() - 2)),
      {"bytes left over", good + "left over", false, true},
      {"a label that points to itself",
       good.substr(0, 12) + "\xc0\x0c" + good.substr(32)},
      {"a label type that is not", with(12, static_cast<char>(0x80))},
  };
}

}  // namespace dnsd::testing
