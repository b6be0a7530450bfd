// UdpListener answers the queries that arrive on one UDP socket.
//
// Threads:   one worker's.
// Ownership: owns its socket; borrows the worker's batch and context.
// Errors:    what cannot be received or sent is counted; the socket stays
//            open.
// Limits:    kUdpBatchesPerTurn batches before the loop goes on to others.
#ifndef DNSD_DNSD_SERVE_UDP_LISTENER_H_
#define DNSD_DNSD_SERVE_UDP_LISTENER_H_

#include <cstddef>

#include "catalog/base/event_loop.h"
#include "dnsd/serve/listen_socket.h"
#include "dnsd/serve/rate_limiter.h"
#include "dnsd/serve/serve_context.h"
#include "dnsd/serve/udp_batch.h"
#include "dnsd/serve/udp_gro.h"

namespace dnsd {

class UdpListener {
 public:
  // Serves as soon as the loop runs.
  UdpListener(EventLoop* loop, ListenSocket socket, UdpBatch* batch,
              ServeContext* context);

  // Answers what is queued, at most `batches_max` batches of it.
  void Drain(int batches_max);

 private:
  void OnReady(int events);
  void AnswerBatch(size_t count);
  void AnswerMessage(size_t index, const View& view);
  void NoteAsked(size_t index, const View& view);
  void Reply(size_t index, size_t size, Outcome outcome);
  void Sample(size_t index, size_t size);
  void ReplyLimited(size_t index, const View& view, size_t size);
  [[nodiscard]] size_t LimitSlow(size_t index, const View& view, RateClass kind,
                                 size_t size);
  void Send();

  ListenSocket socket_;
  UdpGro gro_;
  UdpBatch* batch_;
  ServeContext* context_;
  TransportNumbers<Counter>* stats_;
  AnswerStats* answers_;
  Poll poll_;  // destroyed before its descriptor
};

}  // namespace dnsd

#endif  // DNSD_DNSD_SERVE_UDP_LISTENER_H_
