#include "dnsd/health.h"

#include "absl/strings/str_cat.h"
#include "catalog/base/json_write.h"

namespace dnsd {
namespace {

std::string SecondsText(uint64_t ms) {
  return ms % 1'000 == 0 ? absl::StrCat(ms / 1'000, " s")
                         : absl::StrCat(ms, " ms");
}

void WriteTexts(const char* key, const std::vector<std::string>& texts,
                JsonWriter* json) {
  json->Key(key);
  json->Strings(texts);
}

}  // namespace

std::vector<std::string> UnhealthyReasons(const HealthState& state,
                                          const HealthLimits& limits) {
  std::vector<std::string> reasons;
  for (const LoopAge& loop : state.loops) {
    if (loop.age_ms <= limits.hang_after_ms) continue;
    reasons.push_back(absl::StrCat("the event loop ", loop.name,
                                   " has not turned for more than ",
                                   SecondsText(limits.hang_after_ms)));
  }
  return reasons;
}

std::vector<std::string> UnreadyReasons(const HealthState& state,
                                        const HealthLimits& limits) {
  std::vector<std::string> reasons = UnhealthyReasons(state, limits);
  if (state.is_stopping) reasons.emplace_back("stopping");
  const CatalogHealth& catalog = state.catalog;
  if (!catalog.is_loaded) {
    reasons.emplace_back("the catalog is not loaded: no word from Consul yet");
  } else if (limits.max_age_ms > 0 &&
             catalog.age_ms.value_or(0) > limits.max_age_ms) {
    reasons.push_back(
        absl::StrCat("the catalog is stale: no word from Consul for more than ",
                     SecondsText(limits.max_age_ms)));
  }
  return reasons;
}

std::vector<std::string> HealthWarnings(const HealthState& state) {
  std::vector<std::string> warnings;
  if (state.catalog.is_loaded && state.catalog.is_stale) {
    warnings.emplace_back("the catalog is stale: no word from Consul");
  }
  if (!state.catalog.store_error.empty()) {
    warnings.push_back(absl::StrCat("registrations are not stored: ",
                                    state.catalog.store_error));
  }
  return warnings;
}

std::string HealthJson(const HealthState& state, const HealthLimits& limits) {
  const std::vector<std::string> reasons = UnhealthyReasons(state, limits);
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Key("Healthy");
  json.Bool(reasons.empty());
  WriteTexts("Reasons", reasons, &json);
  json.Key("Loops");
  json.BeginArray();
  for (const LoopAge& loop : state.loops) {
    json.BeginObject();
    json.Key("Name");
    json.String(loop.name);
    json.Key("AgeMs");
    json.Uint(loop.age_ms);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return text;
}

std::string ReadyJson(const HealthState& state, const HealthLimits& limits) {
  const std::vector<std::string> reasons = UnreadyReasons(state, limits);
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Key("Ready");
  json.Bool(reasons.empty());
  WriteTexts("Reasons", reasons, &json);
  WriteTexts("Warnings", HealthWarnings(state), &json);
  json.Key("CatalogAgeMs");
  if (state.catalog.age_ms) {
    json.Uint(*state.catalog.age_ms);
  } else {
    json.Null();
  }
  json.EndObject();
  return text;
}

void AddHealthMetrics(const HealthState& state, const HealthLimits& limits,
                      MetricsText* text) {
  text->Family("dnsd_loop_beat_age_seconds", MetricType::kGauge,
               "Since each event loop last turned its second.");
  for (const LoopAge& loop : state.loops) {
    text->Sample({{"loop", loop.name}}, static_cast<double>(loop.age_ms) / 1e3);
  }
  text->Single("dnsd_ready", MetricType::kGauge, "What /ready says: 1 is yes.",
               static_cast<uint64_t>(UnreadyReasons(state, limits).empty()));
}

}  // namespace dnsd
