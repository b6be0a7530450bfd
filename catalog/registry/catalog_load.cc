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

CatalogLoad::CatalogLoad(std::string datacenter, Take take)
    : datacenter_(std::move(datacenter)),
      take_(std::move(take)),
      running_max_(std::max<size_t>(2, UsefulThreads())) {}

CatalogLoad::~CatalogLoad() {
  for (Running& running : running_) running.thread.join();
}

void CatalogLoad::Decode(const std::string& datacenter, Running* running) {
  RegistrationReader reader;
  absl::string_view rest = running->batch.text;
  running->changes.reserve(running->batch.records.size());
  for (const Record& record : running->batch.records) {
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
        AddChanges(*std::move(registration), datacenter, stamped->stamp,
                   &running->changes);
      }
    }
    if (!status.ok()) {
      running->status.Update(OfRecord(key, status));
    }
  }
}

void CatalogLoad::Add(absl::string_view key, absl::string_view value) {
  absl::StrAppend(&batch_.text, key, value);
  batch_.records.push_back({key.size(), value.size()});
  if (batch_.text.size() >= kBatchBytes) StartBatch();
}

void CatalogLoad::StartBatch() {
  if (running_.size() >= running_max_) TakeFirst();
  Running& running = running_.emplace_back();
  running.batch = std::exchange(batch_, {});
  running.thread =
      StartThread([this, &running] { Decode(datacenter_, &running); });
}

void CatalogLoad::TakeFirst() {
  Running& first = running_.front();
  first.thread.join();
  status_.Update(first.status);
  take_(std::move(first.changes));
  running_.pop_front();
}

absl::Status CatalogLoad::Finish() {
  if (!batch_.records.empty()) StartBatch();
  while (!running_.empty()) TakeFirst();
  return status_;
}

}  // namespace dnsd
