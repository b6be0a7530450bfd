// Decoded objects written as a Consul's answers again, and the comparison of
// such texts.
//
// Threads: any.
#ifndef DNSD_TESTS_CATALOG_CONSUL_OBJECT_TEXTS_H_
#define DNSD_TESTS_CATALOG_CONSUL_OBJECT_TEXTS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <regex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/json_write.h"
#include "catalog/consul/report.h"
#include "catalog/object_json.h"

namespace dnsd::testing {

inline const InstanceReport* InstanceOf(const NodeReport& node,
                                        const std::string& id) {
  const auto it =
      std::find_if(node.instances.begin(), node.instances.end(),
                   [&](const auto& each) { return each.instance.id == id; });
  return it == node.instances.end() ? nullptr : &*it;
}

inline InstanceView ViewOf(const NodeReport& node,
                           const InstanceReport& report) {
  InstanceView view;
  view.node = &node.node;
  view.instance = &report.instance;
  view.stamp.modify_index = report.modify_index;
  view.node_stamp.modify_index = node.modify_index;
  return view;
}

inline std::vector<CheckView> ChecksOf(const NodeReport& node) {
  std::vector<CheckView> views;
  for (const CheckReport& report : node.checks) {
    CheckView& view = views.emplace_back();
    view.node = &node.node;
    view.check = &report.check;
    view.stamp.modify_index = report.modify_index;
    const auto* instance = InstanceOf(node, report.check.service_id);
    if (instance != nullptr) view.instance = &instance->instance;
  }
  return views;
}

// An answer of /v1/internal/ui/nodes.
inline std::string NodeDumpOf(const std::vector<NodeReport>& nodes) {
  std::string text;
  JsonWriter json(&text);
  json.BeginArray();
  for (const NodeReport& node : nodes) {
    std::vector<InstanceView> instances;
    for (const InstanceReport& report : node.instances) {
      instances.push_back(ViewOf(node, report));
    }
    WriteNodeInfo({&node.node, {}}, instances, ChecksOf(node), &json);
  }
  json.EndArray();
  return text;
}

// An answer of /v1/health/service/NAME, an instance an entry.
inline std::string HealthOf(const std::vector<NodeReport>& entries) {
  std::string text;
  JsonWriter json(&text);
  json.BeginArray();
  for (const NodeReport& entry : entries) {
    WriteHealthEntry(ViewOf(entry, entry.instances.at(0)), ChecksOf(entry),
                     &json);
  }
  json.EndArray();
  return text;
}

// Of two texts that are the same, the first 200 bytes that are not.
inline std::string Difference(const std::string& a, const std::string& b) {
  const auto at = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (at.first == a.end() && at.second == b.end()) return "";
  const auto from = at.first - a.begin();
  const auto begin =
      static_cast<size_t>(std::max<std::ptrdiff_t>(from - 80, 0));
  return absl::StrCat("expected ", a.substr(begin, 200), "\ngot ",
                      b.substr(begin, 200));
}

// Indexes are ours, and what the mirror reads as another value (see
// consul_decode.h, Health and Ranges) is that.
inline std::string NormalObjects(std::string text) {
  const std::regex index(R"("(Create|Modify)Index":[0-9]+)");
  text = std::regex_replace(text, index, "\"$1Index\":0");
  // A kind that Consul does not know either is none.
  text = std::regex_replace(text, std::regex(R"("Kind":"weird",)"), "");
  const std::regex port(R"("Port":(-?[0-9]+))");
  std::string ports;
  std::smatch match;
  while (std::regex_search(text, match, port)) {
    absl::StrAppend(&ports, match.prefix().str(), R"("Port":)",
                    static_cast<uint16_t>(std::stoll(match[1].str())));
    text = match.suffix().str();
  }
  const std::regex status(
      R"re("Status":"(?!(passing|warning|critical)")[^"]*")re");
  return std::regex_replace(ports + text, status, R"("Status":"critical")");
}

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_CATALOG_CONSUL_OBJECT_TEXTS_H_
