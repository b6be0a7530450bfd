// TransferTaker is what workers see of zone transfers: who answers the
// questions that Respond() leaves (Outcome::kTransfer), and takes over the
// connections of those that get a zone.
//
// Threads:   any.
// Ownership: outlives the workers.
#ifndef DNSD_DNSD_TRANSFER_TRANSFER_TAKER_H_
#define DNSD_DNSD_TRANSFER_TRANSFER_TAKER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dnsd/socket_address.h"
#include "dnsd/transfer/tsig.h"
#include "zones/responder.h"

namespace dnsd {

// A transfer that was asked for and granted.
struct TransferRequest {
  std::string apex;               // lower case
  std::vector<uint8_t> question;  // as asked: name, type, class
  uint16_t id = 0;
  bool rd = false;
  bool has_opt = false;
  TsigSession tsig;
};

struct TransferVerdict {
  size_t size = 0;  // of the answer that was written
  // Instead of an answer: the connection is to go to TakeOver() with this.
  std::unique_ptr<TransferRequest> granted = nullptr;
  bool is_verified = false;  // rightly signed, so its source is not forged
};

// A connection on its way from a worker.
struct Handover {
  UniqueFd fd;
  SocketAddress client;
  std::unique_ptr<TransferRequest> request;
  std::vector<uint8_t> unsent;  // answers to earlier questions, as frames
  std::vector<uint8_t> unread;  // what came behind the question
};

class TransferTaker {
 public:
  virtual ~TransferTaker() = default;

  // Answers `packet` into `out` (kResponseBytesMax), over TCP possibly by
  // granting a transfer, for which `may_grant` must hold. `context` is the
  // worker's.
  [[nodiscard]] virtual TransferVerdict Answer(std::span<const uint8_t> packet,
                                               Transport transport,
                                               const SocketAddress& client,
                                               const View& view, bool may_grant,
                                               RespondContext* context,
                                               uint8_t* out) = 0;
  // Goes on with a connection.
  virtual void TakeOver(Handover handover) = 0;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_TRANSFER_TRANSFER_TAKER_H_
