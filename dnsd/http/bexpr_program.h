// BexprProgram is what Filter runs: the tree of an expression with its
// selectors resolved to fields and its values converted to their types.
//
// Threads: immutable once compiled; any.
// Errors:  Compile() as Filter::Compile(), without the words before Consul's
//          own text.
// Cost:    compiling is linear, but for regular expressions.
#ifndef DNSD_DNSD_HTTP_BEXPR_PROGRAM_H_
#define DNSD_DNSD_HTTP_BEXPR_PROGRAM_H_

#include <re2/re2.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/base/value.h"
#include "dnsd/http/bexpr_parse.h"
#include "dnsd/http/bexpr_schema.h"

namespace dnsd {

class BexprProgram {
 public:
  [[nodiscard]] static absl::StatusOr<std::shared_ptr<const BexprProgram>>
  Compile(const BexprNode& tree, std::span<const BexprField> fields);

  [[nodiscard]] bool Matches(const void* object) const {
    return Run(root_, object);
  }

 private:
  // One field of a selector; of a map also the key that follows it.
  struct Step {
    const BexprField* field = nullptr;
    std::string key;
    bool has_key = false;
  };

  struct Match {
    std::vector<Step> steps;
    BexprOperator op = BexprOperator::kEqual;
    std::string value;
    int64_t integer = 0;                     // of an integer field
    bool boolean = false;                    // of a bool field
    std::unique_ptr<const re2::RE2> regexp;  // of kMatches, kNotMatches
  };

  struct Node {
    BexprNode::Kind kind = BexprNode::Kind::kMatch;
    Match match;
    std::vector<Node> children;
  };

  static absl::Status CompileNode(const BexprNode& tree,
                                  std::span<const BexprField> fields,
                                  Node* out);
  static absl::Status CompileMatch(const BexprMatch& match,
                                   std::span<const BexprField> fields,
                                   Match* out);
  static absl::Status Convert(const std::string& selector, BexprType type,
                              Match* out);

  static bool Run(const Node& node, const void* object);
  // From the `index`-th step on.
  static bool RunMatch(const Match& match, size_t index, const void* object);
  static bool RunMap(const Match& match, size_t index, const void* object);
  // The same for JSON; nullptr: it is missing.
  static bool RunJson(const Match& match, size_t index, const Value* object);
  static bool RunText(const Match& match, absl::string_view text);

  Node root_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_BEXPR_PROGRAM_H_
