// The parts of the serving benchmark that can be wrong without being noticed:
// what is right, what is lost, from when a delay counts, and how it is told.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <future>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "bench/serve/questions.h"
#include "bench/serve/serve_compare.h"
#include "bench/serve/serve_plot.h"
#include "bench/serve/serve_report.h"
#include "bench/spread.h"
#include "bench/udp_datagrams.h"
#include "bench/udp_load.h"

namespace dnsd::testing {
namespace {

// --- telling ---

TEST(Spread, IsTheQuartilesOfWhatIsThere) {
  const Spread spread = SpreadOf({5, 1, 4, 2, 3});
  EXPECT_EQ(spread.low, 2);
  EXPECT_EQ(spread.median, 3);
  EXPECT_EQ(spread.high, 4);
  EXPECT_EQ(SpreadOf({}).median, 0);
  EXPECT_EQ(Quantile({1, 2}, 0.5), 1.5);
}

ServeSlice SliceAt(double per_second, double cpu_us) {
  ServeSlice slice;
  slice.right = 100;
  slice.lost = 1;
  slice.per_second = per_second;
  slice.cpu_us = cpu_us;
  return slice;
}

ServeRow RowOf(const std::string& server, std::vector<ServeSlice> slices) {
  ServeRow row;
  row.server = server;
  row.slices = std::move(slices);
  row.user_ticks = 1;
  row.system_ticks = 3;
  return row;
}

std::vector<ServeTable> SomeTables() {
  return {{"udp", "UDP <&>",
           Summed({RowOf("echo", {SliceAt(100, 2), SliceAt(200, 1)}),
                   RowOf("dnsd", {SliceAt(50, 4), SliceAt(100, 2)})})}};
}

// The machine was twice as fast in the second round; the ratio does not see it.
TEST(ServeReport, RatiosAreOfOneRound) {
  const ServeSummary& dnsd = SomeTables()[0].rows[1];
  EXPECT_EQ(dnsd.rate_ratio.low, 0.5);
  EXPECT_EQ(dnsd.rate_ratio.high, 0.5);
  EXPECT_EQ(dnsd.cpu_ratio.median, 2);
  EXPECT_EQ(dnsd.right, 200u);
  EXPECT_EQ(dnsd.lost, 2u);
  EXPECT_EQ(dnsd.user_share, 0.25);
  EXPECT_EQ(dnsd.per_second.median, 75);
}

TEST(ServeReport, JsonCanBeReadAgain) {
  const std::string json = JsonText(SomeTables());
  const absl::StatusOr<std::vector<ServeTable>> read = ReadTables(json);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(JsonText(*read), json);
  EXPECT_EQ((*read)[0].rows[1].cpu_ratio.median, 2);
  // All but its last line end.
  for (size_t size = 0; size + 1 < json.size(); ++size) {
    EXPECT_FALSE(ReadTables(json.substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(ReadTables("{}").ok());
  EXPECT_FALSE(ReadTables(R"({"workloads":[{"workload":"udp"}]})").ok());
}

TEST(ServePlot, HasEveryServerAndItsTextIsEscaped) {
  const std::string plot = PlotText(SomeTables());
  EXPECT_TRUE(absl::StrContains(plot, ">dnsd</text>"));
  EXPECT_TRUE(absl::StrContains(plot, "UDP &lt;&amp;&gt;"));
  EXPECT_TRUE(absl::StrContains(plot, "0.500: 75 a second, 3.00 us"));
}

TEST(ServeCompare, OnlyBeyondTheQuartilesIsADifference) {
  std::vector<ServeTable> before = SomeTables();
  std::vector<ServeTable> after = before;
  before[0].rows[1].rate_ratio = {0.4, 0.5, 0.6};
  after[0].rows[1].rate_ratio = {0.61, 0.7, 0.8};
  before[0].rows[1].cpu_ratio = {1.0, 1.1, 1.2};
  after[0].rows[1].cpu_ratio = {1.1, 1.2, 1.3};
  const std::vector<ServeChange> changes = ChangesOf(before, after);
  ASSERT_EQ(changes.size(), 1u);  // the yardstick is none
  EXPECT_EQ(changes[0].rate, ServeChange::Verdict::kBetter);
  EXPECT_EQ(changes[0].cpu, ServeChange::Verdict::kSame);
  const std::vector<ServeChange> back = ChangesOf(after, before);
  EXPECT_EQ(back[0].rate, ServeChange::Verdict::kWorse);
  EXPECT_TRUE(absl::StrContains(ChangesText(back), "0.714, worse"));
}

// --- asking ---

TEST(Questions, AnAnswerIsRightAsAWhole) {
  Questions questions(QuestionMix::OnlySrv().WithEdns(), {10, 5});
  std::array<uint8_t, kQuestionBytesMax> bytes{};
  const std::span<const uint8_t> question(bytes.data(),
                                          questions.Next(bytes.data()));
  EXPECT_EQ(KindOf(question), QuestionKind::kSrv);
  EXPECT_TRUE(HasOpt(question));
  std::vector<uint8_t> answer(question.begin(), question.end());
  answer[2] |= 0x80;
  answer[7] = 5;
  EXPECT_TRUE(questions.IsRight(question, answer));
  const auto changed = [&](size_t at, uint8_t value) {
    std::vector<uint8_t> other = answer;
    other[at] = value;
    return questions.IsRight(question, other);
  };
  EXPECT_FALSE(changed(2, 0x82));  // TC
  EXPECT_FALSE(changed(2, 0x00));  // no answer at all
  EXPECT_FALSE(changed(3, 3));     // NXDOMAIN
  EXPECT_FALSE(changed(7, 4));     // a record less
  EXPECT_FALSE(changed(13, 'x'));  // another name
  EXPECT_FALSE(questions.IsRight(question, {answer.data(), 12}));
}

TEST(Questions, AreAsManyOfAKindAsTheMixSays) {
  Questions questions(QuestionMix::All(), {1000, 5});
  std::array<size_t, kQuestionKinds> counts{};
  for (size_t i = 0; i < 8192; ++i) {
    std::array<uint8_t, kQuestionBytesMax> bytes{};
    const size_t size = questions.Next(bytes.data());
    ++counts[static_cast<size_t>(KindOf({bytes.data(), size}))];
  }
  EXPECT_NEAR(static_cast<double>(counts[0]), 0.70 * 8192, 300);
  EXPECT_NEAR(static_cast<double>(counts[1]), 0.20 * 8192, 300);
  EXPECT_NEAR(static_cast<double>(counts[2]), 0.05 * 8192, 100);
  EXPECT_NEAR(static_cast<double>(counts[3]), 0.05 * 8192, 100);
}

// A bound UDP socket; it answers nothing by itself.
class PlainSocket {
 public:
  PlainSocket() : fd_(OpenUdp(0)) {
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size),
              0);
    port_ = ntohs(address.sin_port);
  }
  ~PlainSocket() { close(fd_); }
  PlainSocket(const PlainSocket&) = delete;
  PlainSocket& operator=(const PlainSocket&) = delete;

  [[nodiscard]] uint16_t port() const { return port_; }
  // Sends back what comes until nothing has come for some time.
  void Echo() const {
    const timeval patience{0, 300'000};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    std::array<uint8_t, kDatagramBytesMax> bytes;
    sockaddr_in peer{};
    socklen_t size = sizeof(peer);
    ssize_t got = 0;
    while ((got = recvfrom(fd_, bytes.data(), bytes.size(), 0,
                           reinterpret_cast<sockaddr*>(&peer), &size)) > 0) {
      sendto(fd_, bytes.data(), static_cast<size_t>(got), 0,
             reinterpret_cast<const sockaddr*>(&peer), size);
    }
  }

 private:
  int fd_;
  uint16_t port_ = 0;
};

UdpLoadOptions LoadOf(uint16_t port) {
  UdpLoadOptions load;
  load.port = port;
  load.time_max = std::chrono::milliseconds(100);
  load.next_question = [](uint8_t* message) {
    std::fill_n(message, 50, uint8_t{0});
    return size_t{50};
  };
  load.is_right = [](std::span<const uint8_t> /*question*/,
                     std::span<const uint8_t> answer) {
    return answer.size() == 50;
  };
  return load;
}

TEST(UdpLoad, WhatIsNotAnsweredIsLost) {
  const PlainSocket silent;
  UdpLoadOptions load = LoadOf(silent.port());
  load.sockets = 2;
  load.in_flight = 3;
  load.patience = std::chrono::milliseconds(10);
  const LoadResult result = UdpLoad(load).Run();
  EXPECT_EQ(result.right, 0u);
  EXPECT_EQ(result.lost, 6u);
}

TEST(UdpLoad, SegmentsCarryTheSameQuestions) {
  for (const bool segments : {false, true}) {
    const PlainSocket server;
    std::thread echo([&] { server.Echo(); });
    UdpLoadOptions load = LoadOf(server.port());
    load.segments = segments;
    load.questions_max = 1000;
    load.time_max = std::chrono::seconds(10);
    const LoadResult result = UdpLoad(load).Run();
    echo.join();
    EXPECT_EQ(result.right, 1000u) << segments;
    EXPECT_EQ(result.wrong + result.lost, 0u) << segments;
    EXPECT_EQ(result.delays_ns.size(), 1000u);
    EXPECT_EQ(result.right_bytes, 50'000u);
  }
}

// The server begins to answer when all has been asked: a load that waited for
// answers would have asked few questions and seen short delays.
TEST(UdpLoad, OpenLoopCountsDelaysFromTheSchedule) {
  const PlainSocket server;
  UdpLoadOptions load = LoadOf(server.port());
  load.per_second = 1000;
  load.patience = std::chrono::seconds(10);
  std::future<LoadResult> running =
      std::async(std::launch::async, [&load] { return UdpLoad(load).Run(); });
  std::this_thread::sleep_for(load.time_max);
  server.Echo();
  LoadResult result = running.get();
  EXPECT_EQ(result.right, 100u);
  EXPECT_EQ(result.lost, 0u);
  std::sort(result.delays_ns.begin(), result.delays_ns.end());
  ASSERT_FALSE(result.delays_ns.empty());
  EXPECT_GE(result.delays_ns.back(), 90'000'000u);
  EXPECT_GE(SortedQuantile(result.delays_ns, 0.5), 40'000'000);
}

}  // namespace
}  // namespace dnsd::testing
