// HclLexer cuts an HCL 1 document into tokens, for ParseHcl().
//
// Threads:   one owner; no shared state.
// Ownership: borrows the text, which must outlive it. Tokens own their text.
// Input:     the text must have passed CheckHclText() and have no "\r\n"; that
//            is what lets the lexer step through code points unchecked.
// Errors:    kInvalidArgument, message "line N, column M: what is wrong";
//            columns count code points from 1. After an error the lexer must
//            not be used again.
#ifndef DNSD_CATALOG_BASE_HCL_LEXER_H_
#define DNSD_CATALOG_BASE_HCL_LEXER_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace dnsd {

enum class HclTokenKind : uint8_t {
  kEnd,
  kIdentifier,  // text: as written
  kString,      // text: decoded; a quoted string, which may be a key
  kHeredoc,     // text: decoded; never a key
  kBool,        // text: "true" or "false"
  kInteger,     // text: as written; may still not fit int64
  kReal,        // text: as written
  kComma,
  kAssign,
  kLeftBrace,
  kRightBrace,
  kLeftBracket,
  kRightBracket,
};

struct HclToken {
  HclTokenKind kind = HclTokenKind::kEnd;
  int line = 1;       // 1-based line where the token begins
  size_t offset = 0;  // of its first byte
  std::string text;   // see HclTokenKind

  // What the token is, for error messages: "'{'", "the string \"web\"".
  [[nodiscard]] std::string Describe() const;
};

// Gives an error for text that is not UTF-8 or has a NUL, as HCL 1 demands of
// the whole file, comments included.
[[nodiscard]] absl::Status CheckHclText(absl::string_view text);

class HclLexer {
 public:
  explicit HclLexer(absl::string_view text) : text_(text) {}

  // The next token; kEnd again and again at the end.
  [[nodiscard]] absl::StatusOr<HclToken> Next();

  // An error that points at a byte of the text.
  [[nodiscard]] absl::Status ErrorAt(size_t offset,
                                     absl::string_view message) const;

 private:
  [[nodiscard]] char At(size_t offset) const {
    return offset < text_.size() ? text_[offset] : '\0';
  }
  [[nodiscard]] size_t LetterSize(size_t offset) const;
  [[nodiscard]] size_t SkipDigits(size_t offset) const;

  // Each of these reads from position_ on and moves it behind what it read.
  [[nodiscard]] absl::Status SkipBlanksAndComments();
  [[nodiscard]] absl::Status ScanString(HclToken* token);
  [[nodiscard]] absl::Status ScanEscape(std::string* out);
  [[nodiscard]] absl::Status ScanHeredoc(HclToken* token);
  [[nodiscard]] absl::Status ScanNumber(HclToken* token);
  void ScanIdentifier(HclToken* token);

  absl::string_view text_;
  size_t position_ = 0;
  size_t counted_ = 0;  // line_ is the line of this offset
  int line_ = 1;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_HCL_LEXER_H_
