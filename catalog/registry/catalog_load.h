// CatalogLoad decodes the catalog's records on threads of its own, while one
// thread reads them and another takes what they say.
//
// Threads: Add() and Close() on the one that reads, which wait while the others
//          are behind: they need a TakeAll(), on the one that takes. The owner
//          outlives both.
// Cost:    holds some thousand records for each thread.
#ifndef DNSD_CATALOG_REGISTRY_CATALOG_LOAD_H_
#define DNSD_CATALOG_REGISTRY_CATALOG_LOAD_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
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

  explicit CatalogLoad(std::string datacenter);
  ~CatalogLoad();
  CatalogLoad(const CatalogLoad&) = delete;
  CatalogLoad& operator=(const CatalogLoad&) = delete;

  // `value` is EncodeStamped() of EncodeCatalogRegistration().
  void Add(absl::string_view key, absl::string_view value);

  // No more is added.
  void Close();

  // Calls `take` until all was taken. The first error, which names a record.
  [[nodiscard]] absl::Status TakeAll(const Take& take);

 private:
  struct Record {
    size_t key_size;
    size_t value_size;
  };
  // Records, their keys and values one behind the other in `text`, and what
  // they say. All but `is_decoded` is one thread's after the other.
  struct Batch {
    std::string text;
    std::vector<Record> records;
    std::vector<Change> changes;
    absl::Status status;
    bool is_decoded = false;
  };

  void Queue();
  void DecodeAll();
  void Decode(Batch* batch) const;

  const std::string datacenter_;
  const size_t thread_count_;
  Batch batch_;  // the reader's
  std::vector<std::thread> threads_;

  std::mutex mutex_;  // guards what follows, and waits with changed_
  std::condition_variable changed_;
  std::deque<Batch> batches_;  // what is in it stays in its place
  size_t started_ = 0;         // how many of them are decoded, or were
  bool closed_ = false;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_CATALOG_LOAD_H_
