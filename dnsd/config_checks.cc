#include "dnsd/config_checks.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/registry/fields.h"

namespace dnsd {
namespace {

using std::chrono::nanoseconds;

void ReadPositive(const Settings& settings, const char* path, nanoseconds* out,
                  Problems* problems) {
  const Setting* setting = settings.Find(path);
  if (setting == nullptr) return;
  nanoseconds duration{0};
  if (!ReadDurationText(setting->text, setting->place, problems, &duration)) {
    return;
  }
  if (duration.count() < 0) {
    problems->Error(setting->place,
                    absl::StrCat("cannot be ", Quoted(setting->text)));
    return;
  }
  *out = duration;
}

}  // namespace

void ResolveCheckSettings(const Settings& settings, Config* config,
                          Problems* problems) {
  CheckSettings* checks = &config->check_settings;
  checks->enable_scripts = settings.Bool("enable_script_checks", false);
  checks->enable_local_scripts =
      settings.Bool("enable_local_script_checks", false);
  for (const auto& [path, out] :
       {std::pair{"check_update_interval", &checks->update_interval},
        std::pair{"check_reap_interval", &checks->reap_interval},
        std::pair{"check_deregister_interval_min",
                  &checks->deregister_after_min}}) {
    ReadPositive(settings, path, out, problems);
  }
  checks->output_bytes_max = static_cast<int>(settings.Int(
      "check_output_max_size", 1, 1 << 30, checks->output_bytes_max, problems));
}

}  // namespace dnsd
