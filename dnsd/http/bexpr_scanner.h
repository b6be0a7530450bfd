// BexprScanner reads the terminals of a filter expression and remembers the
// farthest place where one was missing, and which were: Consul's parser, a
// parsing expression grammar, makes its syntax errors of that.
//
// Threads: one owner.
// Text:    must outlive the scanner.
// Errors:  error() is empty when nothing was refused. A grammar that fails
//          without having called AddError() calls AddExpected() in the end.
// Cost:    a step per code point and attempt.
// Limits:  kErrorsMax errors are kept; Consul lists all of them.
#ifndef DNSD_DNSD_HTTP_BEXPR_SCANNER_H_
#define DNSD_DNSD_HTTP_BEXPR_SCANNER_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace dnsd {

class BexprScanner {
 public:
  // Where the scanner stands. Lines count from 1; columns are code points, and
  // a line end is column 0 of the line it begins.
  struct Place {
    size_t offset = 0;
    size_t rune_size = 0;  // of what stands there; 0 at the end
    size_t line = 1;
    size_t column = 0;
  };

  // A set of characters, with the name that errors call it by.
  struct Class {
    absl::string_view name;
    bool (*contains)(char c);
  };

  // While it lives, errors name `rule`.
  class Rule {
   public:
    Rule(BexprScanner* scanner, absl::string_view rule) : scanner_(scanner) {
      scanner_->rules_.push_back(rule);
    }
    ~Rule() { scanner_->rules_.pop_back(); }
    Rule(const Rule&) = delete;
    Rule& operator=(const Rule&) = delete;

   private:
    BexprScanner* scanner_;
  };

  explicit BexprScanner(absl::string_view text);

  [[nodiscard]] const Place& place() const { return place_; }
  void Restore(const Place& place) { place_ = place; }
  [[nodiscard]] absl::string_view TextSince(const Place& start) const {
    return text_.substr(start.offset, place_.offset - start.offset);
  }

  // Each is true, and behind it, when it stands here; else nothing moves.
  bool Literal(absl::string_view literal);
  bool OneOf(const Class& set);
  bool AnyBut(absl::string_view literal);
  // True at the end of the text.
  bool End();

  // An error of the rule at work.
  void AddError(absl::string_view what) { AddErrorAt(what, place_); }
  void AddErrorAt(absl::string_view what, const Place& place);
  // "no match found, expected: ..."
  void AddExpected();
  [[nodiscard]] bool has_error() const { return !errors_.empty(); }
  [[nodiscard]] std::string error() const;

 private:
  static constexpr size_t kErrorsMax = 16;

  struct Want {
    absl::string_view text;
    bool is_literal;
    bool is_negated;
  };

  bool Any();
  void Advance();
  // Tells that `want` was (not) at `place`. Inside a negation it is the
  // presence that stands in the way.
  void Tried(bool found, const Place& place, Want want);

  absl::string_view text_;
  Place place_;
  bool is_negated_ = false;
  std::vector<absl::string_view> rules_;
  Place farthest_;
  std::vector<Want> wanted_;  // at `farthest_`
  std::vector<std::string> errors_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_BEXPR_SCANNER_H_
