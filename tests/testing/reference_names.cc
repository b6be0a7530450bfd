#include "tests/testing/reference_names.h"

#include <arpa/inet.h>

#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/types.h"

namespace dnsd::testing {
namespace {

struct Keyword {
  const char* label;
  RefKind kind;
};

constexpr Keyword kKeywords[] = {
    {"service", RefKind::kService}, {"connect", RefKind::kConnect},
    {"virtual", RefKind::kVirtual}, {"ingress", RefKind::kIngress},
    {"node", RefKind::kNode},       {"query", RefKind::kQuery},
    {"addr", RefKind::kAddr},
};

RefKind KindOf(const std::string& label) {
  for (const Keyword& keyword : kKeywords) {
    if (label == keyword.label) return keyword.kind;
  }
  return RefKind::kNone;
}

std::vector<std::string> Slice(const std::vector<std::string>& labels,
                               size_t begin, size_t end) {
  std::vector<std::string> slice;
  for (size_t i = begin; i < end; ++i) slice.push_back(labels[i]);
  return slice;
}

}  // namespace

std::vector<std::string> SplitLabels(const std::string& text) {
  std::vector<std::string> labels;
  std::string label;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      label += text.substr(i, 2);
      ++i;
    } else if (text[i] == '.') {
      if (!label.empty()) labels.push_back(label);
      label.clear();
    } else {
      label.push_back(text[i]);
    }
  }
  if (!label.empty()) labels.push_back(label);
  return labels;
}

std::string JoinLabels(const std::vector<std::string>& labels) {
  return absl::StrJoin(labels, ".");
}

RefName ReadName(const ZonePolicy& policy, const std::string& text) {
  RefName name;
  name.text = text;
  std::vector<std::string> labels = SplitLabels(text);
  for (size_t i = 0; i <= labels.size(); ++i) {
    std::string suffix = JoinLabels(Slice(labels, i, labels.size())) + ".";
    std::string lower = AsciiLower(suffix);
    if (lower == policy.domain ||
        (!policy.alt_domain.empty() && lower == policy.alt_domain)) {
      name.zone = RefZone::kDomain;
      name.domain = lower;
      name.domain_as_asked = suffix;
      for (const std::string& label : Slice(labels, 0, i)) {
        name.labels.push_back(AsciiLower(label));
      }
      return name;
    }
  }
  if (!labels.empty() && AsciiLower(labels.back()) == "arpa") {
    name.zone = RefZone::kArpa;
    for (const std::string& label : labels) {
      name.labels.push_back(AsciiLower(label));
    }
  }
  return name;
}

RefDispatch Dispatch(const std::vector<std::string>& labels, bool underscore) {
  RefDispatch dispatch;
  for (size_t i = labels.size(); i-- > 0;) {
    RefKind kind = KindOf(labels[i]);
    bool short_form =
        kind == RefKind::kNone && underscore && labels[i][0] == '_';
    if (kind == RefKind::kNone && !short_form) continue;
    dispatch.kind = short_form ? RefKind::kService : kind;
    dispatch.short_form = short_form;
    dispatch.parts = Slice(labels, 0, short_form ? i + 1 : i);
    dispatch.suffixes = Slice(labels, i + 1, labels.size());
    return dispatch;
  }
  return dispatch;
}

RefLocality ReadLocality(const std::vector<std::string>& labels) {
  RefLocality locality;
  locality.valid = labels.size() <= 2 || labels.size() == 4;
  if (labels.size() == 1) locality.peer_or_datacenter = labels[0];
  if (labels.size() < 2) return locality;
  for (size_t i = 0; i + 1 < labels.size(); i += 2) {
    if (labels[i + 1] == "dc") {
      locality.datacenter = labels[i];
    } else if (labels[i + 1] == "peer") {
      locality.peer = labels[i];
    } else {
      locality.valid = false;
    }
  }
  if (!locality.datacenter.empty() && !locality.peer.empty()) {
    locality.valid = false;
  }
  return locality;
}

RefServiceName ReadServiceName(const std::vector<std::string>& parts) {
  RefServiceName name;
  if (parts.size() == 2 && parts[0][0] == '_' && parts[1][0] == '_') {
    name.service = parts[0].substr(1);
    name.tag = parts[1].substr(1);
    if (name.tag == "tcp") name.tag.clear();
    return name;
  }
  name.service = parts.back();
  name.tag = JoinLabels(Slice(parts, 0, parts.size() - 1));
  return name;
}

std::string AddressBytes(const std::string& text) {
  uint8_t bytes[16];
  if (inet_pton(AF_INET, text.c_str(), bytes) == 1) {
    return std::string(reinterpret_cast<char*>(bytes), 4);
  }
  if (inet_pton(AF_INET6, text.c_str(), bytes) != 1) return "";
  std::string address(reinterpret_cast<char*>(bytes), 16);
  std::string mapped(10, '\0');
  mapped += "\xff\xff";
  return absl::StartsWith(address, mapped) ? address.substr(12) : address;
}

std::string ReverseName(const std::string& address) {
  std::string bytes = AddressBytes(address);
  std::string name;
  for (size_t i = bytes.size(); i-- > 0;) {
    int byte = static_cast<uint8_t>(bytes[i]);
    char part[8];
    if (bytes.size() == 4) {
      std::snprintf(part, sizeof(part), "%d.", byte);
    } else {
      std::snprintf(part, sizeof(part), "%x.%x.", byte & 0xf, byte >> 4);
    }
    name += part;
  }
  if (bytes.empty()) return "";
  return absl::StrCat(name, bytes.size() == 4 ? "in-addr.arpa." : "ip6.arpa.");
}

}  // namespace dnsd::testing
