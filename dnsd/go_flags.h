// ParseGoFlags reads a command line by the rules of Go's `flag` package,
// which Consul's users know: -x and --x are the same, a value follows as -x=v
// or -x v, a boolean never takes the next word, a repeated flag is kept as
// often as it is given, "--" or the first plain word ends the flags.
//
// Threads: any; no shared state.
// Errors:  worded as Go words them. A bad value does not stop the reading, so
//          that more than one is shown; after an unknown flag nothing can be
//          read with certainty, so it ends there.
#ifndef DNSD_DNSD_GO_FLAGS_H_
#define DNSD_DNSD_GO_FLAGS_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace dnsd {

// kPlainBool and kPlainInt are read alike, but numbers may be hexadecimal and
// errors say only "parse error": Consul has flags of both families, its
// agent's and most common ones of the first.
enum class FlagType : uint8_t {
  kBool,
  kInt,
  kString,
  kPlainBool,
  kPlainInt,
  kKeyValue,  // KEY=VALUE, with at least the "="
};

struct FlagSpec {
  const char* name;  // without a dash
  FlagType type;
};

struct GivenFlag {
  std::string name;
  FlagType type = FlagType::kString;
  std::string text;      // as given; "true" for a bare boolean
  bool boolean = false;  // kBool, kPlainBool
  int64_t integer = 0;   // kInt, kPlainInt
};

struct GoFlags {
  std::vector<GivenFlag> flags;   // in the order given, valid ones only
  std::vector<std::string> rest;  // words after the flags
  std::vector<std::string> errors;
  bool help = false;  // -h or -help was given; reading ended there
};

[[nodiscard]] GoFlags ParseGoFlags(const std::vector<std::string>& args,
                                   std::span<const FlagSpec> specs);

}  // namespace dnsd

#endif  // DNSD_DNSD_GO_FLAGS_H_
