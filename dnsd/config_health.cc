#include "dnsd/config_health.h"

#include <chrono>

#include "absl/strings/str_cat.h"
#include "catalog/base/heartbeat.h"
#include "catalog/registry/fields.h"

namespace dnsd {
namespace {

using std::chrono::milliseconds;

// Two beats, so that one that is a little late is no hang.
constexpr milliseconds kHangMin{2 * Heartbeat::kBeatMs};
constexpr milliseconds kHour{std::chrono::hours(1)};
constexpr milliseconds kYear{std::chrono::hours(24 * 366)};

struct Range {
  milliseconds min;
  milliseconds max;
};

void ReadMs(const Settings& settings, const char* path, Range range,
            uint64_t* out, Problems* problems) {
  const Setting* const setting = settings.Find(path);
  std::chrono::nanoseconds read{0};
  if (setting == nullptr ||
      !ReadDurationText(setting->text, setting->place, problems, &read)) {
    return;
  }
  if (read < range.min || read > range.max) {
    problems->Error(setting->place,
                    absl::StrCat(Quoted(setting->text), " is not between ",
                                 range.min.count() / 1000, "s and ",
                                 range.max.count() / 1000, "s"));
    return;
  }
  *out = static_cast<uint64_t>(
      std::chrono::duration_cast<milliseconds>(read).count());
}

}  // namespace

void ResolveHealth(const Settings& settings, Config* config,
                   Problems* problems) {
  HealthLimits* const limits = &config->health;
  ReadMs(settings, "health.hang_after", {kHangMin, kHour},
         &limits->hang_after_ms, problems);
  ReadMs(settings, "health.max_age", {milliseconds(0), kYear},
         &limits->max_age_ms, problems);
  ReadMs(settings, "health.lame_duck", {milliseconds(0), kHour},
         &limits->lame_duck_ms, problems);
}

}  // namespace dnsd
