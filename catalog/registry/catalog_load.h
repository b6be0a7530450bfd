// CatalogLoad decodes the catalog's records on threads of its own, while its
// owner reads them and takes what they say.
//
// Threads: one owner; it calls `take` within Add() and Finish().
// Cost:    holds some thousand records for each thread.
#ifndef DNSD_CATALOG_REGISTRY_CATALOG_LOAD_H_
#define DNSD_CATALOG_REGISTRY_CATALOG_LOAD_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "catalog/change.h"

namespace dnsd {

class CatalogLoad {
 public:
  // What some of the records say, in the order in which they were added.
  using Take = std::function<void(std::vector<Change>)>;

  CatalogLoad(std::string datacenter, Take take);
  ~CatalogLoad();
  CatalogLoad(const CatalogLoad&) = delete;
  CatalogLoad& operator=(const CatalogLoad&) = delete;

  // `value` is EncodeStamped() of EncodeCatalogRegistration().
  void Add(absl::string_view key, absl::string_view value);

  // When it returns, all was taken; or the first error, which names a record.
  [[nodiscard]] absl::Status Finish();

 private:
  struct Record {
    size_t key_size;
    size_t value_size;
  };
  // Records, their keys and values one behind the other in `text`.
  struct Batch {
    std::string text;
    std::vector<Record> records;
  };
  // A batch that is decoded. All but `thread` is the thread's until it ended.
  struct Running {
    Batch batch;
    std::vector<Change> changes;
    absl::Status status;
    std::thread thread;
  };

  static void Decode(const std::string& datacenter, Running* running);
  void StartBatch();
  void TakeFirst();

  const std::string datacenter_;
  const Take take_;
  const size_t running_max_;
  Batch batch_;
  std::deque<Running> running_;
  absl::Status status_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_CATALOG_LOAD_H_
