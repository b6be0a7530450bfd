#include "dnsd/http/bexpr_scanner.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "dnsd/http/bexpr_text.h"

namespace dnsd {
namespace {

using absl::string_view;

constexpr string_view kAny = ".";

}  // namespace

BexprScanner::BexprScanner(string_view text) : text_(text) {
  farthest_.column = 1;
  Advance();
}

void BexprScanner::Advance() {
  place_.offset += place_.rune_size;
  const Rune rune = DecodeRune(text_.substr(place_.offset));
  place_.rune_size = rune.size;
  ++place_.column;
  if (rune.rune == '\n') {
    ++place_.line;
    place_.column = 0;
  }
  if (rune.rune == kRuneError && rune.size == 1) AddError("invalid encoding");
}

void BexprScanner::Tried(bool found, const Place& place, Want want) {
  if (found != is_negated_ || place.offset < farthest_.offset) return;
  if (place.offset > farthest_.offset) {
    farthest_ = place;
    wanted_.clear();
  }
  want.is_negated = is_negated_;
  const bool is_known =
      std::any_of(wanted_.begin(), wanted_.end(), [&](const Want& other) {
        return other.text == want.text && other.is_literal == want.is_literal &&
               other.is_negated == want.is_negated;
      });
  if (!is_known) wanted_.push_back(want);
}

bool BexprScanner::Literal(string_view literal) {
  const Place start = place_;
  for (const char c : literal) {
    if (place_.rune_size == 0 || text_[place_.offset] != c) {
      place_ = start;
      Tried(false, start, {literal, true, false});
      return false;
    }
    Advance();
  }
  Tried(true, start, {literal, true, false});
  return true;
}

bool BexprScanner::OneOf(const Class& set) {
  const Place start = place_;
  const bool found =
      place_.rune_size == 1 && set.contains(text_[place_.offset]);
  if (found) Advance();
  Tried(found, start, {set.name, false, false});
  return found;
}

bool BexprScanner::Any() {
  const Place start = place_;
  const bool found = place_.rune_size != 0;
  if (found) Advance();
  Tried(found, start, {kAny, false, false});
  return found;
}

bool BexprScanner::AnyBut(string_view literal) {
  const Place start = place_;
  is_negated_ = !is_negated_;
  const bool found = Literal(literal);
  is_negated_ = !is_negated_;
  place_ = start;
  return !found && Any();
}

bool BexprScanner::End() {
  const Rule rule(this, "EOF");
  const Place start = place_;
  is_negated_ = !is_negated_;
  const bool found = Any();
  is_negated_ = !is_negated_;
  place_ = start;
  return !found;
}

void BexprScanner::AddErrorAt(string_view what, const Place& place) {
  std::string text =
      absl::StrCat(place.line, ":", place.column, " (", place.offset, ")");
  if (!rules_.empty()) absl::StrAppend(&text, ": rule ", rules_.back());
  absl::StrAppend(&text, ": ", what);
  if (errors_.size() < kErrorsMax &&
      std::find(errors_.begin(), errors_.end(), text) == errors_.end()) {
    errors_.push_back(std::move(text));
  }
}

void BexprScanner::AddExpected() {
  std::set<std::string> names;
  for (const Want& want : wanted_) {
    names.insert(absl::StrCat(
        want.is_negated ? "!" : "",
        want.is_literal ? GoQuote(want.text) : std::string(want.text)));
  }
  const bool end = names.erase("!.") != 0;
  std::vector<std::string> sorted(names.begin(), names.end());
  if (end) sorted.push_back("EOF");
  std::string list = sorted.empty() ? "" : sorted.back();
  if (sorted.size() > 1) {
    sorted.pop_back();
    list = absl::StrCat(absl::StrJoin(sorted, ", "), " or ", list);
  }
  AddErrorAt(absl::StrCat("no match found, expected: ", list), farthest_);
}

std::string BexprScanner::error() const { return absl::StrJoin(errors_, "\n"); }

}  // namespace dnsd
