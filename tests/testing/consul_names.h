// Names of Consul's domains, taken apart as Consul does it: what the oracles
// for the newest release and for compat = "rfc" share.
//
// Threads: plain values and pure functions.
#ifndef DNSD_TESTS_TESTING_CONSUL_NAMES_H_
#define DNSD_TESTS_TESTING_CONSUL_NAMES_H_

#include <cstddef>
#include <string>
#include <vector>

namespace dnsd::testing {

// A name, and the domain of ours that it is in.
struct AskedName {
  bool in_domain = false;
  bool in_alt = false;
  std::string suffix;               // the domain as it was spelt, wire
  std::vector<std::string> labels;  // left of the domain, lower case
};

// `domain` and `alt_domain` are text; an empty alt domain is none.
[[nodiscard]] AskedName ReadAskedName(const std::string& domain,
                                      const std::string& alt_domain,
                                      const std::string& wire);

// One label in wire form.
[[nodiscard]] std::string Label(const std::string& text);
// Offsets of the labels of a wire name, with that of the root.
[[nodiscard]] std::vector<size_t> LabelOffsets(const std::string& wire);

// Where the first keyword from the right is, as Consul looks for it;
// labels.size() if there is none.
[[nodiscard]] size_t KeywordIndex(const std::vector<std::string>& labels);
[[nodiscard]] bool IsKind(const AskedName& name, const std::string& keyword);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_CONSUL_NAMES_H_
