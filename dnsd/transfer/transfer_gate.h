// TransferGate answers what Respond() leaves alone (Outcome::kTransfer):
// signed questions, and AXFR and IXFR. It says what a transfer is and who may
// have it; the transfer itself is TransferService's.
//
// Threads:   any; Answer() is called by the workers and by the service.
// Ownership: borrows the options.
// Errors:    REFUSED, or what Consul says, to who may not; NOTAUTH with a TSIG
//            error to bad signatures (RFC 8945 section 5.2) and for zones that
//            are none of ours (RFC 5936 section 2.2.1); SERVFAIL when the
//            catalog is not loaded or too many transfers run.
#ifndef DNSD_DNSD_TRANSFER_TRANSFER_GATE_H_
#define DNSD_DNSD_TRANSFER_TRANSFER_GATE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dnsd/socket_address.h"
#include "dnsd/transfer/transfer_options.h"
#include "dnsd/transfer/transfer_taker.h"
#include "dnsd/transfer/tsig.h"
#include "zones/responder.h"
#include "zones/view.h"

namespace dnsd {

// A zone as a transfer sees it; good as long as the view.
struct TransferZone {
  const ZoneData* file = nullptr;  // one of the two
  const Domain* domain = nullptr;
  uint32_t serial = 0;

  // False: the catalog is not loaded yet.
  bool is_ready = true;
};

// The zone whose apex this is, in wire form and lower case, if it is ours and
// transferred at all.
[[nodiscard]] bool FindTransferZone(const View& view,
                                    const TransferOptions& options,
                                    const std::string& apex,
                                    TransferZone* zone);

class TransferGate {
 public:
  TransferGate(const TransferOptions* options, const TransferLimits& limits)
      : options_(options), connections_max_(limits.connections_max) {}

  // See TransferTaker. `has_slot`: the connection is one of ours already; else
  // a grant takes one, which Release() gives back.
  [[nodiscard]] TransferVerdict Answer(std::span<const uint8_t> packet,
                                       Transport transport,
                                       const SocketAddress& client,
                                       const View& view, bool may_grant,
                                       bool has_slot, RespondContext* context,
                                       uint8_t* out);

  // The connection that was granted a transfer is over.
  void Release() { connections_.fetch_sub(1); }

  // Questions with a bad signature, and transfers that were not granted.
  [[nodiscard]] uint64_t bad_signatures() const { return bad_signatures_; }
  [[nodiscard]] uint64_t refused() const { return refused_; }

 private:
  struct Asked;

  [[nodiscard]] bool Reserve();
  TransferVerdict Judge(Asked* asked, bool may_grant, bool has_slot);

  const TransferOptions* options_;
  size_t connections_max_;
  std::atomic<size_t> connections_{0};
  std::atomic<uint64_t> bad_signatures_{0};
  std::atomic<uint64_t> refused_{0};
};

}  // namespace dnsd

#endif  // DNSD_DNSD_TRANSFER_TRANSFER_GATE_H_
