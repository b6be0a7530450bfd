// TransferService is the thread of zone transfers: secondaries' connections
// that workers hand over, the images they are sent, and NOTIFY.
//
//   workers      --TakeOver()-->     connections
//   sync thread  --OnPublished()-->  NOTIFY
//
// Threads:   Create, Start() and Stop() on the main thread. Answer(),
//            TakeOver(), OnPublished() and the counters: any, while it lives.
// Ownership: owns its thread, loop and sockets; borrows the published view, as
//            a reader of its own. It is offline while it sleeps: a transfer
//            holds an image and no view.
// Errors:    see TransferGate and Notifier.
#ifndef DNSD_DNSD_TRANSFER_TRANSFER_SERVICE_H_
#define DNSD_DNSD_TRANSFER_TRANSFER_SERVICE_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "catalog/published.h"
#include "catalog/qsbr.h"
#include "dnsd/socket_address.h"
#include "dnsd/transfer/transfer_connection.h"
#include "dnsd/transfer/transfer_gate.h"
#include "dnsd/transfer/transfer_options.h"
#include "dnsd/transfer/transfer_stats.h"
#include "dnsd/transfer/transfer_taker.h"
#include "zones/view.h"

namespace dnsd {

class Heartbeat;

class TransferService : public TransferTaker {
 public:
  struct Options {
    TransferOptions transfer;
    TransferLimits limits;
    const Published<View>* view = nullptr;  // published before Start()
    Qsbr::Reader reader;
    uint64_t seed = 0;                   // for the rotation of answers
    std::vector<SocketAddress> sources;  // of NOTIFY, see Notifier
  };

  explicit TransferService(Options options);
  ~TransferService() override;  // Stop() if still running

  void Start();
  void Stop();

  [[nodiscard]] TransferVerdict Answer(std::span<const uint8_t> packet,
                                       Transport transport,
                                       const SocketAddress& client,
                                       const View& view, bool may_grant,
                                       RespondContext* context,
                                       uint8_t* out) override;
  void TakeOver(Handover handover) override;
  // There is a newer view.
  void OnPublished();

  [[nodiscard]] const TransferStats& stats() const;
  [[nodiscard]] const TransferGate& gate() const;
  [[nodiscard]] const Heartbeat& beat() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_TRANSFER_TRANSFER_SERVICE_H_
