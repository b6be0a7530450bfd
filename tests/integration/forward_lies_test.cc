// A recursor that lies, to the real binary: replies to something else, from
// somebody else, with more than was asked for, by the tens of thousands; one
// that cuts, knows no EDNS, is late or says nothing. Nothing of a lie reaches a
// client or the cache, the truth does, and the lie is counted.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/lying_server.h"
#include "tests/testing/process_usage.h"
#include "tests/testing/seeds.h"

namespace dnsd::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kTruth[] = "192.0.2.1";
constexpr char kPoison[] = "203.0.113.66";
constexpr char kWeb[] =
    "service { name = \"web\" address = \"192.0.2.80\" port = 80 }\n";
constexpr int kFormErr = 1;
constexpr int kNotImp = 4;

void SayTruth(const Asked& asked) { asked.Say(AddressReply(asked, kTruth)); }
void SayNothing(const Asked&) {}

class ForwardLiesTest : public ::testing::Test {
 protected:
  // `config` comes on top; without a rule in it all goes to liar_.
  void Start(const std::string& config = "", bool to_liar = true) {
    std::vector<std::string> args = {"-dev", "-workers", "1", "-hcl",
                                     kWeb + config};
    if (to_liar) args.insert(args.end(), {"-recursor", liar_.Address()});
    dnsd_.emplace(args);
    ASSERT_TRUE(dnsd_->WaitUntilServing()) << dnsd_->process().output();
    api_.emplace("http://" + dnsd_->HttpAddress());
  }
  [[nodiscard]] DnsReply Ask(const std::string& name) const {
    return AskUdp(dnsd_->dns(), {name, "A", 1232});
  }
  void ExpectTruth(const std::string& name) const {
    const DnsReply reply = Ask(name);
    EXPECT_THAT(Data(reply.answer, "A"), ElementsAre(kTruth))
        << name << " " << reply.rcode << reply.error;
  }
  // Of "dnsd_forward_NAME_total".
  [[nodiscard]] uint64_t Count(const std::string& name) {
    const std::optional<uint64_t> value =
        api_->Metric(absl::StrCat("dnsd_forward_", name, "_total"));
    EXPECT_TRUE(value.has_value()) << name;
    return value.value_or(0);
  }
  [[nodiscard]] bool IsCached(const std::string& name) {
    return absl::StrContains(api_->Get("/v1/dnsd/cache?name=" + name),
                             "\"Name\"");
  }

  LyingServer liar_{SayTruth};
  std::optional<AgentProcess> dnsd_;
  std::optional<ConsulApi> api_;
};

TEST_F(ForwardLiesTest, RepliesToSomethingElseAreNoReplies) {
  // What is done to a reply that would be taken. The question's name has 15
  // bytes: 4 "lieN", 7 "example", 2 lengths, the root; its type is at 26.
  const std::vector<std::pair<std::string, std::function<void(Bytes*)>>> lies =
      {{"id", [](Bytes* reply) { reply->at(0) ^= 0x55; }},
       {"query", [](Bytes* reply) { reply->at(2) &= 0x7f; }},
       {"opcode", [](Bytes* reply) { reply->at(2) |= 0x20; }},
       {"name", [](Bytes* reply) { reply->at(13) = 'x'; }},
       {"type", [](Bytes* reply) { reply->at(27) = 16; }},
       {"class", [](Bytes* reply) { reply->at(29) = 3; }},
       {"no question", [](Bytes* reply) { reply->at(5) = 0; }},
       {"two questions", [](Bytes* reply) { reply->at(5) = 2; }},
       {"half a header", [](Bytes* reply) { reply->resize(6); }},
       {"nothing", [](Bytes* reply) { reply->clear(); }}};
  ASSERT_NO_FATAL_FAILURE(Start());
  for (size_t i = 0; i < lies.size(); ++i) {
    SCOPED_TRACE(lies[i].first);
    liar_.Tell([spoil = lies[i].second](const Asked& asked) {
      Bytes lie = AddressReply(asked, kPoison);
      spoil(&lie);
      asked.Say(lie);
      SayTruth(asked);
    });
    const std::string name = absl::StrCat("lie", i, ".example.");
    ExpectTruth(name);
    EXPECT_EQ(Count("wrong_replies"), i + 1);
    ExpectTruth(name);  // as it is kept
    EXPECT_EQ(liar_.Count(name), 1);
  }
  EXPECT_EQ(Count("sent_tcp"), 0u);
}

// A reply in letters that were not sent may be a forgery: TCP tells.
TEST_F(ForwardLiesTest, RepliesInOtherLettersAreConfirmedOverTcp) {
  liar_.Tell([](const Asked& asked) {
    if (asked.over_tcp()) return SayTruth(asked);
    Bytes lie = AddressReply(asked, kPoison);
    for (size_t i = 12; i < 12 + asked.name().size(); ++i) {
      if (lie[i] >= 'A' && lie[i] <= 'Z') lie[i] |= 0x20;
    }
    asked.Say(lie);
  });
  ASSERT_NO_FATAL_FAILURE(Start());
  // By chance in lower case once in 2^34.
  const std::string name = "anamewithsomanylettersofall.example.";
  ExpectTruth(name);
  EXPECT_EQ(liar_.TcpCount(name), 1);
  EXPECT_EQ(Count("wrong_case"), 1u);
  ExpectTruth(name);
  EXPECT_EQ(liar_.Count(name), 2);
}

// Whether the kernel refused a message of `ip` (port 0: of any) to whoever
// asked: it tells the sender by ICMP.
bool IsRefusedFrom(const std::string& ip, uint16_t port, const Asked& asked) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in from{};
  from.sin_family = AF_INET;
  from.sin_port = htons(port);
  inet_pton(AF_INET, ip.c_str(), &from.sin_addr);
  const timeval patience{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  const Bytes lie = AddressReply(asked, kPoison);
  uint8_t byte = 0;
  const bool is_refused =
      bind(fd, reinterpret_cast<sockaddr*>(&from), sizeof(from)) == 0 &&
      connect(fd, reinterpret_cast<const sockaddr*>(&asked.client()),
              sizeof(asked.client())) == 0 &&
      send(fd, lie.data(), lie.size(), MSG_NOSIGNAL) >= 0 &&
      recv(fd, &byte, 1, 0) < 0 && errno == ECONNREFUSED;
  close(fd);
  return is_refused;
}

// The kernel's count of datagrams for which there was no socket.
uint64_t NoPorts() {
  // A line of names and one of numbers for each protocol.
  std::ifstream snmp("/proc/net/snmp");
  std::string names;
  std::string numbers;
  while (std::getline(snmp, names) && std::getline(snmp, numbers)) {
    const std::vector<std::string> name = absl::StrSplit(names, ' ');
    const std::vector<std::string> number = absl::StrSplit(numbers, ' ');
    for (size_t i = 0; i < name.size() && i < number.size(); ++i) {
      uint64_t count = 0;
      if (name[0] == "Udp:" && name[i] == "NoPorts" &&
          absl::SimpleAtoi(number[i], &count)) {
        return count;
      }
    }
  }
  ADD_FAILURE() << "no Udp: NoPorts";
  return 0;
}

TEST_F(ForwardLiesTest, RepliesOfOthersDoNotArrive) {
  std::atomic<int> refused{0};
  const uint64_t before = NoPorts();
  liar_.Tell([&](const Asked& asked) {
    if (IsRefusedFrom("127.0.0.1", 0, asked)) ++refused;
    if (IsRefusedFrom("127.0.0.2", liar_.port(), asked)) ++refused;
    SayTruth(asked);
  });
  ASSERT_NO_FATAL_FAILURE(Start("dns_config { recursor_timeout = \"5s\" }"));
  ExpectTruth("www.example.");
  liar_.Tell(SayTruth);
  EXPECT_EQ(refused, 2);
  EXPECT_GE(NoPorts(), before + 2);  // others' are in it as well
  EXPECT_EQ(liar_.Count("www.example."), 1);
  EXPECT_EQ(Count("wrong_replies"), 0u);
}

TEST_F(ForwardLiesTest, RecordsThatWereNotAskedForGoNowhere) {
  const std::string bank = absl::StrCat("bank.example. 3600 A ", kPoison);
  const std::string web = absl::StrCat("web.service.consul. 3600 A ", kPoison);
  liar_.Tell([bank, web](const Asked& asked) {
    if (asked.name() == "www.example.") {
      asked.Say(MakeReply(
          asked, {.answer = {bank, absl::StrCat("www.example. 60 A ", kTruth),
                             "www.example. 60 TXT more", web},
                  .authority = {"example. 3600 NS ns.evil.", bank},
                  .additional = {bank, web,
                                 absl::StrCat("ns.evil. 60 A ", kPoison)}}));
    } else if (asked.name() == "alias.example.") {
      asked.Say(MakeReply(
          asked, {.answer = {"alias.example. 60 CNAME bank.example.", bank}}));
    } else {
      SayTruth(asked);
    }
  });
  ASSERT_NO_FATAL_FAILURE(Start());
  const DnsReply reply = Ask("www.example.");
  EXPECT_THAT(reply.answer, ElementsAre(HasSubstr(kTruth)));
  EXPECT_THAT(reply.authority, IsEmpty());
  EXPECT_THAT(reply.additional, IsEmpty());
  EXPECT_EQ(Count("foreign_records"), 2u);  // of ANSWER, by other names
  // The answer to a question that leads there is no answer to others.
  EXPECT_THAT(Data(Ask("alias.example.").answer, "A"), ElementsAre(kPoison));
  EXPECT_EQ(Count("foreign_records"), 2u);
  for (const char* name : {"bank.example", "web.service.consul", "ns.evil"}) {
    EXPECT_FALSE(IsCached(name)) << name;
  }
  ExpectTruth("bank.example.");
  EXPECT_THAT(Data(Ask("web.service.consul.").answer, "A"),
              ElementsAre("192.0.2.80"));
}

// Somebody who sees which port is open guesses all ids, in turn and at once,
// from the recursor's own address: with the right one in letters that cannot
// all be right, and in a name without letters with all but the right one.
TEST_F(ForwardLiesTest, AStormOfGuessesIsCountedAndOutlived) {
  constexpr int kGuesses = 1 << 16;
  std::vector<uint16_t> ids(kGuesses);
  std::iota(ids.begin(), ids.end(), uint16_t{0});
  std::shuffle(ids.begin(), ids.end(), std::mt19937_64(TestSeed()));
  std::vector<std::thread> storms;
  liar_.Tell([&](const Asked& asked) {
    if (asked.over_tcp()) return SayTruth(asked);
    storms.emplace_back([&ids, asked] {
      Bytes lie = AddressReply(asked, kPoison);
      const bool has_letters = absl::EndsWith(asked.name(), "example.");
      for (size_t i = 12; i < 12 + asked.name().size(); ++i) {
        if (lie[i] >= 'A' && lie[i] <= 'Z') lie[i] |= 0x20;
      }
      for (const uint16_t id : ids) {
        if (!has_letters && id == asked.query().id) continue;
        lie[0] = static_cast<uint8_t>(id >> 8);
        lie[1] = static_cast<uint8_t>(id & 0xff);
        asked.Say(lie);
      }
    });
  });
  ASSERT_NO_FATAL_FAILURE(Start("dns_config { recursor_timeout = \"5s\" }"));
  const std::vector<std::string> names = {
      "anamewithsomanylettersofall.example.",
      "anotheronewithsomanyletters.example.", "0815.", "4711.007."};
  for (const std::string& name : names) {
    ExpectTruth(name);
    EXPECT_EQ(liar_.TcpCount(name), 1) << name;
  }
  // Of each more were wrong than one socket puts up with, which was closed
  // then. Once in 3,000 the right id is among them, in wrong letters.
  EXPECT_GE(Count("wrong_replies") + Count("wrong_case"),
            21 * names.size() - 20);
  EXPECT_LE(Count("wrong_replies"), 21 * names.size());
  for (const std::string& name : names) {
    ExpectTruth(name);
    EXPECT_EQ(liar_.Count(name), 2) << name;
  }
  liar_.Tell(SayTruth);
  for (std::thread& storm : storms) storm.join();
}

// The reply to the question before comes when the next is asked, to its port:
// with its own id, and with the next one's.
TEST_F(ForwardLiesTest, LateRepliesAnswerNoOtherQuestion) {
  const auto late = std::make_shared<Bytes>();
  liar_.Tell([late](const Asked& asked) {
    if (asked.name() == "first.example.") {
      // It is asked twice.
      if (!late->empty()) return SayTruth(asked);
      *late = AddressReply(asked, kPoison);
      return;
    }
    asked.Say(*late);
    late->at(0) = asked.query().wire[0];
    late->at(1) = asked.query().wire[1];
    asked.Say(*late);
    SayTruth(asked);
  });
  ASSERT_NO_FATAL_FAILURE(Start());
  ExpectTruth("first.example.");
  EXPECT_EQ(Count("hedged"), 1u);
  ExpectTruth("second.example.");
  EXPECT_EQ(Count("wrong_replies"), 2u);
}

TEST_F(ForwardLiesTest, WhatIsCutIsAskedForOverTcp) {
  liar_.Tell([](const Asked& asked) {
    if (asked.over_tcp()) return SayTruth(asked);
    asked.Say(MakeReply(
        asked, {.answer = {absl::StrCat(asked.name(), " 60 A ", kPoison)},
                .tc = true}));
  });
  ASSERT_NO_FATAL_FAILURE(Start());
  ExpectTruth("www.example.");
  EXPECT_EQ(liar_.TcpCount("www.example."), 1);
  EXPECT_EQ(Count("sent_tcp"), 1u);
}

// Who says so is asked once in vain, and from then on without EDNS. Silence may
// be a lost packet, so it takes three times.
TEST_F(ForwardLiesTest, WhoKnowsNoEdnsIsAskedWithout) {
  const auto unless_edns = [](LyingServer::Script script) {
    return [script = std::move(script)](const Asked& asked) {
      asked.query().opt ? script(asked) : SayTruth(asked);
    };
  };
  const auto fails = [](int rcode) {
    return [rcode](const Asked& asked) {
      asked.Say(MakeReply(asked, {.rcode = rcode}));
    };
  };
  LyingServer formerr(unless_edns(fails(kFormErr)));
  LyingServer notimp(unless_edns(fails(kNotImp)));
  LyingServer header(unless_edns([](const Asked& asked) {
    Bytes reply = MakeReply(asked, {.rcode = kFormErr});
    reply.resize(12);
    reply[5] = 0;
    asked.Say(reply);
  }));
  LyingServer silent(unless_edns(SayNothing));
  std::string config;
  const std::vector<std::pair<std::string, LyingServer*>> servers = {
      {"formerr.example", &formerr},
      {"notimp.example", &notimp},
      {"header.example", &header},
      {"silent.example", &silent}};
  for (const auto& [zone, server] : servers) {
    absl::StrAppend(&config, "forward { zone = \"", zone, "\" to = [\"",
                    server->Address(), "\"] }\n");
  }
  ASSERT_NO_FATAL_FAILURE(Start(config, /*to_liar=*/false));
  for (size_t i = 0; i < servers.size(); ++i) {
    const auto& [zone, server] = servers[i];
    for (int k = 0; k < (server == &silent ? 3 : 1); ++k) {
      EXPECT_EQ(Count("no_edns"), i);
      ExpectTruth(absl::StrCat("n", k, ".", zone, "."));
    }
    EXPECT_EQ(server->Count(absl::StrCat("n0.", zone, ".")), 2) << zone;
    EXPECT_EQ(Count("no_edns"), i + 1) << zone;
    const std::string next = absl::StrCat("next.", zone, ".");
    ExpectTruth(next);
    EXPECT_EQ(server->Count(next), 1) << next;
  }
  EXPECT_EQ(Count("failed"), 0u);
}

TEST_F(ForwardLiesTest, SilenceIsServfailOrWhatWasKnown) {
  liar_.Tell([](const Asked& asked) {
    asked.Say(MakeReply(
        asked, {.answer = {absl::StrCat(asked.name(), " 1 A ", kTruth)}}));
  });
  ASSERT_NO_FATAL_FAILURE(Start("dns_config { recursor_timeout = \"1s\" }"));
  ExpectTruth("known.example.");
  liar_.Tell(SayNothing);
  EXPECT_EQ(Ask("unknown.example.").rcode, "SERVFAIL");
  EXPECT_EQ(Count("failed"), 1u);
  EXPECT_GE(Count("timeouts"), 1u);
  EXPECT_TRUE(WaitUntil([&] {
    const DnsReply reply = Ask("known.example.");
    EXPECT_THAT(Data(reply.answer, "A"), ElementsAre(kTruth));
    return Count("stale") > 0;
  }));
  EXPECT_EQ(Ask("web.service.consul.").rcode, "NOERROR");
}

// Holds answers back until it is opened, which is soon.
class Barrier {
 public:
  void Open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    opened_.notify_all();
  }
  void Wait() {
    std::unique_lock lock(mutex_);
    opened_.wait_for(lock, kPatience, [this] { return is_open_; });
  }

 private:
  std::mutex mutex_;  // guards is_open_
  std::condition_variable opened_;
  bool is_open_ = false;
};

TEST_F(ForwardLiesTest, AnAnswerWhoseClientHasLeftIsKept) {
  constexpr int kClients = 10;
  ASSERT_NO_FATAL_FAILURE(Start("dns_config { recursor_timeout = \"5s\" }"));
  const pid_t pid = dnsd_->process().pid();
  ExpectTruth("www.example.");
  ASSERT_TRUE(IsCached("www.example."));
  const size_t files = OpenFiles(pid);
  for (const bool tcp : {false, true}) {
    const auto name = [&](int i) {
      return absl::StrCat("n", i, tcp ? ".tcp." : ".udp.");
    };
    const auto barrier = std::make_shared<Barrier>();
    liar_.Tell([barrier](const Asked& asked) {
      barrier->Wait();
      SayTruth(asked);
    });
    {
      const uint64_t before = Count("queries");
      std::vector<DnsSocket> clients;
      for (int i = 0; i < kClients; ++i) {
        clients.push_back(tcp ? DnsSocket::Tcp(dnsd_->dns())
                              : DnsSocket::Udp(dnsd_->dns()));
        const Bytes query = MakeQuery({name(i), "A", 1232}, 7);
        const DnsSocket& client = clients.back();
        ASSERT_TRUE(tcp ? client.SendFrame(query) : client.Send(query));
      }
      ASSERT_TRUE(
          WaitUntil([&] { return Count("queries") == before + kClients; }));
    }
    barrier->Open();
    for (int i = 0; i < kClients; ++i) {
      EXPECT_TRUE(WaitUntil([&] { return IsCached(name(i)); })) << name(i);
      ExpectTruth(name(i));
      EXPECT_EQ(liar_.Count(name(i)), 1) << name(i);
    }
    // Give or take one that is about to be closed.
    EXPECT_TRUE(WaitUntil([&] { return OpenFiles(pid) <= files + 1; }))
        << OpenFiles(pid) << " of " << files;
  }
  EXPECT_EQ(Count("failed"), 0u);
  EXPECT_EQ(dnsd_->Stop(), 0);  // what leaked would be told here
}

}  // namespace
}  // namespace dnsd::testing
