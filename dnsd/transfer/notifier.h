// Notifier tells secondaries that a zone has changed: NOTIFY (RFC 1996), again
// until it is acknowledged.
//
// Threads:   the transfer thread.
// Ownership: owns its sockets; borrows loop, options and counters.
// Errors:    a secondary that refuses, or says nothing in TransferLimits's
//            tries, is logged and left to its SOA's refresh.
// Limits:    one message per zone and secondary under way; a zone is told
//            of once in TransferOptions::notify_interval_ms.
// Units:     milliseconds of the loop's clock.
#ifndef DNSD_DNSD_TRANSFER_NOTIFIER_H_
#define DNSD_DNSD_TRANSFER_NOTIFIER_H_

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "catalog/base/event_loop.h"
#include "dnsd/forward/secret_random.h"
#include "dnsd/socket_address.h"
#include "dnsd/transfer/transfer_options.h"
#include "dnsd/transfer/transfer_stats.h"
#include "dnsd/transfer/tsig.h"

namespace dnsd {

class Notifier {
 public:
  // Packets leave from the first of `sources` that is of the secondary's
  // family: it knows its primary by address.
  Notifier(EventLoop* loop, const TransferOptions* options,
           const TransferLimits& limits,
           const std::vector<SocketAddress>& sources, TransferStats* stats);
  ~Notifier();

  // The zones as they are now: wire apex to serial.
  void Update(const std::map<std::string, uint32_t>& serials);

 private:
  struct Zone {
    uint32_t serial = 0;
    bool is_due = true;  // its serial is to be told
    bool was_told = false;
    uint64_t told_ms = 0;
  };
  struct Pending {
    std::string apex;
    const NotifyTarget* target;
    uint16_t id;
    TsigSession tsig;
    int tries = 0;
    uint64_t next_ms = 0;
  };
  struct Socket {
    UniqueFd fd;
    std::unique_ptr<Poll> poll;  // destroyed before its descriptor
  };

  void Open(int family, const std::vector<SocketAddress>& sources,
            Socket* socket);
  void Run();
  void Tell(const std::string& apex);
  void Send(Pending* pending);
  void Receive(Socket* socket);
  void OnReply(std::span<const uint8_t> reply, const SocketAddress& from);

  EventLoop* loop_;
  const TransferOptions* options_;
  TransferLimits limits_;
  TransferStats* stats_;
  SecretRandom random_;
  Socket v4_;
  Socket v6_;
  std::map<std::string, Zone> zones_;
  std::list<Pending> pending_;
  Timer timer_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_TRANSFER_NOTIFIER_H_
