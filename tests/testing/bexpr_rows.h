// BexprRows are the objects of one of Consul's lists, read from its JSON into
// the rows that filters select from: what a filter chooses here can be
// compared with what Consul chooses.
//
// Threads:   one owner.
// Errors:    Read() is false for JSON of another shape.
#ifndef DNSD_TESTS_TESTING_BEXPR_ROWS_H_
#define DNSD_TESTS_TESTING_BEXPR_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "catalog/base/value.h"
#include "catalog/types.h"
#include "dnsd/http/bexpr_schemas.h"

namespace dnsd::testing {

enum class BexprKind : uint8_t {
  kHealthService,
  kCatalogService,
  kNodes,
  kServices,
  kChecks,
};

class BexprRows {
 public:
  explicit BexprRows(BexprKind kind) : kind_(kind) {}

  // Adds all of a body, a list or an object of them.
  [[nodiscard]] bool Read(const std::string& body);
  [[nodiscard]] size_t size() const { return keys_.size(); }
  // What tells an object of this body from others, sorted.
  [[nodiscard]] std::vector<std::string> SortedKeys() const;
  // The keys of those that the filter matches, sorted, or why there are none.
  [[nodiscard]] absl::StatusOr<std::vector<std::string>> Select(
      const std::string& filter) const;

 private:
  void Add(const Value& value);
  const Node* NodeOf(const Value& value);
  const ServiceInstance* ServiceOf(const Value& value);
  CheckRow CheckOf(const Value& value);

  BexprKind kind_;
  std::deque<Node> nodes_;
  std::deque<ServiceInstance> instances_;
  std::deque<Check> checks_;
  std::deque<std::vector<CheckRow>> check_lists_;
  std::vector<InstanceRow> instance_rows_;
  std::vector<CheckRow> check_rows_;
  std::vector<std::string> keys_;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_BEXPR_ROWS_H_
