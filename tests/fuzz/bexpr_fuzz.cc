// ParseBexpr() and Filter on any bytes. What is parsed must, written out
// again, be parsed to the same tree; and of what a filter matches, its
// negation must match nothing.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "catalog/base/check.h"
#include "dnsd/http/bexpr.h"
#include "dnsd/http/bexpr_parse.h"
#include "dnsd/http/bexpr_schemas.h"
#include "dnsd/http/bexpr_text.h"

namespace dnsd {
namespace {

std::string WriteSelector(const std::vector<std::string>& selector) {
  std::string out = selector.front();
  for (size_t i = 1; i < selector.size(); ++i) {
    // Double quotes cannot be escaped in this language, but as \x22.
    std::string literal;
    for (const char c : selector[i]) {
      absl::StrAppend(&literal, "\\x",
                      absl::Hex(static_cast<uint8_t>(c), absl::kZeroPad2));
    }
    absl::StrAppend(&out, "[\"", literal, "\"]");
  }
  return out;
}

std::string WriteValue(const std::string& value) {
  std::string out = "\"";
  for (const char c : value) {
    absl::StrAppend(&out, "\\x",
                    absl::Hex(static_cast<uint8_t>(c), absl::kZeroPad2));
  }
  return out + "\"";
}

std::string WriteMatch(const BexprMatch& match) {
  const std::string selector = WriteSelector(match.selector);
  switch (match.op) {
    case BexprOperator::kEqual:
      return absl::StrCat(selector, "==", WriteValue(match.value));
    case BexprOperator::kNotEqual:
      return absl::StrCat(selector, " != ", WriteValue(match.value));
    case BexprOperator::kIn:
      return absl::StrCat(WriteValue(match.value), " in ", selector);
    case BexprOperator::kNotIn:
      return absl::StrCat(selector, " not contains ", WriteValue(match.value));
    case BexprOperator::kIsEmpty:
      return absl::StrCat(selector, " is empty");
    case BexprOperator::kIsNotEmpty:
      return absl::StrCat(selector, " is not empty");
    case BexprOperator::kMatches:
      return absl::StrCat(selector, " matches ", WriteValue(match.value));
    case BexprOperator::kNotMatches:
      return absl::StrCat(selector, " not matches ", WriteValue(match.value));
  }
  return "";
}

std::string Write(const BexprNode& node) {
  if (node.kind == BexprNode::Kind::kMatch) return WriteMatch(node.match);
  if (node.kind == BexprNode::Kind::kNot) {
    return absl::StrCat("not ", Write(node.children.front()));
  }
  std::string out = "(";
  for (const BexprNode& child : node.children) {
    const bool is_first = &child == &node.children.front();
    absl::StrAppend(&out,
                    is_first                             ? ""
                    : node.kind == BexprNode::Kind::kAnd ? " and "
                                                         : " or ",
                    Write(child));
  }
  return out + ")";
}

bool IsLimit(const absl::Status& status) {
  return absl::StrContains(status.message(), "nested deeper") ||
         absl::StrContains(status.message(), "is longer than");
}

// Something to be filtered.
class Object {
 public:
  Object() {
    node_.id = "1";
    node_.name = "n";
    node_.address = "10.0.0.1";
    node_.meta = {{"x", "1"}};
    instance_.id = "w";
    instance_.name = "web";
    instance_.tags = {"a", "b"};
    instance_.port = 80;
    instance_.mesh.Edit().proxy_json =
        R"({"Upstreams":[{"DestinationName":"db"}]})";
    check_.id = "c";
    check_.service_id = "w";
  }
  [[nodiscard]] InstanceRow Row() const { return {&node_, &instance_, rows_}; }

 private:
  Node node_;
  ServiceInstance instance_;
  Check check_;
  std::array<CheckRow, 1> rows_ = {{{&node_, &instance_, &check_}}};
};

void Run(absl::string_view text) {
  const absl::StatusOr<BexprNode> tree = ParseBexpr(text);
  const auto filter = Filter<InstanceRow>::Compile(text, kHealthServiceFilter);
  if (!tree.ok()) {
    DNSD_CHECK(!tree.status().message().empty());
    DNSD_CHECK(text.empty() || !filter.ok());
    return;
  }
  const absl::StatusOr<BexprNode> again = ParseBexpr(Write(*tree));
  DNSD_CHECK(again.ok() ? *again == *tree : IsLimit(again.status()));
  if (!filter.ok()) return;
  const auto negation = Filter<InstanceRow>::Compile(
      absl::StrCat("not (", text, ")"), kHealthServiceFilter);
  if (!negation.ok()) {
    DNSD_CHECK(IsLimit(negation.status()));
    return;
  }
  DNSD_CHECK(filter->Matches(Object().Row()) !=
             negation->Matches(Object().Row()));
}

}  // namespace
}  // namespace dnsd

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dnsd::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
