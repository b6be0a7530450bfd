// RfcComparison asks dnsd (compat = "rfc") and Consul the same questions and
// finds what differs that should not.
//
// Over TCP, dnsd must say what the newest Consul says but for the rows of
// zones/README.md (consul_rfc.h). Over UDP, dnsd must say the same, as far as
// there is room (consul_rfc_udp.h). Consul picks and shuffles; so it is asked
// again until it happens to pick what dnsd picked.
//
// Threads: one owner.
// Errors:  failures() has a text for each; after kFailuresMax of them nothing
//          more is asked.
#ifndef DNSD_TESTS_INTEGRATION_CONSUL_RFC_COMPARISON_H_
#define DNSD_TESTS_INTEGRATION_CONSUL_RFC_COMPARISON_H_

#include <cstddef>
#include <string>
#include <vector>

#include "tests/integration/consul_peer.h"
#include "tests/integration/consul_samples.h"
#include "tests/testing/consul_rfc.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/rr_text.h"

namespace dnsd::testing {

class RfcComparison {
 public:
  static constexpr size_t kFailuresMax = 25;

  RfcComparison(const DnsServer& consul, const DnsServer& dnsd,
                const RfcConfig& config, const RfcCatalog& catalog);
  RfcComparison(const RfcComparison&) = delete;
  RfcComparison& operator=(const RfcComparison&) = delete;

  void Ask(const DiffQuestion& question);

  // A packet over UDP that need not be a question.
  enum class Raw : uint8_t {
    kSame,       // both say the same, or nothing
    kMalformed,  // Consul takes it for a question, dnsd calls it malformed
    kBytesLeft,  // the same, by the row of that name
  };
  void SendRaw(const std::string& what, const std::string& packet, Raw raw);

  [[nodiscard]] const RfcCounts& rows() const { return rows_; }
  [[nodiscard]] const std::vector<std::string>& failures() const {
    return failures_;
  }
  [[nodiscard]] int asked() const { return asked_; }

 private:
  struct Replies {
    Reply consul, dnsd_tcp, dnsd_udp;
  };
  struct Verdict {
    std::string error = "not compared";
    Message expected;
  };
  struct Verdicts {
    Verdict tcp, udp;
    Message newest;
    RfcCounts rows;
  };

  [[nodiscard]] bool AskBoth(const DiffQuestion& question, Replies* replies);
  // Compares what did not fit yet.
  void Compare2(const DiffQuestion& question, const Replies& replies,
                SeenRecords* seen, Verdicts* verdicts);
  void CountRows(const DiffQuestion& question, const Replies& replies,
                 const Verdicts& verdicts);
  void CountUdpRows(const DiffQuestion& question, const Message& newest,
                    const Message& full, const Message& udp);
  void Fail(const std::string& what, const Message& consul,
            const Message& expected, const Message& got);

  NewestConsul newest_;
  Peer dnsd_;
  RfcConfig config_;
  RfcOracle oracle_;
  RfcCounts rows_;
  std::vector<std::string> failures_;
  int asked_ = 0;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_INTEGRATION_CONSUL_RFC_COMPARISON_H_
