// A cached answer costs no allocation, no lock and no look at the clock.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dnsd/forward/forward_cache.h"
#include "dnsd/forward/upstream_answer.h"
#include "tests/dnsd/forward/upstream_packets.h"
#include "tests/testing/call_counters.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

using testing::Arm;
using testing::CallCounts;
using testing::ClientQuery;
using testing::Disarm;
using testing::MustRead;
using testing::QueryOptions;
using testing::ReplyText;
using testing::Sent;

TEST(ForwardNoAlloc, FindingAndWritingAllocatesAndLocksNothing) {
  testing::InstallCallCounters();
  ForwardCache cache({}, 1);
  ReplyText text;
  for (int i = 0; i < 40; ++i) {
    text.answer.push_back("www.example.com. 100 IN A 192.0.2." +
                          std::to_string(i));
  }
  const SentQuery sent = Sent(text.qname, kTypeA);
  cache.Store(sent.question, MustRead(text, sent), 0);
  QueryOptions with_edns;
  with_edns.edns = testing::EdnsOptions();
  Random random(1);
  std::vector<uint8_t> out(kResponseBytesMax);
  for (const QueryOptions& options : {QueryOptions(), with_edns}) {
    for (const char* name : {"wWw.example.com.", "no.example.com."}) {
      const ClientQuery client(name, kTypeA, options);
      for (uint32_t now_s : {1, 95, 200}) {
        Arm();
        const ForwardCache::Hit hit = cache.Find(client.query, now_s);
        size_t size = 0;
        if (hit.answer != nullptr) {
          size = WriteForClient(*hit.answer, client.query, Transport::kUdp,
                                {.age_s = hit.age_s, .is_stale = hit.is_stale},
                                &random, out.data());
        } else {
          size = WriteFailure(client.query, kServFail, {}, out.data());
        }
        const CallCounts after = Disarm();
        EXPECT_GT(size, kHeaderBytes);
        EXPECT_EQ(hit.answer != nullptr, name[0] == 'w');
        EXPECT_EQ(after.allocations + after.frees, 0);
        EXPECT_EQ(after.locks + after.clocks, 0);
      }
    }
  }
}

}  // namespace
}  // namespace dnsd
