#include "tests/testing/consul_rfc_existence.h"

#include <algorithm>
#include <cctype>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

using Labels = std::vector<std::string>;

Labels From(const Labels& labels, size_t at) {
  return {labels.begin() + static_cast<std::ptrdiff_t>(at), labels.end()};
}

Labels UpTo(const Labels& labels, size_t end) {
  return {labels.begin(), labels.begin() + static_cast<std::ptrdiff_t>(end)};
}

Labels Joined(const Labels& left, const Labels& right) {
  Labels labels = left;
  labels.insert(labels.end(), right.begin(), right.end());
  return labels;
}

bool BeginsWithUnderscore(const std::string& label) {
  return !label.empty() && label[0] == '_';
}

// Decides about one name.
class Existence {
 public:
  Existence(const RfcCatalog& catalog, const HasAnswers& has_answers)
      : catalog_(catalog), has_answers_(has_answers) {}

  [[nodiscard]] std::optional<RfcRow> Row(const Labels& labels) const {
    if (labels.empty() || IsLocality(labels)) return RfcRow::kEmptyNonTerminal;
    if (labels.size() == 1 && labels[0] == "dc") {
      return RfcRow::kEmptyNonTerminal;
    }
    const size_t keyword = KeywordIndex(labels);
    if (keyword == labels.size()) return RowOfShortName(labels);
    const Labels left = UpTo(labels, keyword);
    const Labels right = From(labels, keyword);
    // Behind "addr" there may be anything.
    if (left.empty() && right[0] == "addr") return RfcRow::kEmptyNonTerminal;
    if (!IsLocality(From(right, 1))) return std::nullopt;
    // The only ones that have no pair behind them.
    if (right[0] == "query" && right.size() > 2) return std::nullopt;
    if (left.empty()) return RfcRow::kEmptyNonTerminal;
    const bool has_srv_form = right[0] == "service" || right[0] == "query";
    if (has_srv_form && left.size() == 1 && BeginsWithUnderscore(left[0])) {
      return RfcRow::kUnderscore;
    }
    if (right[0] == "service") return RowOfService(left, right);
    bool exists = false;
    if (right[0] == "node") exists = EndsAny(catalog_.nodes, left, right);
    if (right[0] == "query") exists = EndsAny(catalog_.queries, left, right);
    if (exists) return RfcRow::kEmptyNonTerminal;
    return std::nullopt;
  }

 private:
  [[nodiscard]] bool IsDatacenter(const std::string& label) const {
    return std::find(catalog_.datacenters.begin(), catalog_.datacenters.end(),
                     label) != catalog_.datacenters.end();
  }

  // What may stand between a keyword and the domain.
  [[nodiscard]] bool IsLocality(const Labels& labels) const {
    if (labels.empty()) return true;
    const bool pair = labels.size() == 2 && labels[1] == "dc";
    return (labels.size() == 1 || pair) && IsDatacenter(labels[0]);
  }

  [[nodiscard]] bool Has(const Labels& labels, uint16_t qtype) const {
    return has_answers_(labels, qtype);
  }

  // Whether one of the dotted `names` has `left` at its end. A dot inside a
  // label is none of those between labels.
  [[nodiscard]] bool EndsAny(const std::vector<std::string>& names,
                             const Labels& left, const Labels& right) const {
    return std::any_of(
        names.begin(), names.end(), [&](const std::string& name) {
          const Labels labels = absl::StrSplit(name, '.');
          return labels.size() > left.size() &&
                 std::equal(left.rbegin(), left.rend(), labels.rbegin()) &&
                 Has(Joined(labels, right), kTypeAny);
        });
  }

  [[nodiscard]] std::optional<RfcRow> RowOfService(const Labels& left,
                                                   const Labels& right) const {
    if (left.size() == 1) return std::nullopt;
    const auto service = catalog_.service_tags.find(left.back());
    if (service == catalog_.service_tags.end()) return std::nullopt;
    const Labels tag_labels = UpTo(left, left.size() - 1);
    if (EndsAny(service->second, tag_labels, Joined({left.back()}, right))) {
      return RfcRow::kEmptyNonTerminal;
    }
    return std::nullopt;
  }

  // No keyword: names of services for SRV only.
  [[nodiscard]] std::optional<RfcRow> RowOfShortName(
      const Labels& labels) const {
    if (BeginsWithUnderscore(labels[0]) && IsLocality(From(labels, 1))) {
      return RfcRow::kUnderscore;
    }
    const bool is_srv_name =
        labels.size() >= 2 && BeginsWithUnderscore(labels[0]) &&
        BeginsWithUnderscore(labels[1]) && IsLocality(From(labels, 2));
    if (is_srv_name && Has(labels, kTypeSrv)) return RfcRow::kShortSrvName;
    return std::nullopt;
  }

  const RfcCatalog& catalog_;
  const HasAnswers& has_answers_;
};

bool IsOctet(const std::string& label) {
  uint32_t value = 0;
  const bool zero_first = label.size() > 1 && label[0] == '0';
  return !zero_first && absl::SimpleAtoi(label, &value) && value < 256;
}

bool IsNibble(const std::string& label) {
  return label.size() == 1 &&
         std::isxdigit(static_cast<unsigned char>(label[0])) != 0;
}

}  // namespace

std::optional<RfcRow> ExistsBy(const RfcCatalog& catalog, const AskedName& name,
                               const HasAnswers& has_answers) {
  return Existence(catalog, has_answers).Row(name.labels);
}

bool IsShortReverse(const std::vector<std::string>& labels) {
  if (labels.size() < 2) return false;
  const std::string& kind = labels[labels.size() - 2];
  const Labels digits = UpTo(labels, labels.size() - 2);
  if (kind == "in-addr") {
    return digits.size() < 4 &&
           std::all_of(digits.begin(), digits.end(), IsOctet);
  }
  return kind == "ip6" && digits.size() < 32 &&
         std::all_of(digits.begin(), digits.end(), IsNibble);
}

}  // namespace dnsd::testing
