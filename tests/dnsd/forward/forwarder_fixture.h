// ForwarderTest has a Forwarder on a loop of the test's thread, and keeps what
// it delivers.
//
// Threads: the test's own.
#ifndef DNSD_TESTS_DNSD_FORWARD_FORWARDER_FIXTURE_H_
#define DNSD_TESTS_DNSD_FORWARD_FORWARDER_FIXTURE_H_

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "catalog/base/event_loop.h"
#include "dnsd/forward/forwarder.h"
#include "zones/name.h"

namespace dnsd::testing {

inline constexpr uint64_t kPatienceMs = 10'000;

class ForwarderTest : public ::testing::Test {
 protected:
  // Upstreams that are there for certain answer within this.
  void Make(const std::vector<UpstreamAddress>& upstreams) {
    rule_.upstreams = upstreams;
    options_.rules = {rule_};
    Make();
  }
  // By the options' rules.
  void Make() {
    forwarder_ = std::make_unique<Forwarder>(
        &loop_, options_, &stats_,
        [this](const WayBack&, uint8_t* frame, size_t size) {
          delivered_.emplace_back(reinterpret_cast<char*>(frame) + 2, size);
          if (delivered_.size() >= wanted_) loop_.Stop();
        },
        [this](const std::string& zone, const SocketAddress&) {
          loops_.push_back(zone);
        });
  }

  static std::string Wire(const std::string& name) {
    std::string wire;
    EXPECT_TRUE(NameToWire(name, &wire));
    return wire;
  }
  // For A of what is before ".test".
  static std::string Query(uint16_t id, const std::string& label,
                           bool rd = true) {
    std::string query = {static_cast<char>(id >> 8),
                         static_cast<char>(id & 0xff),
                         rd ? '\1' : '\0',
                         0,
                         0,
                         1,
                         0,
                         0,
                         0,
                         0,
                         0,
                         0};
    query += Wire(label + ".test");
    query += {0, 1, 0, 1};
    return query;
  }

  ForwardResult Ask(const std::string& query,
                    Transport transport = Transport::kUdp,
                    const char* client = "127.0.0.1",
                    TcpConnection* connection = nullptr) {
    ReturnPath path;
    path.connection = connection;
    path.fd = 1;
    path.client.v4.sin_family = AF_INET;
    inet_pton(AF_INET, client, &path.client.v4.sin_addr);
    return forwarder_->Ask(
        {reinterpret_cast<const uint8_t*>(query.data()), query.size()},
        transport, path, policy_, out_.get());
  }

  // Runs until so many answers have been delivered in all.
  bool Await(size_t count) {
    wanted_ = count;
    if (delivered_.size() >= count) return true;
    Timer patience(&loop_, [this] { loop_.Stop(); });
    patience.Start(kPatienceMs);
    loop_.Run();
    return delivered_.size() >= count;
  }

  // The rcode of a question's answer; -1: none came.
  int Rcode(const std::string& label, Transport transport = Transport::kUdp) {
    const ForwardResult result = Ask(Query(next_id_++, label), transport);
    if (!result.is_waiting) return result.size == 0 ? -1 : out_[3] & 15;
    if (!Await(delivered_.size() + 1)) return -1;
    return delivered_.back()[3] & 15;
  }
  // Runs for so long.
  void Pass(uint64_t ms) {
    Timer over(&loop_, [this] { loop_.Stop(); });
    over.Start(ms);
    loop_.Run();
  }
  int AnswerCount() const { return static_cast<uint8_t>(delivered_.back()[7]); }

  EventLoop loop_;
  ForwardOptions options_;
  ForwardRule rule_{std::string(1, '\0'), {}, ForwardStrategy::kSequential};
  ForwardStats stats_;
  ZonePolicy policy_;
  size_t wanted_ = SIZE_MAX;
  uint16_t next_id_ = 1;
  std::vector<std::string> delivered_;
  std::vector<std::string> loops_;  // their zones
  std::unique_ptr<uint8_t[]> out_ =
      std::make_unique<uint8_t[]>(kResponseBytesMax);
  std::unique_ptr<Forwarder> forwarder_;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_DNSD_FORWARD_FORWARDER_FIXTURE_H_
