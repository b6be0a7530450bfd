// Comparison asks dnsd (compat = "consul") and Consul 1.8.7 the same question
// and finds what differs that should not.
//
// Every question goes to both over TCP, where nothing is trimmed, and over
// UDP. Over TCP, dnsd must say what 1.8.7 says, brought up to the newest
// release (consul_release.h). Over UDP, each must say its TCP answer, trimmed
// by the rules of its release. Consul picks and shuffles; so it is asked
// again until it happens to pick what dnsd picked.
//
// Threads: one owner.
// Errors:  failures() has a text for each; after kFailuresMax of them nothing
//          more is asked.
#ifndef DNSD_TESTS_INTEGRATION_CONSUL_COMPARISON_H_
#define DNSD_TESTS_INTEGRATION_CONSUL_COMPARISON_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/integration/consul_peer.h"
#include "tests/integration/consul_samples.h"
#include "tests/testing/consul_release.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/rr_text.h"

namespace dnsd::testing {

class Comparison {
 public:
  static constexpr size_t kFailuresMax = 25;

  Comparison(const DnsServer& consul, const DnsServer& dnsd,
             const ReleaseConfig& config);
  Comparison(const Comparison&) = delete;
  Comparison& operator=(const Comparison&) = delete;

  void Ask(const DiffQuestion& question);
  // A packet over UDP that need not be a question: both say the same, or
  // nothing.
  void SendRaw(const std::string& what, const std::string& packet);
  // One that Consul takes for a question and dnsd calls malformed.
  void SendBroken(const std::string& what, const std::string& packet);

  [[nodiscard]] const RowCounts& rows() const { return rows_; }
  [[nodiscard]] const std::vector<std::string>& failures() const {
    return failures_;
  }
  [[nodiscard]] int asked() const { return asked_; }

 private:
  struct Replies {
    Reply consul_tcp, consul_udp, dnsd_tcp, dnsd_udp;
  };
  // One of the three comparisons of a question, until it fits.
  struct Verdict {
    std::string error = "not compared";
    Message expected;
  };
  struct Verdicts {
    Verdict tcp, consul_udp, dnsd_udp;
    RowCounts rows;
  };

  void SendToBoth(const std::string& packet, Reply* consul, Reply* dnsd);
  [[nodiscard]] bool AskBoth(const DiffQuestion& question, Replies* replies);
  // Compares what did not fit yet.
  void Compare3(const DiffQuestion& question, const Replies& replies,
                SeenRecords* seen, Verdicts* verdicts);
  void CountTrimRows(const Replies& replies, const Verdicts& verdicts);
  void Fail(const std::string& what, const Message& expected,
            const Message& got);

  NewestConsul newest_;
  Peer& consul_;
  Peer dnsd_;
  ReleaseConfig config_;
  RowCounts rows_;
  std::vector<std::string> failures_;
  int asked_ = 0;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_INTEGRATION_CONSUL_COMPARISON_H_
