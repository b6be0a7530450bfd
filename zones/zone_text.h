// ZoneTextReader cuts the text of a master file (RFC 1035 section 5.1) into
// entries of tokens, with the line each began on. It knows comments, quotes,
// escapes and parentheses, and nothing of names or types.
//
// Threads:   one owner.
// Ownership: borrows the text, which must outlive the reader.
// Errors:    an entry that cannot be cut carries `error`; reading goes on at
//            the next line.
#ifndef DNSD_ZONES_ZONE_TEXT_H_
#define DNSD_ZONES_ZONE_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace dnsd {

// A token in a form that survives being split again: whatever was escaped or
// quoted and means something to a splitter (blank, quote, backslash, ';', '(',
// ')') is a decimal escape, "\059".
struct ZoneToken {
  std::string text;          // without the quotes around it
  bool quoted = false;       // "text"
  bool inner_quote = false;  // key="value": the quotes are part of `text`
  bool generic = false;      // the mark of RFC 3597: \#
};

struct ZoneEntry {
  int line = 0;               // where the entry began, or its error is; from 1
  bool starts_blank = false;  // the owner is left out
  absl::string_view source;   // the text of that line, trimmed
  std::vector<ZoneToken> tokens;
  std::string error;  // what is wrong, empty if nothing is
};

class ZoneTextReader {
 public:
  explicit ZoneTextReader(absl::string_view text);

  // Reads the next entry that is not blank; false at the end of the text.
  [[nodiscard]] bool Next(ZoneEntry* entry);

 private:
  [[nodiscard]] bool done() const { return at_ == text_.size(); }
  void SkipLine();
  void Begin(bool starts_blank, ZoneEntry* entry) const;
  bool ReadToken(ZoneEntry* entry);
  // Read one token into `token`; false with `error` set.
  bool ReadQuoted(ZoneToken* token, std::string* error);
  bool ReadWord(ZoneToken* token, std::string* error);
  bool ReadEscape(std::string* text, std::string* error);
  bool ReadByte(bool quoted, std::string* text, std::string* error);

  absl::string_view text_;
  size_t at_ = 0;
  int line_ = 1;
};

// "3600", "1h30m", "2W": seconds; false when it is neither or above `max`.
[[nodiscard]] bool ParseZonePeriod(absl::string_view text, uint32_t max,
                                   uint32_t* seconds);

}  // namespace dnsd

#endif  // DNSD_ZONES_ZONE_TEXT_H_
