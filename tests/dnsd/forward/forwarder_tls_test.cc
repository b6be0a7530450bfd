// A Forwarder whose upstreams are asked over TLS: one connection, whose
// certificate is good, whose certificate is not, and upstreams that close,
// stay silent, or speak something else. Never is anything sent in clear text.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "dnsd/http/pem_file.h"
#include "tests/dnsd/forward/forwarder_fixture.h"
#include "tests/dnsd/forward/scripted_tls_upstream.h"
#include "tests/testing/authority.h"

namespace dnsd::testing {
namespace {

constexpr int kServFailed = 2;
constexpr char kName[] = "dns.test";

std::shared_ptr<const TlsTrust> Trust(const Authority& authority) {
  const auto read = ReadCertificates(authority.ca_file());
  EXPECT_TRUE(read.ok()) << read.status();
  return TlsTrust::Create({read->front().get()});
}

class ForwarderTlsTest : public ForwarderTest {
 protected:
  static void SetUpTestSuite() {
    authority_ = std::make_unique<Authority>();
    authority_->Issue("good", "DNS:dns.test");
    authority_->Issue("address", "IP:127.0.0.1");
    authority_->Issue("expired", "DNS:dns.test", -1);
    stranger_ = std::make_unique<Authority>("Another CA");
    stranger_->Issue("good", "DNS:dns.test");
  }
  static void TearDownTestSuite() {
    authority_.reset();
    stranger_.reset();
  }

  void MakeTls(const std::vector<UpstreamAddress>& upstreams) {
    options_.trust = Trust(*authority_);
    options_.on_tls_failure = [this](const UpstreamAddress&,
                                     const std::string& reason) {
      failures_.push_back(reason);
    };
    Make(upstreams);
  }
  void MakeTls(const ScriptedTlsUpstream& upstream) {
    MakeTls({{upstream.address(), kName}});
  }
  // Runs until it is so; false: it never was.
  bool RunUntil(const std::function<bool()>& done) {
    Timer look(&loop_, [&] {
      if (done()) loop_.Stop();
    });
    look.Start(1, 1);
    Timer patience(&loop_, [this] { loop_.Stop(); });
    patience.Start(kPatienceMs);
    loop_.Run();
    return done();
  }
  std::string Failures() const { return absl::StrJoin(failures_, "; "); }

  static std::unique_ptr<Authority> authority_;
  static std::unique_ptr<Authority> stranger_;
  std::vector<std::string> failures_;
};

std::unique_ptr<Authority> ForwarderTlsTest::authority_;
std::unique_ptr<Authority> ForwarderTlsTest::stranger_;

TEST_F(ForwarderTlsTest, ManyQuestionsShareOneConnection) {
  ScriptedTlsUpstream upstream(*authority_, "good");
  MakeTls(upstream);
  constexpr uint16_t kCount = 300;
  for (uint16_t id = 0; id < kCount; ++id) {
    EXPECT_TRUE(Ask(Query(id, absl::StrCat("n", id))).is_waiting);
  }
  ASSERT_TRUE(Await(kCount));
  for (const std::string& answer : delivered_) EXPECT_EQ(answer[3] & 15, 0);
  EXPECT_EQ(upstream.connections(), 1);
  EXPECT_EQ(upstream.questions(), kCount);
  for (const size_t size : upstream.sizes()) EXPECT_EQ(size % 128, 0u);
  EXPECT_EQ(stats_.sent_tls.value(), kCount);
  EXPECT_EQ(stats_.sent_tcp.value(), 0u);
  EXPECT_EQ(stats_.tls_connections.value(), 1u);
  EXPECT_EQ(stats_.tls_handshakes.value(), 1u);
  EXPECT_EQ(stats_.tls_handshake_failures.value(), 0u);
  EXPECT_EQ(upstream.datagrams(), 0);
  // What is cut over UDP is whole here; a failure is one.
  EXPECT_EQ(Rcode("big", Transport::kTcp), 0);
  EXPECT_EQ(AnswerCount(), 100);
  EXPECT_EQ(Rcode("fail"), kServFailed);
  EXPECT_EQ(Rcode("plain"), 0);
  EXPECT_EQ(upstream.connections(), 1);
}

TEST_F(ForwarderTlsTest, AnswersComeInAnyOrder) {
  ScriptedTlsUpstream upstream(*authority_, "good");
  MakeTls(upstream);
  // Those that wait for the connection are sent in any order, too.
  EXPECT_EQ(Rcode("first"), 0);
  delivered_.clear();
  EXPECT_TRUE(Ask(Query(1, "after")).is_waiting);
  EXPECT_TRUE(Ask(Query(2, "www")).is_waiting);
  ASSERT_TRUE(Await(2));
  EXPECT_EQ(delivered_[0][1], 2);
  EXPECT_EQ(delivered_[1][1], 1);
  for (const std::string& answer : delivered_) EXPECT_EQ(answer[3] & 15, 0);
  EXPECT_EQ(stats_.wrong_replies.value(), 0u);
}

TEST_F(ForwarderTlsTest, AnAddressIsACertificatesNameToo) {
  ScriptedTlsUpstream upstream(*authority_, "address");
  MakeTls({{upstream.address(), ""}});
  EXPECT_EQ(Rcode("www"), 0) << Failures();
}

TEST_F(ForwarderTlsTest, WhoseCertificateIsNotGoodIsToldNothing) {
  struct Case {
    const Authority* authority;
    const char* certificate;
    const char* name;
    const char* reason;
  };
  const Case cases[] = {
      {authority_.get(), "good", "other.test", "hostname mismatch"},
      {authority_.get(), "good", "", "IP address mismatch"},
      {authority_.get(), "address", kName, "hostname mismatch"},
      {authority_.get(), "expired", kName, "certificate has expired"},
      {stranger_.get(), "good", kName,
       "unable to get local issuer certificate"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(absl::StrCat(c.certificate, " for ", c.name));
    failures_.clear();
    options_.dot.retry_ms = kPatienceMs;
    const uint64_t before = stats_.tls_handshake_failures.value();
    ScriptedTlsUpstream upstream(*c.authority, c.certificate);
    MakeTls({{upstream.address(), c.name}});
    EXPECT_EQ(Rcode("www"), kServFailed);
    // The next is not worth another handshake.
    EXPECT_EQ(Rcode("next"), kServFailed);
    EXPECT_EQ(Failures(), c.reason);
    EXPECT_EQ(stats_.tls_handshake_failures.value(), before + 1);
    EXPECT_EQ(upstream.questions(), 0);
    EXPECT_EQ(upstream.datagrams(), 0);
    forwarder_.reset();
  }
  EXPECT_EQ(stats_.sent_tcp.value(), 0u);
}

TEST_F(ForwarderTlsTest, WhoSpeaksNoTlsSeesNoQuestion) {
  for (const TlsManner manner : {TlsManner::kNoTls, TlsManner::kNoHandshake}) {
    const bool speaks = manner == TlsManner::kNoTls;
    ScriptedTlsUpstream upstream(*authority_, "good", manner);
    failures_.clear();
    options_.dot.handshake_ms = speaks ? kPatienceMs : 50;
    MakeTls(upstream);
    EXPECT_EQ(Rcode("secretlabel"), kServFailed);
    EXPECT_EQ(Failures(), speaks ? "wrong version number"
                                 : "no end of the handshake in time");
    forwarder_.reset();
    const auto ended = [&] { return upstream.open() == 0; };
    EXPECT_TRUE(RunUntil(ended));
    const std::string read = upstream.clear_text();
    ASSERT_GT(read.size(), 5u);
    EXPECT_EQ(read[0], 22);  // a handshake
    EXPECT_EQ(read.find("secretlabel"), std::string::npos);
    EXPECT_EQ(upstream.datagrams(), 0);
  }
  EXPECT_EQ(stats_.tls_handshake_failures.value(), 2u);
  EXPECT_EQ(stats_.sent_tcp.value(), 0u);
}

TEST_F(ForwarderTlsTest, AConnectionThatWasClosedIsMadeAgainAndResumed) {
  ScriptedTlsUpstream upstream(*authority_, "good", TlsManner::kCloses);
  MakeTls(upstream);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Rcode(absl::StrCat("n", i)), 0) << i;
  EXPECT_EQ(upstream.connections(), 5);
  EXPECT_EQ(stats_.tls_resumed.value(), 4u);
  EXPECT_EQ(stats_.upstream_failures.value(), 0u);
  // Closed just as the question comes: it is asked once more, and then given
  // up. No other way is tried.
  upstream.SetManner(TlsManner::kClosesUnsaid);
  EXPECT_EQ(Rcode("unsaid"), kServFailed);
  EXPECT_GE(upstream.connections(), 6);  // the last one may still be closing
  upstream.SetManner(TlsManner::kAnswers);
  int rcode = kServFailed;
  for (int i = 0; i < 500 && rcode != 0; ++i) {
    rcode = Rcode("again");
    Pass(10);
  }
  EXPECT_EQ(rcode, 0);
  EXPECT_EQ(upstream.datagrams(), 0);
}

TEST_F(ForwarderTlsTest, ASilentConnectionIsReplacedAndProbedOverTls) {
  ScriptedTlsUpstream upstream(*authority_, "good", TlsManner::kSilent);
  rule_.timeout_ms = 100;
  options_.probe_ms_min = 20;
  options_.probe_ms_max = 200;
  MakeTls(upstream);
  EXPECT_EQ(Rcode("a"), kServFailed);
  EXPECT_EQ(Rcode("b"), kServFailed);
  EXPECT_TRUE(forwarder_->upstream(0).is_down());
  EXPECT_TRUE(RunUntil([&] { return upstream.connections() > 1; }));
  upstream.SetManner(TlsManner::kAnswers);
  EXPECT_TRUE(RunUntil([&] { return !forwarder_->upstream(0).is_down(); }));
  EXPECT_EQ(Rcode("c"), 0);
  EXPECT_EQ(stats_.sent.value(), stats_.sent_tls.value());
  EXPECT_EQ(upstream.datagrams(), 0);
}

TEST_F(ForwarderTlsTest, NobodyListening) {
  ScriptedTlsUpstream other(*authority_, "good");
  SocketAddress nobody;
  {
    const ScriptedTlsUpstream upstream(*authority_, "good");
    nobody = upstream.address();
  }
  MakeTls({{nobody, kName}, {other.address(), kName}});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Rcode(absl::StrCat("n", i)), 0);
  EXPECT_TRUE(forwarder_->upstream(0).is_down());
  EXPECT_FALSE(forwarder_->upstream(1).is_down());
  EXPECT_EQ(stats_.tls_handshake_failures.value(), 0u);
}

TEST_F(ForwarderTlsTest, AnIdleConnectionEnds) {
  ScriptedTlsUpstream upstream(*authority_, "good");
  options_.dot.idle_ms = 50;
  MakeTls(upstream);
  EXPECT_EQ(Rcode("www"), 0);
  EXPECT_TRUE(RunUntil([&] { return upstream.open() == 0; }));
  EXPECT_EQ(Rcode("next"), 0);
  EXPECT_EQ(upstream.connections(), 2);
}

TEST_F(ForwarderTlsTest, AReloadEndsWhatNobodyUsesAndWhatIsNotTrusted) {
  ScriptedTlsUpstream one(*authority_, "good");
  ScriptedTlsUpstream two(*authority_, "good");
  MakeTls(one);
  EXPECT_EQ(Rcode("www"), 0);
  // The same authorities, read again: nothing changes.
  ForwardOptions next = options_;
  next.trust = Trust(*authority_);
  forwarder_->Configure(next);
  EXPECT_EQ(Rcode("a"), 0);
  EXPECT_EQ(one.connections(), 1);

  next.rules[0].upstreams = {{two.address(), kName}};
  forwarder_->Configure(next);
  EXPECT_TRUE(RunUntil([&] { return one.open() == 0; }));
  EXPECT_EQ(Rcode("b"), 0);
  EXPECT_EQ(two.questions(), 1);

  next.trust = Trust(*stranger_);
  forwarder_->Configure(next);
  EXPECT_TRUE(RunUntil([&] { return two.open() == 0; }));
  EXPECT_EQ(Rcode("c"), kServFailed);
  EXPECT_EQ(Failures(), "unable to get local issuer certificate");
  EXPECT_EQ(two.questions(), 1);
}

TEST_F(ForwarderTlsTest, AReloadAndAnEndWhileQuestionsAreUnderWay) {
  ScriptedTlsUpstream upstream(*authority_, "good");
  MakeTls(upstream);
  EXPECT_TRUE(Ask(Query(1, "after")).is_waiting);
  EXPECT_TRUE(RunUntil([&] { return upstream.questions() == 1; }));
  // Others are trusted: it is asked again.
  ForwardOptions next = options_;
  const auto both = ReadCertificates(authority_->ca_file());
  const auto more = ReadCertificates(stranger_->ca_file());
  ASSERT_TRUE(both.ok() && more.ok());
  next.trust = TlsTrust::Create({both->front().get(), more->front().get()});
  forwarder_->Configure(next);
  EXPECT_TRUE(Ask(Query(2, "www")).is_waiting);
  ASSERT_TRUE(Await(2));
  for (const std::string& answer : delivered_) EXPECT_EQ(answer[3] & 15, 0);
  EXPECT_EQ(upstream.connections(), 2);
  // Its upstream goes, it does not.
  EXPECT_TRUE(Ask(Query(3, "after3")).is_waiting);
  EXPECT_TRUE(RunUntil([&] { return upstream.questions() == 4; }));
  next.rules[0].upstreams = {{upstream.address(), "other.test"}};
  forwarder_->Configure(next);
  EXPECT_EQ(upstream.open(), 1);
  forwarder_->Close();
  EXPECT_EQ(delivered_.size(), 3u);
  forwarder_.reset();
}

}  // namespace
}  // namespace dnsd::testing
