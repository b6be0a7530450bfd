// Runs a fuzz target over recorded inputs: the main() that a target gets when
// it is not linked with libFuzzer, so that every test run replays the corpus.
//
//   <target>_fuzz_replay FILE-OR-DIRECTORY...
//
// Each input runs as it is, then cut off at every byte (up to kCutsMax of
// them): a parser's mistakes hide at the ends. A crash or a sanitizer report
// ends the program; the input is printed before it runs. Exit code 1: nothing
// was found to run, which would otherwise look like success.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace dnsd {
namespace {

namespace fs = std::filesystem;

constexpr size_t kCutsMax = 2048;

// The input lies alone in memory of its exact size: a sanitizer sees the
// first byte read behind it.
void RunOne(const std::vector<uint8_t>& input, size_t bytes) {
  const std::vector<uint8_t> exact(
      input.begin(), input.begin() + static_cast<ptrdiff_t>(bytes));
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

void Replay(const fs::path& path) {
  std::printf("%s\n", path.string().c_str());
  std::fflush(stdout);
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> text((std::istreambuf_iterator<char>(file)),
                               std::istreambuf_iterator<char>());
  const std::vector<uint8_t> input(text.begin(), text.end());
  RunOne(input, input.size());
  for (size_t bytes = 0; bytes < std::min(input.size(), kCutsMax); ++bytes) {
    RunOne(input, bytes);
  }
}

// Files below `path`, or itself, in a fixed order.
std::vector<fs::path> Inputs(const fs::path& path) {
  std::error_code error;
  std::vector<fs::path> inputs;
  if (fs::is_regular_file(path, error)) inputs.push_back(path);
  for (const auto& entry : fs::recursive_directory_iterator(path, error)) {
    if (entry.is_regular_file(error)) inputs.push_back(entry.path());
  }
  std::sort(inputs.begin(), inputs.end());
  return inputs;
}

}  // namespace
}  // namespace dnsd

int main(int argc, char** argv) {
  size_t count = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& path : dnsd::Inputs(argv[i])) {
      dnsd::Replay(path);
      ++count;
    }
  }
  std::printf("%zu inputs\n", count);
  return count > 0 ? 0 : 1;
}
