// TempDir is a directory of its own for one test.
//
// Threads:   one owner.
// Ownership: removes the directory and everything in it when it goes.
// Errors:    a directory or file that cannot be written ends the test program:
//            no test can say anything without it.
#ifndef DNSD_TESTS_TESTING_TEMP_DIR_H_
#define DNSD_TESTS_TESTING_TEMP_DIR_H_

#include <string>

namespace dnsd::testing {

class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  // Absolute, without a slash at the end.
  [[nodiscard]] const std::string& path() const { return path_; }
  // The path of `name` in the directory, which need not exist.
  [[nodiscard]] std::string Path(const std::string& name) const;

  // Writes a whole file, in a new sub-directory if `name` says so, and returns
  // its path. What was there is replaced.
  std::string Write(const std::string& name, const std::string& content) const;
  void Remove(const std::string& name) const;

 private:
  std::string path_;
};

// The whole file, or "" if there is none.
[[nodiscard]] std::string ReadFile(const std::string& path);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_TEMP_DIR_H_
