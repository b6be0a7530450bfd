// Fields reads the members of one object of a configuration file by name and
// reports what is wrong or unknown, with file, line and key path.
//
// Keys match as Consul's decoder matches them: without regard to case, and
// by an alias where one is listed. A one-element list stands for its element,
// because HCL wraps every object so. null counts as not given. Of a repeated
// key the last value counts, with a warning.
//
// Threads:   one owner; lives on the stack of a decoding function.
// Ownership: borrows the value and the problems, which must outlive it.
// Errors:    a reader that returns false leaves its output unchanged; a value
//            of a wrong type or range has been reported then.
#ifndef DNSD_CATALOG_REGISTRY_FIELDS_H_
#define DNSD_CATALOG_REGISTRY_FIELDS_H_

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "catalog/base/problems.h"
#include "catalog/base/short_text.h"
#include "catalog/base/value.h"

namespace dnsd {

// The element of a one-element list, else the value itself.
[[nodiscard]] const Value& Unwrap(const Value& value);

// How a message names an offending value: `"8600"`, `70000`, `a list`.
[[nodiscard]] std::string Describe(const Value& value);
// The text in quotes, bounded, control characters escaped.
[[nodiscard]] std::string Quoted(const std::string& text);

// The name at an edit distance of at most 2 from `key`, or empty.
[[nodiscard]] std::string NearestName(const std::string& key,
                                      std::span<const char* const> names);

// "invalid config key x", and which known key may have been meant.
void ReportUnknownKey(const Place& place, const std::string& key,
                      std::span<const char* const> names, Problems* problems);

// Typed readers of one value; they report what they cannot read.
[[nodiscard]] bool ReadString(const Value& value, const Place& place,
                              Problems* problems, std::string* out);
[[nodiscard]] bool ReadBool(const Value& value, const Place& place,
                            Problems* problems, bool* out);
[[nodiscard]] bool ReadInt(const Value& value, const Place& place,
                           Problems* problems, int64_t* out);
// A string with a unit, or an integer number of nanoseconds.
[[nodiscard]] bool ReadDuration(const Value& value, const Place& place,
                                Problems* problems,
                                std::chrono::nanoseconds* out);
// The same rules for text that is already at hand.
[[nodiscard]] bool ReadDurationText(const std::string& text, const Place& place,
                                    Problems* problems,
                                    std::chrono::nanoseconds* out);
// Elements that are no strings are reported and left out.
[[nodiscard]] bool ReadStrings(const Value& value, const Place& place,
                               Problems* problems,
                               std::vector<std::string>* out);

// Consul's limits on meta of nodes and services. `allowed` is a reserved key
// that is allowed here, or null.
void CheckMeta(const std::map<std::string, std::string>& meta,
               const Place& place, const char* allowed, Problems* problems);

class Fields {
 public:
  // From an alternative spelling, in lower case, to the name.
  using Alias = std::pair<const char*, const char*>;

  Fields(const Value& value, Place where, Problems* problems,
         std::span<const Alias> aliases = {});

  // Where the field is written, or would be.
  [[nodiscard]] Place PlaceOf(const char* name) const;
  [[nodiscard]] const Place& where() const { return where_; }
  [[nodiscard]] bool empty() const { return keys_.empty(); }

  // The value as it stands, or nullptr when it is not given.
  [[nodiscard]] const Value* Take(const char* name);
  // The value's elements, each with its place; a value that is no list is
  // reported and gives none.
  [[nodiscard]] std::vector<std::pair<const Value*, Place>> TakeList(
      const char* name);

  // Each is true when the field is given and has been read.
  bool String(const char* name, std::string* out);
  bool String(const char* name, ShortText* out);
  bool Bool(const char* name, bool* out);
  bool Int(const char* name, int min, int max, int* out);
  bool Duration(const char* name, std::chrono::nanoseconds* out);
  bool Strings(const char* name, std::vector<std::string>* out);
  bool StringMap(const char* name, std::map<std::string, std::string>* out);

  // Makes names known that mean nothing to us.
  void Accept(std::initializer_list<const char*> names);
  // Reports every key that no call above has named.
  void Finish();

 private:
  struct Key {
    std::string name;  // lower case, aliases resolved
    const Member* member;
    bool known;
  };

  Place where_;
  Problems* problems_;
  std::vector<Key> keys_;
  std::vector<const char*> names_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_FIELDS_H_
