#include "tests/testing/consul_names.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "tests/testing/rr_text.h"

namespace dnsd::testing {

std::string Label(const std::string& text) {
  return std::string(1, static_cast<char>(text.size())) + text;
}

std::vector<size_t> LabelOffsets(const std::string& wire) {
  std::vector<size_t> offsets = {0};
  size_t at = 0;
  while (wire[at] != '\0') {
    at += 1 + static_cast<uint8_t>(wire[at]);
    offsets.push_back(at);
  }
  return offsets;
}

AskedName ReadAskedName(const std::string& domain,
                        const std::string& alt_domain,
                        const std::string& wire) {
  AskedName name;
  const std::string lower = LowerName(wire);
  // From the left, so that the longer of two domains is found first.
  for (const size_t at : LabelOffsets(lower)) {
    const std::string rest = lower.substr(at);
    name.in_alt = !alt_domain.empty() && rest == WireName(alt_domain);
    if (name.in_alt || rest == WireName(domain)) {
      name.in_domain = true;
      name.suffix = wire.substr(at);
      return name;
    }
    if (at + 1 < lower.size()) {
      const size_t size = static_cast<uint8_t>(lower[at]);
      name.labels.push_back(lower.substr(at + 1, size));
    }
  }
  return name;
}

size_t KeywordIndex(const std::vector<std::string>& labels) {
  constexpr std::array<const char*, 7> kKeywords = {
      "service", "connect", "virtual", "ingress", "node", "query", "addr"};
  for (size_t i = labels.size(); i-- > 0;) {
    if (std::find(kKeywords.begin(), kKeywords.end(), labels[i]) !=
        kKeywords.end()) {
      return i;
    }
  }
  return labels.size();
}

bool IsKind(const AskedName& name, const std::string& keyword) {
  const size_t at = KeywordIndex(name.labels);
  return at < name.labels.size() && name.labels[at] == keyword;
}

}  // namespace dnsd::testing
