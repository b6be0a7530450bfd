// JsonWriter appends a JSON document to a string, with the escapes of Go's
// encoding/json, so that Consul's clients get the bytes they are used to.
//
// Threads:   one owner.
// Ownership: the string is the caller's and must live as long as the writer.
// Caller:    one value at the top, a Key before each value of an object, each
//            Begin with its End. Commas are put here; nothing else is checked.
// Escapes:   <, >, &, U+2028 and U+2029 as \uXXXX, control characters too but
//            \n, \r and \t; every byte that is not UTF-8 as \ufffd.
// Layout:    compact. IndentJson() lays it out as Go's MarshalIndent does.
#ifndef DNSD_CATALOG_BASE_JSON_WRITE_H_
#define DNSD_CATALOG_BASE_JSON_WRITE_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace dnsd {

class JsonWriter {
 public:
  explicit JsonWriter(std::string* out) : out_(out) {}

  void BeginObject() { Begin('{'); }
  void EndObject() { End('}'); }
  void BeginArray() { Begin('['); }
  void EndArray() { End(']'); }

  void Key(absl::string_view key);

  void String(absl::string_view text);
  void Int(int64_t number);
  void Uint(uint64_t number);
  void Bool(bool value);
  void Null();
  // An array of strings.
  template <typename Texts>
  void Strings(const Texts& texts) {
    BeginArray();
    for (const std::string& text : texts) String(text);
    EndArray();
  }
  // A value that is JSON already, compact.
  void Raw(absl::string_view json);

 private:
  void Begin(char bracket);
  void End(char bracket);
  // The comma between this value or key and the one before.
  void Separate();

  std::string* out_;
  bool first_ = true;  // in its object or array, or after its key
};

// Appends `text` with its quotes.
void AppendJsonString(absl::string_view text, std::string* out);

// Compact JSON with a line for each value, four spaces a level, and a line end
// behind it: what Consul answers to ?pretty.
[[nodiscard]] std::string IndentJson(absl::string_view compact);

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_JSON_WRITE_H_
