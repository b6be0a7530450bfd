// UiAssets is what dnsd/ui/embed.cmake made of the web UI's files.
//
// Threads:   any; constant data of the program.
#ifndef DNSD_DNSD_HTTP_UI_ASSETS_H_
#define DNSD_DNSD_HTTP_UI_ASSETS_H_

#include <span>

#include "absl/strings/string_view.h"

namespace dnsd {

struct UiAsset {
  absl::string_view path;  // "/ui/", "/ui/0123456789ab/app.js"
  absl::string_view content_type;
  absl::string_view hash;  // of `plain`, in hexadecimal digits
  absl::string_view plain;
  absl::string_view gzip;
  bool is_immutable;  // its path changes with its content
};

[[nodiscard]] std::span<const UiAsset> UiAssets();

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_UI_ASSETS_H_
