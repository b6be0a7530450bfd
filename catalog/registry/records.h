// Records are what the registry's Store holds: keys, and values with stamps.
//
//   agent/service/ID      {"…"}         a service as it was registered
//   agent/check/ID        {"…"}         a check of the agent
//   agent/maintenance/ID  reason        a check of maintenance mode
//   agent/state/ID        status output what a check found last
//   catalog/node/NODE     stamp {"…"}   node names in lower case
//   catalog/service/NODE/ID  the same
//   catalog/check/NODE/ID    the same
//   query/ID              stamp {"…"}   ids in lower case
//   meta/index            number        every index given so far is below it
//
// Threads: any; pure functions.
// Errors:  a value that was not written here is kDataLoss.
#ifndef DNSD_CATALOG_REGISTRY_RECORDS_H_
#define DNSD_CATALOG_REGISTRY_RECORDS_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/change.h"

namespace dnsd {

inline constexpr char kIndexRecord[] = "meta/index";
// What the keys of the catalog's records begin with, and those of its checks.
inline constexpr char kCatalogRecords[] = "catalog/";
inline constexpr char kCatalogCheckRecords[] = "catalog/check/";

// The parts with slashes between them; slashes, percent signs and NULs within
// a part are escaped.
[[nodiscard]] std::string RecordKey(
    std::initializer_list<absl::string_view> parts);
[[nodiscard]] std::vector<std::string> RecordKeyParts(absl::string_view key);

// The error, with the record that it is about.
[[nodiscard]] absl::Status OfRecord(absl::string_view key,
                                    const absl::Status& error);

struct StampedValue {
  Stamp stamp;
  absl::string_view json;
};
[[nodiscard]] std::string EncodeStamped(const Stamp& stamp,
                                        absl::string_view json);
[[nodiscard]] absl::StatusOr<StampedValue> DecodeStamped(
    absl::string_view value);

struct CheckStateValue {
  HealthStatus status = HealthStatus::kCritical;
  int64_t unix_ms = 0;  // when it was found
  std::string output;
};
[[nodiscard]] std::string EncodeCheckState(const CheckStateValue& state);
[[nodiscard]] absl::StatusOr<CheckStateValue> DecodeCheckState(
    absl::string_view value);

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_RECORDS_H_
