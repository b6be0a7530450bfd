// GoObject reads the members of a JSON object as Go's encoding/json fills a
// struct: names without regard to case, the last of a repeated one, null as
// not given; and says what Go says of a wrong type and of an unknown name.
//
// Threads:   one owner; lives on the stack of a decoding function.
// Ownership: borrows the value, which must outlive it, and GoErrors.
// Errors:    the first one counts; a reader that fails leaves its output.
#ifndef DNSD_CATALOG_REGISTRY_GO_OBJECT_H_
#define DNSD_CATALOG_REGISTRY_GO_OBJECT_H_

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "catalog/base/short_text.h"
#include "catalog/base/value.h"

namespace dnsd {

// What went wrong first, or "".
class GoErrors {
 public:
  [[nodiscard]] bool ok() const { return first_.empty(); }
  [[nodiscard]] const std::string& first() const { return first_; }
  void Add(std::string message) {
    if (first_.empty()) first_ = std::move(message);
  }

 private:
  std::string first_;
};

// Where Go says a value stands: "NodeService.Service.Port".
struct GoPlace {
  std::string type;   // of the struct; "" in those that read themselves
  std::string path;   // of fields
  std::string outer;  // the struct in whose field this one stands
  // Within a type that reads itself: its place is told for all of it.
  bool is_fixed = false;
};

class GoObject {
 public:
  using Names = std::initializer_list<const char*>;

  // `type` is Go's name of what the value should be.
  GoObject(const Value& value, GoPlace place, absl::string_view type,
           GoErrors* errors);

  // The member of one of the names, or nullptr.
  [[nodiscard]] const Value* Find(Names names) const;
  [[nodiscard]] bool Has(Names names) const { return Find(names) != nullptr; }

  // The place for the members of the struct `type` that stands in a field;
  // the name is given as in Go.
  [[nodiscard]] GoPlace Inside(const char* name, const char* type) const;
  // The same for a type that reads itself.
  [[nodiscard]] GoPlace Within(const char* name) const;

  // Each is true when the member is given and has been read.
  bool String(Names names, std::string* out) const;
  bool String(Names names, ShortText* out) const;
  bool Bool(Names names, bool* out) const;
  bool Int(Names names, int64_t* out) const;
  bool Strings(Names names, std::vector<std::string>* out) const;
  bool StringMap(Names names, std::map<std::string, std::string>* out) const;
  bool StringLists(Names names,
                   std::map<std::string, std::vector<std::string>>* out) const;
  // A text as "10s" or a number of nanoseconds; other types are ignored, as
  // Consul does.
  bool Duration(Names names, std::chrono::nanoseconds* out) const;
  // The elements of a list; `type` is Go's name of the list.
  [[nodiscard]] std::vector<const Value*> List(Names names,
                                               const char* type) const;
  // The members of a map; `type` is Go's name of it.
  [[nodiscard]] std::vector<const Member*> Map(Names names,
                                               const char* type) const;

  // Says that there is a member which nobody looked for, and which is none of
  // these that Consul, or a newer one, knows. Not for types that read
  // themselves: Consul lets those pass.
  void RejectOthers(Names known = {}, Names known_too = {}) const;

  // Says that the value in the field `name` is none of `type`.
  void Mismatch(const Value& value, const std::string& name,
                absl::string_view type) const;

 private:
  struct Found {
    const char* name = nullptr;
    const Value* value = nullptr;
  };
  [[nodiscard]] Found Look(Names names) const;

  const Value* value_;
  mutable std::vector<bool> known_;  // of its members: somebody looked for it
  GoPlace place_;
  GoErrors* errors_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_GO_OBJECT_H_
