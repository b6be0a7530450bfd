#include "tests/testing/resolvers.h"

#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"

namespace dnsd::testing {
namespace {

std::string Root() {
  const char* variable = std::getenv("DNSD_RESOLVERS");
  return variable != nullptr
             ? variable
             : std::filesystem::absolute("build/resolvers").string();
}

}  // namespace

std::string ResolverProgram(const std::string& program) {
  const std::string path = absl::StrCat(Root(), "/usr/", program);
  return std::filesystem::exists(path) ? path : "";
}

std::vector<std::string> ResolverCommand(const std::string& path,
                                         const std::vector<std::string>& args) {
  std::vector<std::string> command = {
      "env",
      absl::StrCat("LD_LIBRARY_PATH=", Root(), "/usr/lib/x86_64-linux-gnu"),
      path};
  command.insert(command.end(), args.begin(), args.end());
  return command;
}

}  // namespace dnsd::testing
