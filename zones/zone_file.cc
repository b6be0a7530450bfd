#include "zones/zone_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/base/problems.h"
#include "zones/name.h"
#include "zones/wire.h"
#include "zones/zone_builder.h"
#include "zones/zone_rdata.h"
#include "zones/zone_text.h"

namespace dnsd {
namespace {

// RFC 2181 8: a TTL has 31 bits.
constexpr uint32_t kTtlMax = 0x7fffffff;
// The part of a line that a message shows.
constexpr size_t kShownBytesMax = 80;

class ZoneParser {
 public:
  ZoneParser(std::string apex, std::string file, Problems* problems)
      : apex_(std::move(apex)),
        origin_(apex_),
        file_(std::move(file)),
        problems_(problems),
        builder_(apex_, file_, problems) {}

  [[nodiscard]] std::shared_ptr<const ZoneData> Parse(absl::string_view text);

 private:
  void Error(const ZoneEntry& entry, absl::string_view message);
  void ReadDirective(const ZoneEntry& entry);
  void ReadRecord(const ZoneEntry& entry);
  // Each takes its tokens from `*at` on; false after an error.
  bool ReadOwner(const ZoneEntry& entry, size_t* at);
  bool ReadTtlAndClass(const ZoneEntry& entry, size_t* at,
                       std::optional<uint32_t>* ttl);
  bool ReadType(const ZoneEntry& entry, size_t* at, uint16_t* type);
  bool ChooseTtl(const ZoneEntry& entry, const std::optional<uint32_t>& ttl,
                 ZoneRecord* record);

  const std::string apex_;  // wire, lower case
  std::string origin_;      // wire
  const std::string file_;
  Problems* problems_;
  ZoneBuilder builder_;
  std::string owner_;  // wire, lower case; empty: none yet
  bool owner_failed_ = false;
  std::optional<uint32_t> default_ttl_;
  std::optional<uint32_t> last_ttl_;
};

std::string Shown(absl::string_view text) {
  if (text.size() <= kShownBytesMax) return absl::CHexEscape(text);
  return absl::StrCat(absl::CHexEscape(text.substr(0, kShownBytesMax)), "...");
}

void ZoneParser::Error(const ZoneEntry& entry, absl::string_view message) {
  problems_->Error({file_, entry.line, ""},
                   absl::StrCat(message, ": \"", Shown(entry.source), "\""));
}

std::shared_ptr<const ZoneData> ZoneParser::Parse(absl::string_view text) {
  ZoneTextReader reader(text);
  ZoneEntry entry;
  while (reader.Next(&entry)) {
    if (!entry.error.empty()) {
      Error(entry, entry.error);
    } else if (!entry.starts_blank && !entry.tokens[0].quoted &&
               entry.tokens[0].text[0] == '$') {
      ReadDirective(entry);
    } else {
      ReadRecord(entry);
    }
    // A file of another kind would give an error for every line.
    if (problems_->errors().size() > kZoneProblemsMax) return nullptr;
  }
  // What the whole zone lacks cannot be told while parts of it are unread.
  return problems_->ok() ? builder_.Finish() : nullptr;
}

void ZoneParser::ReadDirective(const ZoneEntry& entry) {
  const std::string& name = entry.tokens[0].text;
  bool one = entry.tokens.size() == 2;
  if (absl::EqualsIgnoreCase(name, "$ORIGIN")) {
    std::string origin;
    if (!one || !ParseZoneName(entry.tokens[1], origin_, &origin)) {
      return Error(entry, "$ORIGIN needs one name");
    }
    origin_ = std::move(origin);
  } else if (absl::EqualsIgnoreCase(name, "$TTL")) {
    uint32_t ttl = 0;
    if (!one || !ParseZonePeriod(entry.tokens[1].text, kTtlMax, &ttl)) {
      return Error(entry, "$TTL needs one time from 0 to 2147483647 seconds");
    }
    default_ttl_ = ttl;
  } else if (absl::EqualsIgnoreCase(name, "$INCLUDE") ||
             absl::EqualsIgnoreCase(name, "$GENERATE")) {
    Error(entry, absl::StrCat(name,
                              " is not supported: write the records "
                              "into this file"));
  } else {
    Error(entry, absl::StrCat("unknown directive ", Shown(name)));
  }
}

void ZoneParser::ReadRecord(const ZoneEntry& entry) {
  ZoneRecord record;
  std::optional<uint32_t> ttl;
  size_t at = 0;
  if (!ReadOwner(entry, &at) || !ReadTtlAndClass(entry, &at, &ttl) ||
      !ReadType(entry, &at, &record.type)) {
    return;
  }
  ZoneRdata rdata;
  std::string error =
      ParseZoneRdata(record.type, absl::MakeConstSpan(entry.tokens).subspan(at),
                     origin_, &rdata);
  if (!error.empty()) {
    return Error(entry, absl::StrCat(ZoneNameText(owner_), ": ", error));
  }
  record.owner = owner_;
  record.rdata = std::move(rdata.wire);
  record.canonical = std::move(rdata.canonical);
  record.line = entry.line;
  if (ChooseTtl(entry, ttl, &record)) builder_.Add(std::move(record));
}

bool ZoneParser::ReadOwner(const ZoneEntry& entry, size_t* at) {
  if (entry.starts_blank) {
    // The owner before was reported; its followers are not at fault.
    if (owner_failed_) return false;
    if (owner_.empty()) Error(entry, "a record without an owner");
    return !owner_.empty();
  }
  owner_failed_ = true;
  std::string owner;
  if (!ParseZoneName(entry.tokens[(*at)++], origin_, &owner)) {
    Error(entry, absl::StrCat("not a name: ", Shown(entry.tokens[0].text)));
    return false;
  }
  for (char& c : owner) {
    // Length bytes are below 'A', so lower-casing all of it is right.
    c = absl::ascii_tolower(static_cast<unsigned char>(c));
  }
  if (!IsAtOrBelow(owner, apex_)) {
    Error(entry, absl::StrCat(ZoneNameText(owner), ": is outside the zone ",
                              ZoneNameText(apex_)));
    return false;
  }
  owner_failed_ = false;
  owner_ = std::move(owner);
  return true;
}

bool ZoneParser::ReadTtlAndClass(const ZoneEntry& entry, size_t* at,
                                 std::optional<uint32_t>* ttl) {
  // RFC 1035 5.1 allows both orders, and either or both may be left out.
  bool has_class = false;
  for (; *at < entry.tokens.size(); ++*at) {
    const std::string& text = entry.tokens[*at].text;
    if (!ttl->has_value() && !text.empty() &&
        absl::ascii_isdigit(static_cast<unsigned char>(text[0]))) {
      uint32_t value = 0;
      if (!ParseZonePeriod(text, kTtlMax, &value)) {
        Error(entry, absl::StrCat(ZoneNameText(owner_), ": \"", Shown(text),
                                  "\" is not a TTL from 0 to 2147483647"));
        return false;
      }
      *ttl = value;
      continue;
    }
    bool in = absl::EqualsIgnoreCase(text, "IN") ||
              absl::EqualsIgnoreCase(text, "CLASS1");
    bool other = absl::EqualsIgnoreCase(text, "CH") ||
                 absl::EqualsIgnoreCase(text, "HS") ||
                 absl::EqualsIgnoreCase(text, "CS") ||
                 (!in && absl::StartsWithIgnoreCase(text, "CLASS"));
    if (other) {
      Error(entry, absl::StrCat(ZoneNameText(owner_), ": class ", Shown(text),
                                " is not IN"));
      return false;
    }
    if (!in || has_class) break;
    has_class = true;
  }
  return true;
}

bool ZoneParser::ReadType(const ZoneEntry& entry, size_t* at, uint16_t* type) {
  std::string owner = ZoneNameText(owner_);
  if (*at == entry.tokens.size()) {
    Error(entry, absl::StrCat(owner, ": a record without a type"));
    return false;
  }
  const ZoneToken& token = entry.tokens[(*at)++];
  if (token.quoted || !ParseZoneType(token.text, type)) {
    Error(entry, absl::StrCat(owner, ": ", Shown(token.text),
                              " is not a type of record"));
    return false;
  }
  return true;
}

bool ZoneParser::ChooseTtl(const ZoneEntry& entry,
                           const std::optional<uint32_t>& ttl,
                           ZoneRecord* record) {
  if (ttl.has_value()) {
    record->ttl = *ttl;
  } else if (default_ttl_.has_value()) {
    record->ttl = *default_ttl_;
  } else if (last_ttl_.has_value()) {
    record->ttl = *last_ttl_;
  } else if (record->type == kTypeSoa) {
    const std::string& rdata = record->rdata;
    record->ttl = std::min(
        kTtlMax, Load32(reinterpret_cast<const uint8_t*>(rdata.data()) +
                        rdata.size() - 4));
  } else {
    Error(entry, absl::StrCat(ZoneNameText(owner_),
                              ": no TTL, and no $TTL before it"));
    return false;
  }
  last_ttl_ = record->ttl;
  return true;
}

absl::Status ErrnoStatus(const std::string& file, int error) {
  std::string message = absl::StrCat(file, ": ", strerror(error));
  if (error == ENOENT || error == ENOTDIR) return absl::NotFoundError(message);
  if (error == EACCES) return absl::PermissionDeniedError(message);
  return absl::UnavailableError(message);
}

// Reads what is behind `fd` into `text`.
absl::Status ReadAll(int fd, const std::string& file, std::string* text) {
  struct stat info;
  if (fstat(fd, &info) != 0) return ErrnoStatus(file, errno);
  if (S_ISDIR(info.st_mode)) return ErrnoStatus(file, EISDIR);
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": is not a regular file"));
  }
  absl::Status too_large = absl::InvalidArgumentError(
      absl::StrCat(file, ": is larger than ", kZoneFileBytesMax >> 20, " MiB"));
  if (static_cast<uint64_t>(info.st_size) > kZoneFileBytesMax) {
    return too_large;
  }
  size_t size = 0;
  text->resize(static_cast<size_t>(info.st_size) + 1);
  while (true) {
    ssize_t count = read(fd, text->data() + size, text->size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus(file, errno);
    if (count == 0) break;
    size += static_cast<size_t>(count);
    // The file grew since fstat().
    if (size > kZoneFileBytesMax) return too_large;
    if (size == text->size()) text->resize(2 * size);
  }
  text->resize(size);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const ZoneData>> ParseZone(
    const std::string& apex, const std::string& file, absl::string_view text) {
  std::string wire;
  if (!NameToWire(absl::AsciiStrToLower(apex), &wire)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", apex, "\" is not a zone's name"));
  }
  Problems problems;
  ZoneParser parser(std::move(wire), file, &problems);
  std::shared_ptr<const ZoneData> zone = parser.Parse(text);
  if (zone != nullptr) return zone;
  std::vector<std::string> errors = problems.errors();
  if (errors.size() > kZoneProblemsMax) {
    errors.resize(kZoneProblemsMax);
    errors.push_back(absl::StrCat(file, ": more errors follow"));
  }
  return absl::InvalidArgumentError(absl::StrJoin(errors, "\n"));
}

absl::StatusOr<std::shared_ptr<const ZoneData>> ReadZoneFile(
    const std::string& apex, const std::string& file) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return ErrnoStatus(file, errno);
  std::string text;
  absl::Status status = ReadAll(fd, file, &text);
  close(fd);
  if (!status.ok()) return status;
  return ParseZone(apex, file, text);
}

}  // namespace dnsd
