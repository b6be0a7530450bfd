// QueryLogOptions is what the configuration says about telling of queries: the
// blocks query_log, dnstap and top_names.
//
// Threads: a value.
#ifndef DNSD_DNSD_QUERYLOG_QUERY_LOG_OPTIONS_H_
#define DNSD_DNSD_QUERYLOG_QUERY_LOG_OPTIONS_H_

#include <cstdint>
#include <string>

#include "catalog/base/log_file.h"
#include "dnsd/serve/sample_rules.h"

namespace dnsd {

// One of so many answers is counted for the top names, unless the
// configuration says otherwise: a thousand a second where it matters. One of 64
// cost 35 ns an answer, nearly all of it in the thread that counts.
inline constexpr uint32_t kTopNamesEvery = 256;

struct DnstapOptions {
  std::string socket;  // path; empty: off
  std::string identity;
  std::string version;
  bool queries = true;
  bool responses = true;

  bool operator==(const DnstapOptions&) const = default;
};

struct QueryLogOptions {
  SampleRules rules;    // whose `every` say what is on
  LogFileOptions file;  // without a path: lines go to the agent's log
  DnstapOptions dnstap;

  [[nodiscard]] const SampleRule& rule(SampleUse use) const {
    return rules[static_cast<size_t>(use)];
  }
  [[nodiscard]] SampleRule& rule(SampleUse use) {
    return rules[static_cast<size_t>(use)];
  }
  bool operator==(const QueryLogOptions&) const = default;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_QUERYLOG_QUERY_LOG_OPTIONS_H_
