#include "catalog/registry/catalog_load.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/parallel.h"
#include "catalog/base/thread.h"
#include "catalog/registry/api_body.h"
#include "catalog/registry/records.h"
#include "catalog/registry/registration_reader.h"

namespace dnsd {
namespace {

constexpr size_t kBatchBytes = 512u << 10;
constexpr size_t kBatchesPerThread = 4;

// A node before what is on it, an instance before its checks.
void AddChanges(CatalogRegistration registration, const std::string& datacenter,
                const Stamp& stamp, std::vector<Change>* changes) {
  const NodeKey key{datacenter, registration.node.name};
  if (!registration.skip_node_update) {
    registration.node.datacenter = datacenter;
    changes->push_back(UpsertNode{std::move(registration.node), stamp});
  }
  if (registration.service.has_value()) {
    changes->push_back(
        UpsertInstance{key, *std::move(registration.service), stamp});
  }
  for (Check& check : registration.checks) {
    changes->push_back(UpsertCheck{key, std::move(check), stamp});
  }
}

absl::StatusOr<CatalogRegistration> Read(absl::string_view json,
                                         RegistrationReader* reader) {
  CatalogRegistration registration;
  if (reader->Read(json, &registration)) return registration;
  return DecodeCatalogRegistration(json);
}

}  // namespace

CatalogLoad::CatalogLoad(std::string datacenter)
    : datacenter_(std::move(datacenter)),
      // Whoever reads and whoever takes have work, too.
      thread_count_(std::max<size_t>(2, UsefulThreads()) - 1) {}

CatalogLoad::~CatalogLoad() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void CatalogLoad::Add(absl::string_view key, absl::string_view value) {
  absl::StrAppend(&batch_.text, key, value);
  batch_.records.push_back({key.size(), value.size()});
  if (batch_.text.size() >= kBatchBytes) Queue();
}

void CatalogLoad::Close() {
  if (!batch_.records.empty()) Queue();
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

void CatalogLoad::Queue() {
  if (threads_.size() < thread_count_) {
    threads_.push_back(StartThread([this] { DecodeAll(); }));
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] {
    return batches_.size() < thread_count_ * kBatchesPerThread;
  });
  batches_.push_back(std::exchange(batch_, {}));
  changed_.notify_all();
}

void CatalogLoad::DecodeAll() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock,
                  [this] { return closed_ || started_ < batches_.size(); });
    if (started_ == batches_.size()) return;
    Batch* const batch = &batches_[started_++];
    lock.unlock();
    Decode(batch);
    lock.lock();
    batch->is_decoded = true;
    changed_.notify_all();
  }
}

void CatalogLoad::Decode(Batch* batch) const {
  RegistrationReader reader;
  absl::string_view rest = batch->text;
  batch->changes.reserve(batch->records.size());
  for (const Record& record : batch->records) {
    const absl::string_view key = rest.substr(0, record.key_size);
    const absl::string_view value =
        rest.substr(record.key_size, record.value_size);
    rest.remove_prefix(record.key_size + record.value_size);
    const absl::StatusOr<StampedValue> stamped = DecodeStamped(value);
    absl::Status status = stamped.status();
    if (status.ok()) {
      absl::StatusOr<CatalogRegistration> registration =
          Read(stamped->json, &reader);
      status = registration.status();
      if (status.ok()) {
        AddChanges(*std::move(registration), datacenter_, stamped->stamp,
                   &batch->changes);
      }
    }
    if (!status.ok()) batch->status.Update(OfRecord(key, status));
  }
}

absl::Status CatalogLoad::TakeAll(const Take& take) {
  absl::Status status;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] {
      return batches_.empty() ? closed_ : batches_.front().is_decoded;
    });
    if (batches_.empty()) return status;
    Batch& first = batches_.front();
    lock.unlock();
    status.Update(first.status);
    take(std::move(first.changes));
    lock.lock();
    batches_.pop_front();
    --started_;
    changed_.notify_all();
  }
}

}  // namespace dnsd
