#include "catalog/base/problems.h"

#include "absl/strings/str_cat.h"

namespace dnsd {
namespace {

std::string Line(const Place& place, absl::string_view message) {
  std::string head = place.ToString();
  if (head.empty()) return std::string(message);
  return absl::StrCat(head, ": ", message);
}

}  // namespace

std::string Place::ToString() const {
  std::string text = file;
  if (line > 0) absl::StrAppend(&text, ":", line);
  if (!key.empty()) absl::StrAppend(&text, text.empty() ? "" : ": ", key);
  return text;
}

void Problems::Error(const Place& place, absl::string_view message) {
  errors_.push_back(Line(place, message));
}

void Problems::Warn(const Place& place, absl::string_view message) {
  warnings_.push_back(Line(place, message));
}

}  // namespace dnsd
