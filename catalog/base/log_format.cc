// The forms of a line.
#include <algorithm>
#include <ctime>
#include <string>

#include "absl/strings/str_format.h"
#include "catalog/base/json_write.h"
#include "catalog/base/log.h"
#include "catalog/base/log_control.h"

namespace dnsd {
namespace {

// Padded as hclog pads: seven characters with the brackets.
absl::string_view TextLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
      return "[TRACE]";
    case LogLevel::kDebug:
      return "[DEBUG]";
    case LogLevel::kInfo:
      return "[INFO] ";
    case LogLevel::kWarn:
      return "[WARN] ";
    case LogLevel::kError:
      return "[ERROR]";
  }
  return "[?????]";
}

// "2026-11-21T04:12:11" of a time since 1970 in seconds, and the rest.
std::string UtcSeconds(int64_t unix_us, int64_t* us) {
  int64_t seconds = unix_us / 1'000'000;
  *us = unix_us % 1'000'000;
  if (*us < 0) {
    *us += 1'000'000;
    --seconds;
  }
  const std::time_t time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  gmtime_r(&time, &parts);
  return absl::StrFormat("%04d-%02d-%02dT%02d:%02d:%02d", parts.tm_year + 1900,
                         parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                         parts.tm_min, parts.tm_sec);
}

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

void AppendControl(char c, std::string* out) {
  switch (c) {
    case '\n':
      absl::StrAppend(out, "\\n");
      return;
    case '\r':
      absl::StrAppend(out, "\\r");
      return;
    case '\t':
      absl::StrAppend(out, "\\t");
      return;
    default:
      absl::StrAppendFormat(out, "\\x%02x", static_cast<unsigned char>(c));
  }
}

// Terminals act on control characters, so no text may bring its own.
void AppendMessage(absl::string_view text, std::string* out) {
  for (const char c : text) {
    if (IsControl(c)) {
      AppendControl(c, out);
    } else {
      out->push_back(c);
    }
  }
}

void AppendTextValue(absl::string_view value, std::string* out) {
  const bool quote = std::any_of(value.begin(), value.end(), [](char c) {
    return c == ' ' || c == '"' || IsControl(c);
  });
  if (!quote) {
    out->append(value.data(), value.size());
    return;
  }
  out->push_back('"');
  for (const char c : value) {
    if (IsControl(c)) {
      AppendControl(c, out);
    } else {
      if (c == '"' || c == '\\') out->push_back('\\');
      out->push_back(c);
    }
  }
  out->push_back('"');
}

// As Go's encoding/json, which writes Consul's lines, but for DEL: that is no
// control character to JSON, and terminals act on it.
void AppendJsonText(absl::string_view text, std::string* out) {
  size_t at = out->size();
  AppendJsonString(text, out);
  while ((at = out->find('\x7f', at)) != std::string::npos) {
    out->replace(at, 1, "\\u007f");
  }
}

}  // namespace

absl::string_view LogLevelText(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
      return "trace";
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
  }
  return "unknown";
}

std::string FormatLogMessage(const LogEvent& event) {
  std::string line;
  if (!event.module.empty()) {
    AppendMessage(event.module, &line);
    absl::StrAppend(&line, ": ");
  }
  AppendMessage(event.message, &line);
  if (event.fields.size() != 0) line.push_back(':');
  for (const LogField& field : event.fields) {
    line.push_back(' ');
    AppendMessage(field.key, &line);
    line.push_back('=');
    AppendTextValue(field.value, &line);
  }
  return line;
}

std::string FormatLogText(const LogEvent& event) {
  int64_t us = 0;
  std::string line = UtcSeconds(event.unix_us, &us);
  absl::StrAppendFormat(&line, ".%03dZ ", us / 1000);
  absl::StrAppend(&line, TextLevel(event.level), " ", FormatLogMessage(event));
  return line;
}

std::string FormatLogJson(const LogEvent& event) {
  int64_t us = 0;
  const std::string seconds = UtcSeconds(event.unix_us, &us);
  std::string line = "{\"@level\":";
  AppendJsonText(LogLevelText(event.level), &line);
  absl::StrAppend(&line, ",\"@message\":");
  AppendJsonText(event.message, &line);
  if (!event.module.empty()) {
    absl::StrAppend(&line, ",\"@module\":");
    AppendJsonText(event.module, &line);
  }
  absl::StrAppendFormat(&line, ",\"@timestamp\":\"%s.%06dZ\"", seconds, us);
  for (const LogField& field : event.fields) {
    line.push_back(',');
    AppendJsonText(field.key, &line);
    line.push_back(':');
    if (field.bare) {
      line += field.value;
    } else {
      AppendJsonText(field.value, &line);
    }
  }
  line.push_back('}');
  return line;
}

}  // namespace dnsd
