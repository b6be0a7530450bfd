#include "tests/testing/resolvers.h"

#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "tests/testing/process.h"

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
  for (const char* folder : {"/usr/", "/"}) {
    const std::string path = absl::StrCat(Root(), folder, program);
    if (std::filesystem::exists(path)) return path;
  }
  return "";
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

std::vector<std::string> InstalledResolverCommand(
    const std::string& path, const std::vector<std::string>& args) {
  std::vector<std::string> command = {
      "unshare",
      "-m",
      "sh",
      "-c",
      absl::StrCat("mount -t overlay none -o lowerdir=", Root(),
                   "/usr:/usr /usr && exec \"$0\" \"$@\""),
      path};
  command.insert(command.end(), args.begin(), args.end());
  return command;
}

std::string InstalledResolverProblem() {
  const Finished tried = RunToEnd(InstalledResolverCommand("true", {}));
  return tried.exit_code == 0 ? "" : "cannot mount over /usr: " + tried.output;
}

}  // namespace dnsd::testing
