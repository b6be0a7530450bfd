#include "dnsd/passed_sockets.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "dnsd/limits.h"
#include "dnsd/taken_variable.h"

namespace dnsd {
namespace {

// SD_LISTEN_FDS_START
constexpr int kFirstFd = 3;

size_t Count(const std::vector<ListenSocket>& sockets,
             const Endpoint& endpoint) {
  return static_cast<size_t>(std::count_if(
      sockets.begin(), sockets.end(), [&endpoint](const ListenSocket& socket) {
        return socket.endpoint == endpoint;
      }));
}

// Moves the first one of this address from `all` to `some`.
void MoveOne(const Endpoint& endpoint, std::vector<ListenSocket>* all,
             std::vector<ListenSocket>* some) {
  const auto found = std::find_if(all->begin(), all->end(),
                                  [&endpoint](const ListenSocket& socket) {
                                    return socket.endpoint == endpoint;
                                  });
  if (found == all->end()) return;
  some->push_back(std::move(*found));
  all->erase(found);
}

}  // namespace

void PassedAddresses::Override(Config* config) const {
  if (workers == 0) return;
  config->dns_listen = dns_listen;
  config->workers = workers;
}

absl::StatusOr<PassedSockets> PassedSockets::FromEnvironment() {
  const std::string pid = TakeVariable("LISTEN_PID");
  const std::string fds = TakeVariable("LISTEN_FDS");
  (void)TakeVariable("LISTEN_FDNAMES");
  PassedSockets passed;
  int count = 0;
  if (pid != absl::StrCat(getpid()) || !absl::SimpleAtoi(fds, &count)) {
    return passed;
  }
  for (int fd = kFirstFd; fd < kFirstFd + count; ++fd) {
    const absl::Status adopted = AdoptSocket(UniqueFd(fd), &passed.sockets_);
    if (!adopted.ok()) {
      return absl::Status(
          adopted.code(),
          absl::StrCat("socket ", fd - kFirstFd + 1, " of ", count,
                       " from the service manager: ", adopted.message()));
    }
  }
  const absl::Status found = passed.FindAddresses();
  if (!found.ok()) return found;
  return passed;
}

absl::Status PassedSockets::FindAddresses() {
  for (const auto* sockets : {&sockets_.udp, &sockets_.tcp}) {
    for (const ListenSocket& socket : *sockets) {
      std::vector<Endpoint>& known = addresses_.dns_listen;
      if (std::find(known.begin(), known.end(), socket.endpoint) ==
          known.end()) {
        known.push_back(socket.endpoint);
      }
    }
  }
  if (addresses_.dns_listen.empty()) return absl::OkStatus();
  const size_t workers = Count(sockets_.udp, addresses_.dns_listen.front());
  for (const Endpoint& endpoint : addresses_.dns_listen) {
    const size_t udp = Count(sockets_.udp, endpoint);
    const size_t tcp = Count(sockets_.tcp, endpoint);
    if (udp == workers && tcp == workers && workers > 0 &&
        workers <= size_t{kWorkersMax}) {
      continue;
    }
    return absl::InvalidArgumentError(absl::StrCat(
        "the service manager passes ", udp, " sockets of UDP and ", tcp,
        " of TCP for ", EndpointText(endpoint),
        ": its unit has to list every address equally often, once for each "
        "worker, as ListenDatagram= and as ListenStream="));
  }
  addresses_.workers = static_cast<int>(workers);
  return absl::OkStatus();
}

WorkerSockets PassedSockets::Take() {
  WorkerSockets sockets;
  for (const Endpoint& endpoint : addresses_.dns_listen) {
    MoveOne(endpoint, &sockets_.udp, &sockets.udp);
    MoveOne(endpoint, &sockets_.tcp, &sockets.tcp);
  }
  return sockets;
}

}  // namespace dnsd
