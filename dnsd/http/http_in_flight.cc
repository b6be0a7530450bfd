#include "dnsd/http/http_in_flight.h"

#include "catalog/base/check.h"
#include "dnsd/http/http_server.h"

namespace dnsd {

HttpInFlight::Room HttpInFlight::Enter(const std::string& client_ip) {
  if (count_ >= limits_.requests_max) {
    ++refused_count_;
    return Room::kTooMany;
  }
  size_t& of_client = by_client_[client_ip];
  if (of_client >= limits_.requests_per_client_max) {
    ++refused_count_;
    if (of_client == 0) by_client_.erase(client_ip);
    return Room::kClientHasTooMany;
  }
  ++of_client;
  ++count_;
  return Room::kYes;
}

void HttpInFlight::Leave(const std::string& client_ip) {
  const auto of_client = by_client_.find(client_ip);
  DNSD_CHECK(of_client != by_client_.end() && count_ > 0);
  if (--of_client->second == 0) by_client_.erase(of_client);
  --count_;
}

}  // namespace dnsd
