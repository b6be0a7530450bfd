// The tables of every configuration key and agent flag that is known: ours,
// and Consul's of 1.8 to 1.21, whether they mean anything here or not.
//
// Threads: any; constant tables.
#ifndef DNSD_DNSD_CONFIG_KEYS_H_
#define DNSD_DNSD_CONFIG_KEYS_H_

#include <cstdint>
#include <span>

#include "dnsd/go_flags.h"

namespace dnsd {

enum class KeyType : uint8_t {
  kString,
  kInt,
  kBool,
  kDuration,     // kept as text, read when everything is merged
  kStrings,      // appends
  kWords,        // as kStrings; one string is a list of one
  kSecret,       // a string that no message may show
  kStringMap,    // merges
  kBlock,        // its keys are in the table too
  kDefinitions,  // services, checks, zones, tokens, rules: decoded one by
                 // one, accumulate
  kIgnored,      // Consul's, of any type and depth; means nothing here
};

// Whether what is given later stands behind what was given before.
[[nodiscard]] constexpr bool AppendsWords(KeyType type) {
  return type == KeyType::kStrings || type == KeyType::kWords;
}

struct ConfigKey {
  const char* path;  // "dns_config.node_ttl"
  KeyType type;
};

[[nodiscard]] std::span<const ConfigKey> ConfigKeys();
// The key of this path, or nullptr.
[[nodiscard]] const ConfigKey* FindConfigKey(const char* path);

struct AgentFlag {
  const char* name;
  FlagType type;
  // The key it sets; "" for flags that are no setting (-config-file, -dev);
  // nullptr for those of Consul that mean nothing here.
  const char* path;
  const char* help;
};

[[nodiscard]] std::span<const AgentFlag> AgentFlags();

}  // namespace dnsd

#endif  // DNSD_DNSD_CONFIG_KEYS_H_
