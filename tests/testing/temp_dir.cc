#include "tests/testing/temp_dir.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "catalog/base/check.h"

namespace dnsd::testing {

namespace fs = std::filesystem;

TempDir::TempDir() {
  std::error_code error;
  const fs::path parent = fs::temp_directory_path(error);
  DNSD_CHECK(!error);
  std::string pattern = (parent / "dnsd-test-XXXXXX").string();
  DNSD_CHECK(mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

TempDir::~TempDir() {
  std::error_code error;
  fs::remove_all(path_, error);
}

std::string TempDir::Path(const std::string& name) const {
  return path_ + "/" + name;
}

std::string TempDir::Write(const std::string& name,
                           const std::string& content) const {
  const fs::path path = Path(name);
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  DNSD_CHECK(!error);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  DNSD_CHECK(!file.fail());
  return path.string();
}

void TempDir::Remove(const std::string& name) const {
  std::error_code error;
  fs::remove_all(Path(name), error);
  DNSD_CHECK(!error);
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file),
          std::istreambuf_iterator<char>()};
}

}  // namespace dnsd::testing
