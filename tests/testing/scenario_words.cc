#include "tests/testing/scenario_words.h"

#include <functional>
#include <map>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

struct Pair {
  std::string key;
  std::string value;
};

Pair SplitPair(const std::string& word) {
  size_t equals = word.find('=');
  if (equals == std::string::npos) return {word, ""};
  return {word.substr(0, equals), word.substr(equals + 1)};
}

// A word may be written with %XX for bytes that text files should not hold.
std::string Unpercent(const std::string& text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      plain += absl::HexStringToBytes(text.substr(i + 1, 2));
      i += 2;
    } else {
      plain.push_back(text[i]);
    }
  }
  return plain;
}

template <typename Number>
std::string ReadNumber(const std::string& text, Number* number) {
  uint32_t value = 0;
  if (!absl::SimpleAtoi(text, &value)) {
    return absl::StrCat("'", text, "' is no number");
  }
  *number = static_cast<Number>(value);
  return "";
}

std::vector<std::string> SplitList(const std::string& text) {
  return absl::StrSplit(text, ',', absl::SkipEmpty());
}

std::string ReadTtls(const std::string& text, ZonePolicy* policy) {
  for (const std::string& entry : SplitList(text)) {
    std::vector<std::string> pair = absl::StrSplit(entry, ':');
    if (pair.size() != 2) return "service_ttl=NAME:SECONDS,...";
    std::string error = ReadNumber(pair[1], &policy->service_ttl[pair[0]]);
    if (!error.empty()) return error;
  }
  return "";
}

std::string ReadPolicyText(const Pair& pair, ZonePolicy* policy) {
  if (pair.key == "compat") {
    policy->compat = pair.value == "consul" ? Compat::kConsul : Compat::kRfc;
    return pair.value == "consul" || pair.value == "rfc" ? "" : "consul or rfc";
  }
  const std::map<std::string, std::string*> texts = {
      {"domain", &policy->domain},
      {"alt_domain", &policy->alt_domain},
      {"datacenter", &policy->datacenter},
      {"node_name", &policy->node_name},
  };
  auto text = texts.find(pair.key);
  if (text == texts.end()) return absl::StrCat("unknown key ", pair.key);
  *text->second = pair.value;
  return "";
}

std::string ReadPolicyPair(const Pair& pair, ZonePolicy* policy) {
  const std::map<std::string, uint32_t*> numbers = {
      {"node_ttl", &policy->node_ttl},
      {"refresh", &policy->soa.refresh},
      {"retry", &policy->soa.retry},
      {"expire", &policy->soa.expire},
  };
  const std::map<std::string, bool*> switches = {
      {"only_passing", &policy->only_passing},
      {"enable_truncate", &policy->enable_truncate},
      {"disable_compression", &policy->disable_compression},
      {"enable_additional_node_meta_txt",
       &policy->enable_additional_node_meta_txt},
      {"translate_wan_addrs", &policy->translate_wan_addrs},
      {"recursion_available", &policy->recursion_available},
  };
  auto number = numbers.find(pair.key);
  if (number != numbers.end()) return ReadNumber(pair.value, number->second);
  auto on_off = switches.find(pair.key);
  if (on_off != switches.end()) {
    return ReadNumber(pair.value, on_off->second);
  }
  if (pair.key == "service_ttl") return ReadTtls(pair.value, policy);
  if (pair.key == "min_ttl") {
    return ReadNumber(pair.value, &policy->soa.min_ttl.emplace());
  }
  if (pair.key == "udp_answer_limit") {
    return ReadNumber(pair.value, &policy->udp_answer_limit.emplace());
  }
  if (pair.key == "a_record_limit") {
    return ReadNumber(pair.value, &policy->a_record_limit);
  }
  if (pair.key == "edns_udp_size") {
    return ReadNumber(pair.value, &policy->edns_udp_size);
  }
  return ReadPolicyText(pair, policy);
}

std::string ReadNodePair(const Pair& pair, Node* node) {
  if (pair.key == "address") {
    node->address = pair.value;
  } else if (pair.key == "id") {
    node->id = pair.value;
  } else if (pair.key == "dc") {
    node->datacenter = pair.value;
  } else if (absl::StartsWith(pair.key, "tag.")) {
    node->tagged_addresses[pair.key.substr(4)] = pair.value;
  } else if (absl::StartsWith(pair.key, "meta.")) {
    node->meta[Unpercent(pair.key.substr(5))] = Unpercent(pair.value);
  } else {
    return absl::StrCat("unknown key ", pair.key);
  }
  return "";
}

// "198.18.0.1:80", "198.18.0.1" or "[2001:db8::1]:80".
std::string ReadTaggedAddress(const std::string& text, TaggedAddress* tagged) {
  size_t colon = text.rfind(':');
  bool bracket = absl::StartsWith(text, "[");
  bool has_port =
      colon != std::string::npos && (bracket || text.find(':') == colon);
  tagged->address = has_port ? text.substr(0, colon) : text;
  if (bracket) {
    tagged->address = text.substr(1, text.find(']') - 1);
  }
  return has_port ? ReadNumber(text.substr(colon + 1), &tagged->port) : "";
}

std::string ReadWeights(const std::string& text, Weights* weights) {
  std::vector<std::string> pair = absl::StrSplit(text, '/');
  if (pair.size() != 2) return "weight=PASSING/WARNING";
  std::string error = ReadNumber(pair[0], &weights->passing);
  return error.empty() ? ReadNumber(pair[1], &weights->warning) : error;
}

std::string ReadKind(const std::string& text, ServiceKind* kind) {
  const std::map<std::string, ServiceKind> kinds = {
      {"connect-proxy", ServiceKind::kConnectProxy},
      {"ingress-gateway", ServiceKind::kIngressGateway},
      {"mesh-gateway", ServiceKind::kMeshGateway},
  };
  auto found = kinds.find(text);
  if (found == kinds.end()) return "unknown kind";
  *kind = found->second;
  return "";
}

bool ReadNodeKeyPair(const Pair& pair, NodeKey* key) {
  if (pair.key != "node" && pair.key != "dc") return false;
  (pair.key == "node" ? key->node : key->datacenter) = pair.value;
  return true;
}

// False: it is none of these texts.
bool Put(const Pair& pair, const std::map<std::string, ShortText*>& texts) {
  const auto text = texts.find(pair.key);
  if (text == texts.end()) return false;
  *text->second = pair.value;
  return true;
}

std::string ReadServicePair(const Pair& pair, NodeKey* key,
                            ServiceInstance* instance) {
  if (ReadNodeKeyPair(pair, key) ||
      Put(pair, {{"id", &instance->id}, {"address", &instance->address}})) {
    return "";
  }
  if (pair.key == "port") return ReadNumber(pair.value, &instance->port);
  if (pair.key == "weight") return ReadWeights(pair.value, &instance->weights);
  if (pair.key == "kind") return ReadKind(pair.value, &instance->kind);
  if (pair.key == "dest") {
    instance->mesh.Edit().proxy_destination = pair.value;
    return "";
  }
  if (absl::StartsWith(pair.key, "tag.")) {
    return ReadTaggedAddress(pair.value,
                             &instance->tagged_addresses[pair.key.substr(4)]);
  }
  if (pair.key == "tags") {
    instance->tags = SplitList(pair.value);
  } else if (pair.key == "gateway") {
    instance->mesh.Edit().gateway_services = SplitList(pair.value);
  } else if (pair.key == "native") {
    instance->connect_native = true;
  } else {
    return absl::StrCat("unknown key ", pair.key);
  }
  return "";
}

std::string ReadCheckPair(const Pair& pair, NodeKey* key, Check* check) {
  if (ReadNodeKeyPair(pair, key) ||
      Put(pair, {{"id", &check->id}, {"service", &check->service_id}})) {
    return "";
  }
  return absl::StrCat("unknown key ", pair.key);
}

std::string ReadEcs(const std::string& text, std::string* options) {
  std::vector<std::string> parts = absl::StrSplit(text, '/');
  uint8_t bits = 0;
  if (parts.size() != 2) return "+ecs=ADDRESS/BITS";
  std::string error = ReadNumber(parts[1], &bits);
  if (error.empty()) *options += EcsOption(parts[0], bits, 0);
  return error;
}

}  // namespace

std::vector<std::string> SplitWords(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    char c = line[i];
    if (quoted && c == '\\' && i + 1 < line.size()) {
      word.push_back(line[++i]);
    } else if (c == '"') {
      quoted = !quoted;
      in_word = true;
    } else if (!quoted && (c == ' ' || c == '\t')) {
      if (in_word) words.push_back(word);
      word.clear();
      in_word = false;
    } else if (!quoted && !in_word && c == '#') {
      break;
    } else {
      word.push_back(c);
      in_word = true;
    }
  }
  if (in_word) words.push_back(word);
  return words;
}

std::string ReadPolicyWords(const std::vector<std::string>& words,
                            ZonePolicy* policy) {
  for (const std::string& word : words) {
    std::string error = ReadPolicyPair(SplitPair(word), policy);
    if (!error.empty()) return error;
  }
  return "";
}

std::string ReadCatalogWords(const std::vector<std::string>& words,
                             const std::string& datacenter,
                             std::vector<Change>* changes) {
  if (words.size() < 2) return "a name is missing";
  NodeKey key{datacenter, ""};
  Node node;
  node.name = Unpercent(words[1]);
  node.datacenter = datacenter;
  ServiceInstance instance;
  instance.name = words[1];
  Check check;
  bool is_status = true;
  if (words[1] == "passing") {
    check.status = HealthStatus::kPassing;
  } else if (words[1] == "warning") {
    check.status = HealthStatus::kWarning;
  } else {
    is_status = words[1] == "critical";
  }
  for (size_t i = 2; i < words.size(); ++i) {
    Pair pair = SplitPair(words[i]);
    std::string error;
    if (words[0] == "node") error = ReadNodePair(pair, &node);
    if (words[0] == "service") error = ReadServicePair(pair, &key, &instance);
    if (words[0] == "check") error = ReadCheckPair(pair, &key, &check);
    if (!error.empty()) return error;
  }
  if (words[0] == "node") {
    if (node.address.empty()) return "address= is missing";
    changes->push_back(UpsertNode{node});
    return "";
  }
  if (key.node.empty()) return "node= is missing";
  if (words[0] == "service") {
    if (instance.id.empty()) instance.id = instance.name;
    changes->push_back(UpsertInstance{key, instance});
    return "";
  }
  if (!is_status) return "passing, warning or critical";
  if (check.id.empty())
    check.id = absl::StrCat("check-", check.service_id.view());
  changes->push_back(UpsertCheck{key, check});
  return "";
}

std::string ReadQueryOption(const std::string& word, QueryOptions* options,
                            Transport* transport, std::string* raw) {
  Pair pair = SplitPair(word);
  if (word == "tcp") {
    *transport = Transport::kTcp;
  } else if (word == "+norec") {
    options->rd = false;
  } else if (word == "+cd") {
    options->cd = true;
  } else if (word == "+ad") {
    options->ad = true;
  } else if (pair.key == "+class") {
    options->qclass = pair.value == "CH" ? 3 : 255;
  } else if (pair.key == "+opcode") {
    return ReadNumber(pair.value, &options->opcode);
  } else if (pair.key == "+raw") {
    *raw = absl::HexStringToBytes(pair.value);
  } else if (pair.key == "+edns") {
    if (!options->edns) options->edns.emplace();
    return ReadNumber(pair.value, &options->edns->udp_size);
  } else if (!options->edns) {
    return "+edns= comes before the options that need it";
  } else if (word == "+do") {
    options->edns->dnssec_ok = true;
  } else if (pair.key == "+version") {
    return ReadNumber(pair.value, &options->edns->version);
  } else if (pair.key == "+ecs") {
    return ReadEcs(pair.value, &options->edns->options);
  } else {
    return absl::StrCat("unknown option ", word);
  }
  return "";
}

std::string ReadRcode(const std::string& word, uint16_t* rcode) {
  for (uint16_t code = 0; code <= kBadVers; ++code) {
    if (RcodeText(code) == word) {
      *rcode = code;
      return "";
    }
  }
  return "unknown rcode";
}

std::string ReadFlags(const std::vector<std::string>& words,
                      std::optional<uint16_t>* flags) {
  const std::map<std::string, uint16_t> known = {
      {"qr", kFlagQr}, {"aa", kFlagAa}, {"tc", kFlagTc}, {"rd", kFlagRd},
      {"ra", kFlagRa}, {"ad", kFlagAd}, {"cd", kFlagCd},
  };
  uint16_t set = 0;
  for (const std::string& word : words) {
    auto found = known.find(word);
    if (found == known.end()) return absl::StrCat("unknown flag ", word);
    set |= found->second;
  }
  *flags = set;
  return "";
}

}  // namespace dnsd::testing
