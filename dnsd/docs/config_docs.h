// What the reference says of each configuration key: one sentence and the
// default. Types and flags come from config_keys.h, which is what files are
// read by; reference_test holds the two together, and every default against
// what an empty configuration means. The daemon has none of it.
//
// Threads: any; a constant table.
#ifndef DNSD_DNSD_DOCS_CONFIG_DOCS_H_
#define DNSD_DNSD_DOCS_CONFIG_DOCS_H_

#include <cstdint>
#include <span>

namespace dnsd {

// What a reload does with a change.
enum class OnReload : uint8_t { kTaken, kNeedsRestart };

struct ConfigDoc {
  // Of a key, or of a field of a definition: "forward.zone". With a space
  // before it: no key, but the heading of those below, with `text` under it.
  const char* path;
  const char* text;  // without a full stop
  // As it is written in HCL, or words in parentheses; "": there is none.
  const char* otherwise = "";
  OnReload on_reload = OnReload::kTaken;
};

// In the order of the reference.
[[nodiscard]] std::span<const ConfigDoc> ConfigDocs();

// Those of the fields of definitions: services, checks, tokens, rules.
[[nodiscard]] std::span<const ConfigDoc> DefinitionDocs();

}  // namespace dnsd

#endif  // DNSD_DNSD_DOCS_CONFIG_DOCS_H_
