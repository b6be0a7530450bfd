// A Value as JSON text, laid out and escaped as Go's encoding/json does it.
//
// Threads: any; no shared state.
// Numbers: as they were written.
#ifndef DNSD_DNSD_CLI_JSON_TEXT_H_
#define DNSD_DNSD_CLI_JSON_TEXT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "catalog/base/value.h"

namespace dnsd {

enum class JsonLayout : uint8_t {
  kCompact,
  kIndented,  // by four blanks, one member or element a line
};

[[nodiscard]] std::string JsonText(const Value& value, JsonLayout layout);

// The member of an object, or nullptr; the last one when a key is repeated.
[[nodiscard]] const Value* FindMember(const Value& object,
                                      absl::string_view key);
// The text of a member, or "" when there is none.
[[nodiscard]] std::string MemberText(const Value& object,
                                     absl::string_view key);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_JSON_TEXT_H_
