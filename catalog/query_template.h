// Texts of prepared-query templates: "${name.suffix}-${match(1)}", in the
// interpolation language Consul uses for them (HIL).
//
// Threads: pure function.
// Syntax:  "$$" is a dollar sign. Inside ${...}: name.full, name.prefix,
//          name.suffix, agent.segment (empty), match(N), strings in double
//          quotes with escapes and ${...} of their own, numbers, true and
//          false, + - * / %, comparisons, && || !, a ? b : c, parentheses.
//          Precedence, comparisons, logic and choice are the newest Consul's:
//          1.8 reckons from left to right and has no others.
// Errors:  a text outside the syntax, an unknown name, a division by zero or
//          a string that should be a number and is none renders to nothing.
// Limits:  kTemplateDepthMax levels of nesting.
#ifndef DNSD_CATALOG_QUERY_TEMPLATE_H_
#define DNSD_CATALOG_QUERY_TEMPLATE_H_

#include <optional>
#include <string>
#include <vector>

namespace dnsd {

// Ordinary templates nest two or three levels.
inline constexpr int kTemplateDepthMax = 40;

// What the text may refer to.
struct TemplateScope {
  std::string full;                  // the name asked for
  std::string prefix;                // the template's name
  std::string suffix;                // the rest; all when it is spelt otherwise
  std::vector<std::string> matches;  // of the regular expression; [0] is all
};

[[nodiscard]] std::optional<std::string> RenderTemplateText(
    const std::string& text, const TemplateScope& scope);

}  // namespace dnsd

#endif  // DNSD_CATALOG_QUERY_TEMPLATE_H_
