#include "bench/serve/serve_catalog.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "bench/register_load.h"
#include "bench/serve/questions.h"
#include "catalog/base/json_write.h"

namespace dnsd::testing {
namespace {

constexpr int kEdnsBytes = 1232;
constexpr std::chrono::milliseconds kTry{2'000};

std::vector<std::string> Sorted(std::vector<std::string> values) {
  std::ranges::sort(values);
  return values;
}

// "1 1 20000 node-00001" of an SRV record's data; servers say a node's full
// name each in its own domain.
std::string ShortTarget(const std::string& data) {
  return data.substr(0, data.find('.'));
}

std::string Difference(const std::string& what,
                       const std::vector<std::string>& expected,
                       const std::vector<std::string>& got) {
  if (Sorted(expected) == Sorted(got)) return "";
  return absl::StrCat(what, ": expected ", absl::StrJoin(expected, ", "),
                      "; got ", absl::StrJoin(got, ", "));
}

}  // namespace

std::string ServeCatalog::Registration(size_t index, size_t port_offset) const {
  const bench::Place place = bench::MakePlace(
      index / size_.instances, index % size_.instances, size_.node_count());
  std::string body;
  JsonWriter json(&body);
  json.BeginObject();
  json.Key("Node");
  json.String(place.node.node);
  json.Key("Address");
  json.String(bench::NodeAddress(place.node_index));
  json.Key("Service");
  json.BeginObject();
  json.Key("ID");
  json.String(place.instance.id);
  json.Key("Service");
  json.String(place.instance.name);
  json.Key("Port");
  json.Uint(place.instance.port + port_offset);
  json.EndObject();
  json.EndObject();
  return body;
}

absl::Status ServeCatalog::Register(uint16_t http_port) const {
  RegisterLoadOptions load;
  load.port = http_port;
  load.requests_max = instance_count();
  load.time_max = std::chrono::minutes(20);
  load.path = "/v1/catalog/register";
  load.body = [this](size_t i) { return Registration(i, 0); };
  return RunRegisterLoad(load).status();
}

std::string ServeCatalog::ZoneText(const std::string& soa) const {
  // NSD says who serves the zone in each answer; the name is elsewhere, so that
  // no address comes with it. Nodes are of this zone, so that SRV records bring
  // the addresses of their targets.
  std::string text =
      absl::StrCat("$ORIGIN consul.\n$TTL 0\n", soa, "\n@ NS ns.example.\n");
  for (size_t i = 0; i < size_.node_count(); ++i) {
    absl::StrAppend(&text, bench::NodeName(i), ".node.dc1 A ",
                    bench::NodeAddress(i), "\n");
  }
  for (size_t i = 0; i < size_.services; ++i) {
    for (size_t j = 0; j < size_.instances; ++j) {
      const bench::Place place = bench::MakePlace(i, j, size_.node_count());
      absl::StrAppend(&text, *place.instance.name, ".service A ",
                      bench::NodeAddress(place.node_index), "\n",
                      *place.instance.name, ".service SRV 1 1 ",
                      place.instance.port, " ", place.node.node, ".node.dc1\n");
    }
  }
  return text;
}

std::string ServeCatalog::ProblemOf(const DnsServer& server) const {
  constexpr size_t kTried = 20;
  for (size_t i = 0; i < kTried; ++i) {
    std::string problem =
        ProblemOf(server, i * (size_.services - 1) / (kTried - 1));
    if (!problem.empty()) return problem;
  }
  return "";
}

std::string ServeCatalog::ProblemOf(const DnsServer& server,
                                    size_t service) const {
  std::vector<std::string> addresses;
  std::vector<std::string> targets;
  for (size_t i = 0; i < size_.instances; ++i) {
    const bench::Place place = bench::MakePlace(service, i, size_.node_count());
    addresses.push_back(bench::NodeAddress(place.node_index));
    targets.push_back(
        absl::StrCat("1 1 ", place.instance.port, " ", place.node.node));
  }
  const std::string name =
      absl::StrCat(bench::ServiceName(service), ".service.consul.");
  const DnsReply a = AskUdp(server, {name, "A", kEdnsBytes}, kTry);
  const DnsReply srv = AskUdp(server, {name, "SRV", kEdnsBytes}, kTry);
  std::vector<std::string> srv_targets;
  for (const std::string& data : Data(srv.answer, "SRV")) {
    srv_targets.push_back(ShortTarget(data));
  }
  for (const std::string& problem :
       {Difference("A", addresses, Data(a.answer, "A")),
        Difference("SRV", targets, srv_targets),
        Difference("SRV's addresses", addresses, Data(srv.additional, "A"))}) {
    if (!problem.empty()) return absl::StrCat(name, " ", problem);
  }
  const DnsReply aaaa = AskUdp(server, {name, "AAAA"}, kTry);
  const DnsReply missing = AskUdp(server, {MissingName(service)}, kTry);
  if (aaaa.rcode != "NOERROR" || !aaaa.answer.empty() ||
      Data(aaaa.authority, "SOA").size() != 1) {
    return absl::StrCat(name, " AAAA: ", aaaa.rcode, " ", aaaa.error);
  }
  if (missing.rcode != "NXDOMAIN" ||
      Data(missing.authority, "SOA").size() != 1) {
    return absl::StrCat("a missing name: ", missing.rcode, " ", missing.error);
  }
  return "";
}

}  // namespace dnsd::testing
