#include "dnsd/config_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "catalog/base/hcl.h"
#include "catalog/base/json_read.h"
#include "catalog/base/limits.h"

namespace dnsd {
namespace {

constexpr size_t kReadBytes = size_t{64} * 1024;

void SystemError(const std::string& path, const char* what, int error,
                 Problems* problems) {
  problems->Error({path, 0, ""}, absl::StrCat(what, ": ", strerror(error)));
}

bool HasConfigExtension(const std::string& name) {
  return absl::EndsWith(name, ".json") || absl::EndsWith(name, ".hcl");
}

// The parsers say "line N: what" or "line N, column M: what"; the line
// belongs into the place.
void ParseError(const std::string& file, absl::string_view message,
                Problems* problems) {
  Place place{file, 0, ""};
  absl::string_view rest = message;
  if (absl::ConsumePrefix(&rest, "line ")) {
    const size_t end = rest.find_first_of(",:");
    int line = 0;
    if (end != absl::string_view::npos &&
        absl::SimpleAtoi(rest.substr(0, end), &line)) {
      place.line = line;
      rest.remove_prefix(end + 1);
      message = absl::StripLeadingAsciiWhitespace(rest);
    }
  }
  problems->Error(place, message);
}

bool ReadAll(const std::string& path, std::string* text, Problems* problems) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    SystemError(path, "cannot be opened", errno, problems);
    return false;
  }
  std::vector<char> buffer(kReadBytes);
  ssize_t got = 0;
  while (text->size() <= kConfigFileBytesMax &&
         (got = read(fd, buffer.data(), buffer.size())) > 0) {
    text->append(buffer.data(), static_cast<size_t>(got));
  }
  const int error = errno;
  close(fd);
  if (got < 0) {
    SystemError(path, "cannot be read", error, problems);
    return false;
  }
  if (text->size() > kConfigFileBytesMax) {
    problems->Error({path, 0, ""}, absl::StrCat("is larger than ",
                                                kConfigFileBytesMax, " bytes"));
    return false;
  }
  return true;
}

void ReadText(const std::string& text, const std::string& name, bool is_hcl,
              const ConfigDocumentSink& sink, Problems* problems) {
  // Consul skips empty files: a directory may be filled while it is read.
  if (text.empty()) return;
  const absl::StatusOr<Value> document =
      is_hcl ? ParseHcl(text) : ParseJson(text);
  if (!document.ok()) {
    ParseError(name, document.status().message(), problems);
    return;
  }
  sink(*document, name);
}

ConfigDocumentSink IntoSettings(Settings* settings, Problems* problems) {
  return [settings, problems](const Value& document, const std::string& file) {
    settings->ReadDocument(document, file, problems);
  };
}

void ReadConfigFile(const std::string& path, const std::string& format,
                    const ConfigDocumentSink& sink, Problems* problems) {
  std::string text;
  if (!ReadAll(path, &text, problems)) return;
  const bool is_hcl =
      format.empty() ? absl::EndsWith(path, ".hcl") : format == "hcl";
  ReadText(text, path, is_hcl, sink, problems);
}

bool ListDirectory(const std::string& path, std::vector<std::string>* names,
                   Problems* problems) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()),
                                                      &closedir);
  if (directory == nullptr) {
    SystemError(path, "cannot be opened", errno, problems);
    return false;
  }
  errno = 0;
  while (const dirent* entry = readdir(directory.get())) {
    names->push_back(entry->d_name);
    errno = 0;
  }
  if (errno != 0) {
    SystemError(path, "cannot be read", errno, problems);
    return false;
  }
  std::sort(names->begin(), names->end());
  return true;
}

void ReadConfigDirectory(const std::string& path, const std::string& format,
                         const ConfigDocumentSink& sink, Problems* problems) {
  std::vector<std::string> names;
  if (!ListDirectory(path, &names, problems)) return;
  for (const std::string& name : names) {
    if (format.empty() && !HasConfigExtension(name)) continue;
    const std::string file =
        absl::StrCat(path, absl::EndsWith(path, "/") ? "" : "/", name);
    struct stat info;
    if (stat(file.c_str(), &info) != 0) {
      // A dangling link: someone expects this file to be read.
      SystemError(file, "cannot be opened", errno, problems);
    } else if (S_ISREG(info.st_mode)) {
      ReadConfigFile(file, format, sink, problems);
    }
  }
}

}  // namespace

void ReadConfigDocuments(const std::string& path, const std::string& format,
                         const ConfigDocumentSink& sink, Problems* problems) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) {
    SystemError(path, "cannot be opened", errno, problems);
  } else if (S_ISDIR(info.st_mode)) {
    ReadConfigDirectory(path, format, sink, problems);
  } else if (!S_ISREG(info.st_mode)) {
    // Opening a pipe would wait for its writer.
    problems->Error({path, 0, ""}, "is neither a file nor a directory");
  } else if (format.empty() && !HasConfigExtension(path)) {
    problems->Error({path, 0, ""},
                    "must end in .json or .hcl, or -config-format be given");
  } else {
    ReadConfigFile(path, format, sink, problems);
  }
}

void ReadConfigPath(const std::string& path, const std::string& format,
                    Settings* settings, Problems* problems) {
  ReadConfigDocuments(path, format, IntoSettings(settings, problems), problems);
}

void ReadConfigText(const std::string& text, const std::string& name,
                    bool is_hcl, Settings* settings, Problems* problems) {
  ReadText(text, name, is_hcl, IntoSettings(settings, problems), problems);
}

}  // namespace dnsd
