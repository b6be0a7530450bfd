// HttpInFlight counts the requests that are being worked on: from the moment
// the handler has one to the end of its answer, less those that only wait for a
// change or for another server (HttpReply::Waits()). It is the work that a
// limit is about; waiting costs a connection, and those have their own.
//
// Threads:   the server's thread.
// Ownership: the server's; it outlives what its connections hold.
// Cost:      one look-up by address for each request.
#ifndef DNSD_DNSD_HTTP_HTTP_IN_FLIGHT_H_
#define DNSD_DNSD_HTTP_HTTP_IN_FLIGHT_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"

namespace dnsd {

struct HttpLimits;

class HttpInFlight {
 public:
  enum class Room : uint8_t { kYes, kClientHasTooMany, kTooMany };

  explicit HttpInFlight(const HttpLimits* limits) : limits_(*limits) {}
  HttpInFlight(const HttpInFlight&) = delete;
  HttpInFlight& operator=(const HttpInFlight&) = delete;

  // kYes: counted, until Leave().
  [[nodiscard]] Room Enter(const std::string& client_ip);
  void Leave(const std::string& client_ip);

  [[nodiscard]] size_t count() const { return count_; }
  // Since the start.
  [[nodiscard]] uint64_t refused_count() const { return refused_count_; }

 private:
  const HttpLimits& limits_;
  size_t count_ = 0;
  uint64_t refused_count_ = 0;
  absl::flat_hash_map<std::string, size_t> by_client_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_HTTP_IN_FLIGHT_H_
