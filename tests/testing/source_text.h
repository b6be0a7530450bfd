// SourceText reads a C++ file as the style test needs it: text, code without
// comments and literals, and comments without code, line by line.
//
// Threads: a plain value.
// Errors:  none: what is not C++ gives odd lines, and the compiler says more.
#ifndef DNSD_TESTS_TESTING_SOURCE_TEXT_H_
#define DNSD_TESTS_TESTING_SOURCE_TEXT_H_

#include <cstddef>
#include <string>
#include <vector>

namespace dnsd::testing {

struct Include {
  std::string path;  // without quotes or brackets
  bool quoted = false;
};

struct FunctionSize {
  size_t first_line = 0;  // from 1
  size_t line_count = 0;  // from the opening to the closing brace, both counted
};

class SourceText {
 public:
  explicit SourceText(const std::string& text);

  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }
  // Comments and the insides of literals are blanks here; columns are kept.
  [[nodiscard]] const std::vector<std::string>& code() const { return code_; }
  // Everything but comments is blank here.
  [[nodiscard]] const std::vector<std::string>& comments() const {
    return comments_;
  }

  // In order.
  [[nodiscard]] std::vector<Include> Includes() const;
  // Free functions and methods with a body, lambdas as part of them. From a
  // brace counter: a constructor whose initialisers have braces is overlooked.
  [[nodiscard]] std::vector<FunctionSize> Functions() const;

 private:
  std::vector<std::string> lines_;
  std::vector<std::string> code_;
  std::vector<std::string> comments_;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_SOURCE_TEXT_H_
