// dnsd with compat = "consul" against the real Consul 1.8.7, both started from
// the same configuration directory, asked the same questions.
//
// Every question goes to both over TCP, where nothing is trimmed, and over
// UDP. Over TCP, dnsd must say what 1.8.7 says, with the differences between
// 1.8.7 and the newest Consul applied (consul_release.h; every row of them
// must occur). Over UDP, the answer of each must be its TCP answer trimmed by
// the rules of its release. Consul picks and shuffles; so it is asked again
// until it happens to pick what dnsd picked.
//
// Skipped without a Consul binary: DNSD_CONSUL names one, and otherwise it is
// build/consul/usr/bin/consul.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/consul_release.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/rr_text.h"
#include "tests/testing/temp_dir.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

constexpr char kData[] = "tests/testdata/consul_diff/";
// How often Consul may pick something else than dnsd before that means
// something. The rarest pick is one of a shuffle of two.
constexpr int kPicksMax = 40;
constexpr size_t kFailuresMax = 25;

struct Reply {
  std::string error;
  Message message;
};

// One server with a socket for each transport.
class Peer {
 public:
  explicit Peer(const DnsServer& server)
      : server_(server), udp_(DnsSocket::Udp(server)) {}

  void SendUdp(const std::string& packet) {
    sent_ = udp_.Send(
        {reinterpret_cast<const uint8_t*>(packet.data()), packet.size()});
  }
  Reply ReceiveUdp() { return Read(sent_ ? udp_.Receive() : Unsent()); }

  // Servers close a connection after a while or some number of questions.
  void SendTcp(const std::string& packet) {
    packet_ = packet;
    if (!tcp_) tcp_.emplace(DnsSocket::Tcp(server_));
    if (!SendFrame()) tcp_.reset();
  }
  Reply ReceiveTcp() {
    DnsReply reply = tcp_ ? tcp_->Receive() : Unsent();
    if (!reply.error.empty()) {
      tcp_.reset();
      tcp_.emplace(DnsSocket::Tcp(server_));
      reply = SendFrame() ? tcp_->Receive() : Unsent();
    }
    if (!reply.error.empty()) tcp_.reset();
    return Read(reply);
  }
  Reply AskTcp(const std::string& packet) {
    SendTcp(packet);
    return ReceiveTcp();
  }

 private:
  static DnsReply Unsent() {
    DnsReply reply;
    reply.error = "not sent";
    return reply;
  }
  static Reply Read(const DnsReply& raw) {
    Reply reply;
    reply.error = raw.error;
    if (reply.error.empty()) {
      reply.error = ParseMessage(raw.wire, &reply.message);
    }
    return reply;
  }
  bool SendFrame() const {
    return tcp_->SendFrame(
        {reinterpret_cast<const uint8_t*>(packet_.data()), packet_.size()});
  }

  DnsServer server_;
  DnsSocket udp_;
  std::optional<DnsSocket> tcp_;
  std::string packet_;
  bool sent_ = false;
};

struct Question {
  std::string name;
  uint16_t type = kTypeA;
  QueryOptions options;
  bool sampled = false;  // even the TCP answer is a random choice of records

  [[nodiscard]] std::string Text() const {
    return absl::StrCat(
        name, " ", TypeText(type), " rd=", options.rd, " cd=", options.cd,
        " opcode=", options.opcode, " class=", options.qclass,
        options.edns ? absl::StrCat(" edns=", options.edns->udp_size, " v",
                                    options.edns->version)
                     : "");
  }
};

// A pair of servers, and the comparison of their answers.
class Comparison {
 public:
  Comparison(const DnsServer& consul, const DnsServer& dnsd,
             const ReleaseConfig& config)
      : consul_(consul), dnsd_(dnsd), config_(config) {
    const Reply reply =
        consul_.AskTcp(BuildQuery(config.domain, kTypeSoa, QueryOptions()));
    EXPECT_EQ(reply.error, "");
    EXPECT_FALSE(reply.message.answer.empty());
    if (!reply.message.answer.empty()) soa_ = reply.message.answer[0];
  }

  void Ask(const Question& question);

  [[nodiscard]] const RowCounts& rows() const { return rows_; }
  [[nodiscard]] const std::vector<std::string>& failures() const {
    return failures_;
  }
  [[nodiscard]] int asked() const { return asked_; }

 private:
  struct Replies {
    Reply consul_tcp, consul_udp, dnsd_tcp, dnsd_udp;
  };

  [[nodiscard]] std::string Packet(const Question& question) const {
    return BuildQuery(question.name, question.type, question.options);
  }
  // What the newest Consul would say, going by what this one says.
  [[nodiscard]] Message Newest(const Question& question, const Message& tcp,
                               RowCounts* counts);
  void Fail(const Question& question, const std::string& what,
            const Message& expected, const Message& got);

  Peer consul_;
  Peer dnsd_;
  ReleaseConfig config_;
  Rr soa_;
  RowCounts rows_;
  std::vector<std::string> failures_;
  int asked_ = 0;
};

void Comparison::Fail(const Question& question, const std::string& what,
                      const Message& expected, const Message& got) {
  failures_.push_back(absl::StrCat(question.Text(), ": ", what,
                                   "\n-- expected --\n", MessageText(expected),
                                   "-- got --\n", MessageText(got)));
}

// For answers that are a random part of what there is: as many records, and
// each one that the other server has given as well.
Message LikeSample(const Message& sample, const Message& got,
                   const std::set<std::string>& all) {
  Message like = sample;
  for (auto [mine, theirs] : {std::pair{&like.answer, &got.answer},
                              std::pair{&like.additional, &got.additional}}) {
    const bool fits =
        mine->size() == theirs->size() &&
        std::all_of(theirs->begin(), theirs->end(),
                    [&](const Rr& rr) { return all.contains(RrText(rr)); });
    if (fits) *mine = *theirs;
  }
  return like;
}

std::string CompareUdp(const ReleaseConfig& config, Release release,
                       const Message& full, const Message& got,
                       Message* expected) {
  std::string difference;
  for (const bool large_first : {true, false}) {
    const std::optional<Message> trimmed =
        TrimForUdp(config, release, full, got, large_first);
    if (!trimmed) {
      *expected = full;
      return "answers that TCP does not give";
    }
    *expected = *trimmed;
    difference = Compare(*expected, got);
    if (difference.empty()) break;
  }
  return difference;
}

// `full` with the records of `udp` in place of as many of its own. ADDITIONAL
// of one answer is not trimmed, so it is as long as it was.
Message Resample(const Message& full, const Message& udp,
                 const std::set<std::string>& all) {
  Message result = full;
  const Message like = LikeSample(full, udp, all);
  if (full.answer.size() == 1) result.additional = like.additional;
  if (udp.answer.size() > full.answer.size()) return result;
  for (const Rr& rr : udp.answer) {
    if (!all.contains(RrText(rr))) return result;
  }
  result.answer = udp.answer;
  for (const Rr& rr : full.answer) {
    if (result.answer.size() == full.answer.size()) break;
    if (std::find(udp.answer.begin(), udp.answer.end(), rr) ==
        udp.answer.end()) {
      result.answer.push_back(rr);
    }
  }
  return result;
}

void CountTrimRows(const Message& old_way, const Message& new_way,
                   RowCounts* rows) {
  if (old_way.answer.size() != new_way.answer.size()) {
    ++(*rows)[ReleaseRow::kUdpHeader];
  }
  if (old_way.opt && !new_way.opt) ++(*rows)[ReleaseRow::kOptLost];
}

Message Comparison::Newest(const Question& question, const Message& tcp,
                           RowCounts* counts) {
  const AskAny ask_any = [this](const std::string& qname) {
    QueryOptions options;
    options.edns.emplace();
    const Reply any = consul_.AskTcp(BuildQuery(qname, kTypeAny, options));
    return any.error.empty() ? any.message.answer : std::vector<Rr>();
  };
  const std::optional<std::string> name =
      NameIn187(config_, question.name, question.type);
  if (!name) {
    return Modernize(config_, question.name, soa_, tcp, ask_any, counts);
  }
  Question older = question;
  older.name = *name;
  const Reply reply = consul_.AskTcp(Packet(older));
  if (!reply.error.empty()) {
    Fail(older, "Consul over TCP: " + reply.error, tcp, tcp);
    return tcp;
  }
  return Modernize(config_, question.name, soa_, reply.message, ask_any,
                   counts);
}

void Comparison::Ask(const Question& question) {
  if (failures_.size() >= kFailuresMax) return;
  ++asked_;
  const std::string packet = Packet(question);
  consul_.SendTcp(packet);
  dnsd_.SendTcp(packet);
  consul_.SendUdp(packet);
  dnsd_.SendUdp(packet);
  Replies replies = {consul_.ReceiveTcp(), consul_.ReceiveUdp(),
                     dnsd_.ReceiveTcp(), dnsd_.ReceiveUdp()};
  for (const auto& [reply, who] :
       {std::pair{&replies.consul_tcp, "Consul over TCP: "},
        std::pair{&replies.consul_udp, "Consul over UDP: "},
        std::pair{&replies.dnsd_tcp, "dnsd over TCP: "},
        std::pair{&replies.dnsd_udp, "dnsd over UDP: "}}) {
    if (reply->error.empty()) continue;
    return Fail(question, who + reply->error, replies.consul_tcp.message,
                replies.dnsd_tcp.message);
  }
  const Message& dnsd_tcp = replies.dnsd_tcp.message;
  const Message& dnsd_udp = replies.dnsd_udp.message;
  const Message& consul_udp = replies.consul_udp.message;
  std::string tcp_error = "?", udp_error = "?", consul_error = "?";
  Message tcp_expected, udp_expected, consul_expected;
  std::set<std::string> seen;
  RowCounts rows;
  for (int i = 0; i < kPicksMax; ++i) {
    if (i > 0) replies.consul_tcp = consul_.AskTcp(packet);
    if (!replies.consul_tcp.error.empty()) break;
    const Message& consul_tcp = replies.consul_tcp.message;
    RowCounts counts;
    const Message newest = Newest(question, consul_tcp, &counts);
    Message consul_full = consul_tcp;
    Message newest_full = newest;
    if (question.sampled) {
      for (const Message* message : {&consul_tcp, &newest}) {
        for (const Rr& rr : message->answer) seen.insert(RrText(rr));
        for (const Rr& rr : message->additional) seen.insert(RrText(rr));
      }
      consul_full = Resample(consul_tcp, consul_udp, seen);
      newest_full = Resample(newest, dnsd_udp, seen);
    }
    if (!tcp_error.empty()) {
      tcp_expected =
          question.sampled ? LikeSample(newest, dnsd_tcp, seen) : newest;
      tcp_error = Compare(tcp_expected, dnsd_tcp);
      if (tcp_error.empty()) rows = counts;
    }
    if (!consul_error.empty()) {
      consul_error = CompareUdp(config_, Release::k187, consul_full, consul_udp,
                                &consul_expected);
    }
    if (!udp_error.empty()) {
      udp_error = CompareUdp(config_, Release::kNewest, newest_full, dnsd_udp,
                             &udp_expected);
    }
    if (tcp_error.empty() && udp_error.empty() && consul_error.empty()) break;
  }
  if (!tcp_error.empty()) {
    return Fail(question, "over TCP: " + tcp_error, tcp_expected, dnsd_tcp);
  }
  if (!consul_error.empty()) {
    return Fail(question, "Consul itself over UDP: " + consul_error,
                consul_expected, consul_udp);
  }
  if (!udp_error.empty()) {
    return Fail(question, "over UDP: " + udp_error, udp_expected, dnsd_udp);
  }
  for (const auto& [row, count] : rows) rows_[row] += count;
  CountTrimRows(consul_udp, dnsd_udp, &rows_);
}

// One pair of servers with its part of dns_config.
struct Pair {
  std::string dns_config;  // both read it
  ReleaseConfig config;
};

// Services of many instances, all alike, so that trimming does not depend on
// which of them come first.
std::string ManyInstances() {
  std::string text = "services = [\n";
  const auto add = [&](const char* name, int i, const std::string& address) {
    absl::StrAppend(&text, "{ name = \"", name, "\" id = \"", name, "-", i,
                    "\" port = ", 2000 + i, " address = \"", address,
                    "\" tags = [\"", i % 2 == 0 ? "even" : "odd", "\"] },\n");
  };
  for (int i = 0; i < 60; ++i) {
    if (i < 12) add("twelve", i, absl::StrCat("10.12.0.", 10 + i));
    add("sixty", i, absl::StrCat("10.60.0.", 10 + i));
    add("sixtyv6", i, absl::StrCat("2001:db8:60::", 10 + i));
    add("crowd", i, "");
  }
  return text + "{ name = \"tomany\" address = \"sixty.service.consul\" }]\n";
}

std::vector<std::string> ReadNames() {
  std::vector<std::string> names;
  std::ifstream file(std::string(kData) + "names.txt");
  std::string line;
  while (std::getline(file, line)) {
    if (!line.empty() && line[0] != '#') names.push_back(line);
  }
  return names;
}

std::string MixedCase(const std::string& name) {
  std::string mixed = name;
  for (size_t i = 0; i < mixed.size(); i += 2) {
    mixed[i] = static_cast<char>(std::toupper(mixed[i]));
  }
  return mixed;
}

// Names behind which there are more records than a chain may have.
bool IsSampled(const std::string& name) {
  return name.starts_with("tomany.") || name.starts_with("alias3.") ||
         name.starts_with("alias4.");
}

class ConsulDiffTest : public ::testing::Test {
 protected:
  void SetUp() override {
    binary_ = ConsulBinary();
    if (!binary_) GTEST_SKIP() << "no Consul binary: set DNSD_CONSUL";
  }

  // Starts both servers; on failure there is no comparison.
  void Start(const Pair& pair) {
    dir_.Write("both/many.hcl", ManyInstances());
    dir_.Write("both/pair.hcl", pair.dns_config);
    const std::vector<std::string> both = {"-config-dir",
                                           std::string(kData) + "catalog",
                                           "-config-dir", dir_.Path("both")};
    consul_.emplace(*binary_, both);
    const std::string own = dir_.Write(
        "dnsd.hcl", absl::StrCat("dns_config { compat = \"consul\" }\n",
                                 "services { name = \"consul\" port = ",
                                 consul_->server_port(), " }\n"));
    std::vector<std::string> args = both;
    args.insert(args.end(), {"-config-file", own});
    dnsd_.emplace(args);
    ASSERT_TRUE(consul_->WaitUntilSynced("node-check"))
        << consul_->process().output();
    ASSERT_TRUE(dnsd_->WaitUntilServing()) << dnsd_->process().output();
    comparison_.emplace(consul_->dns(), dnsd_->dns(), pair.config);
  }

  void Report() {
    std::string rows;
    for (const auto& [row, count] : comparison_->rows()) {
      absl::StrAppend(&rows, "  ", RowName(row), ": ", count, "\n");
    }
    std::printf("%d questions; differences between the releases:\n%s",
                comparison_->asked(), rows.c_str());
    for (const std::string& failure : comparison_->failures()) {
      ADD_FAILURE() << failure;
    }
  }

  std::optional<std::string> binary_;
  TempDir dir_;
  std::optional<ConsulProcess> consul_;
  std::optional<AgentProcess> dnsd_;
  std::optional<Comparison> comparison_;
};

const char* const kTypes[] = {"A",  "AAAA",  "SRV",  "TXT", "ANY",
                              "MX", "CNAME", "SOA",  "NS",  "PTR",
                              "DS", "HTTPS", "AXFR", "IXFR"};

TEST_F(ConsulDiffTest, EveryNameAndType) {
  ASSERT_NO_FATAL_FAILURE(Start({"", {}}));
  for (const std::string& name : ReadNames()) {
    for (const char* type : kTypes) {
      for (const bool mixed : {false, true}) {
        for (const int edns : {0, 512, 1232, 4096}) {
          Question question;
          question.name = mixed ? MixedCase(name) : name;
          question.type = TypeFromText(type);
          question.sampled = IsSampled(name);
          if (edns != 0) {
            question.options.edns.emplace();
            question.options.edns->udp_size = static_cast<uint16_t>(edns);
          }
          comparison_->Ask(question);
        }
      }
    }
  }
  Report();
}

}  // namespace
}  // namespace dnsd::testing
