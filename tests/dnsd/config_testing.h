// What the tests of the configuration share.
//
// Threads: one; plain functions.
#ifndef DNSD_TESTS_DNSD_CONFIG_TESTING_H_
#define DNSD_TESTS_DNSD_CONFIG_TESTING_H_

#include <gtest/gtest.h>

#include <map>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "dnsd/config.h"

namespace dnsd {

// Each line with its end.
inline std::string Join(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) absl::StrAppend(&all, line, "\n");
  return all;
}

// "127.0.0.1 8600;" for each.
inline std::string Show(const std::vector<Endpoint>& endpoints) {
  std::string all;
  for (const Endpoint& endpoint : endpoints) {
    absl::StrAppend(&all, endpoint.ip, " ", endpoint.port, ";");
  }
  return all;
}

// The same; "tls" and its name stand behind one over TLS.
inline std::string Show(const std::vector<UpstreamConfig>& upstreams) {
  std::string all;
  for (const UpstreamConfig& upstream : upstreams) {
    absl::StrAppend(&all, upstream.endpoint.ip, " ", upstream.endpoint.port,
                    upstream.tls ? " tls " : "", upstream.tls_name, ";");
  }
  return all;
}

// ". 8.8.8.8 53;" and a line end for each rule.
inline std::string ShowForward(const Config& config) {
  std::string all;
  for (const ForwardRuleConfig& rule : config.forward) {
    absl::StrAppend(&all, rule.zone, " ", Show(rule.to), "\n");
  }
  return all;
}

struct Loaded {
  Config config;
  Problems problems;
  bool help = false;
};

// As `dnsd agent` with these words.
inline Loaded Load(const std::vector<std::string>& args) {
  Loaded loaded;
  loaded.config = LoadConfig(args, &loaded.help, &loaded.problems);
  return loaded;
}

// With these environment variables, and no others.
inline Loaded LoadIn(const std::map<std::string, std::string>& variables,
                     const std::vector<std::string>& args) {
  Loaded loaded;
  loaded.config = LoadConfig(args, &loaded.help, &loaded.problems,
                             [&variables](const char* name) {
                               const auto at = variables.find(name);
                               return at == variables.end() ? "" : at->second;
                             });
  return loaded;
}

// One piece of HCL, as `-hcl` gives it, and nothing else.
inline Loaded LoadHcl(const std::string& text) { return Load({"-hcl", text}); }

struct BadSetting {
  const char* hcl;
  const char* error;  // the only one, or a part of it
};

inline void ExpectOneError(std::span<const BadSetting> cases) {
  for (const BadSetting& c : cases) {
    const Loaded loaded = LoadHcl(c.hcl);
    ASSERT_EQ(loaded.problems.errors().size(), 1u)
        << c.hcl << "\n"
        << Join(loaded.problems.errors());
    EXPECT_NE(loaded.problems.errors()[0].find(c.error), std::string::npos)
        << c.hcl << "\n"
        << loaded.problems.errors()[0];
  }
}

}  // namespace dnsd

#endif  // DNSD_TESTS_DNSD_CONFIG_TESTING_H_
