// TransferStats counts what the transfer thread did.
//
// Threads: written by that thread only, read by any.
#ifndef DNSD_DNSD_TRANSFER_TRANSFER_STATS_H_
#define DNSD_DNSD_TRANSFER_TRANSFER_STATS_H_

#include "dnsd/counter.h"

namespace dnsd {

struct TransferStats {
  Counter started;
  Counter completed;
  Counter broken;  // the client was gone before the end, or took nothing
  Counter messages;
  Counter bytes;
  Counter notifies_sent;  // packets, repeated ones too
  Counter notifies_acknowledged;
  Counter notifies_failed;  // given up, or refused
};

}  // namespace dnsd

#endif  // DNSD_DNSD_TRANSFER_TRANSFER_STATS_H_
