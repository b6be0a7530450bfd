// A process that is killed while it commits. It prints "ready", then the number
// of each commit as soon as that is acknowledged.
//
//   store_child PATH SEED FIRST-INDEX IN-FLIGHT LOG-SIZE-MAX
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "catalog/registry/sqlite_store.h"
#include "tests/catalog/registry/store_operations.h"

namespace dnsd {
namespace {

void Print(const std::string& line) {
  if (write(STDOUT_FILENO, line.data(), line.size()) < 0) _exit(3);
}

class Committer {
 public:
  Committer(Store* store, uint64_t seed, uint64_t first)
      : store_(store), seed_(seed), next_(first) {}

  void Start() {
    const uint64_t index = next_++;
    store_->Commit(testing::CommitAt(seed_, index),
                   [this, index](const absl::Status& status) {
                     if (!status.ok()) {
                       Print(absl::StrCat("failed: ", status.ToString(), "\n"));
                       _exit(4);
                     }
                     Print(absl::StrCat(index + 1, "\n"));
                     Start();
                   });
  }

 private:
  Store* store_;
  uint64_t seed_;
  uint64_t next_;
};

int Main(int argc, char** argv) {
  uint64_t numbers[4] = {};
  if (argc != 6) return 2;
  for (int i = 0; i < 4; ++i) {
    if (!absl::SimpleAtoi(argv[i + 2], &numbers[i])) return 2;
  }
  const auto [seed, first, in_flight, log_size_max] = numbers;
  EventLoop loop;
  SqliteStoreOptions options;
  options.log_size_max = log_size_max;
  auto store = OpenSqliteStore(&loop, argv[1], options);
  if (!store.ok()) {
    Print(absl::StrCat("failed: ", store.status().ToString(), "\n"));
    return 1;
  }
  Print("ready\n");
  Committer committer(store->get(), seed, first);
  for (uint64_t i = 0; i < in_flight; ++i) committer.Start();
  loop.Run();
  return 0;
}

}  // namespace
}  // namespace dnsd

int main(int argc, char** argv) { return dnsd::Main(argc, argv); }
