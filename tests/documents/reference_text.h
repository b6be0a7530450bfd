// The reference of configuration keys and the manual's lists, made of the
// tables that files and flags are read by and of what the verbs say of
// themselves.
//
// Documents have generated parts between two marks, each a comment of theirs:
//
//   BEGIN GENERATED: NAME
//   END GENERATED
//
// Threads: any; pure functions.
#ifndef DNSD_TESTS_DOCUMENTS_REFERENCE_TEXT_H_
#define DNSD_TESTS_DOCUMENTS_REFERENCE_TEXT_H_

#include <string>
#include <vector>

namespace dnsd::testing {

// A verb as `dnsd -h` and `dnsd VERB -h` have it.
struct VerbHelp {
  std::string name;
  std::string summary;
  std::string help;  // all that -h prints
};

// Markdown.
[[nodiscard]] std::string KeysMarkdown();
[[nodiscard]] std::string DefinitionsMarkdown();
[[nodiscard]] std::string IgnoredMarkdown();

// mdoc(7).
[[nodiscard]] std::string KeysManual();
[[nodiscard]] std::string DefinitionsManual();
[[nodiscard]] std::string FlagsManual();
[[nodiscard]] std::string VerbsManual(const std::vector<VerbHelp>& verbs);
[[nodiscard]] std::string VerbOptionsManual(const std::vector<VerbHelp>& verbs);

// The document with `text` in its part of that name; the document as it is when
// it has no such part.
[[nodiscard]] std::string WithGenerated(const std::string& document,
                                        const std::string& name,
                                        const std::string& text);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_DOCUMENTS_REFERENCE_TEXT_H_
