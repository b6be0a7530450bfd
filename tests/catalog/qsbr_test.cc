#include "catalog/qsbr.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "catalog/published.h"

namespace dnsd {
namespace {

// Counts its own ends.
class Probe {
 public:
  explicit Probe(int* freed) : freed_(freed) {}
  ~Probe() { ++*freed_; }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

 private:
  int* freed_;
};

void Retire(Qsbr* qsbr, int* freed) {
  qsbr->Retire<Probe>(std::make_unique<Probe>(freed).release());
}

TEST(Qsbr, FreesAtOnceWithoutReaders) {
  Qsbr qsbr;
  int freed = 0;
  Retire(&qsbr, &freed);
  EXPECT_EQ(freed, 0) << "not before the publication is complete";
  EXPECT_EQ(qsbr.Reclaim(), 0u);
  EXPECT_EQ(freed, 1);
}

TEST(Qsbr, AnOfflineReaderHoldsNothingBack) {
  Qsbr qsbr;
  int freed = 0;
  Qsbr::Reader reader = qsbr.Register();
  Retire(&qsbr, &freed);
  EXPECT_EQ(qsbr.Reclaim(), 0u);
  EXPECT_EQ(freed, 1);
  reader.Online();
  reader.Offline();
  Retire(&qsbr, &freed);
  EXPECT_EQ(qsbr.Reclaim(), 0u);
  EXPECT_EQ(freed, 2);
}

TEST(Qsbr, TellsOfGracePeriodsAndOfTheOldestThatGoesOn) {
  Qsbr qsbr;
  int freed = 0;
  Qsbr::Reader reader = qsbr.Register();
  EXPECT_EQ(qsbr.oldest_wait_ns(), 0u);
  reader.Online();
  Retire(&qsbr, &freed);
  EXPECT_EQ(qsbr.Reclaim(), 1u);
  EXPECT_EQ(qsbr.grace().count, 0u);
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  const uint64_t waited_ns = qsbr.oldest_wait_ns();
  EXPECT_GE(waited_ns, 2'000'000u);
  Retire(&qsbr, &freed);
  EXPECT_EQ(qsbr.Reclaim(), 2u);
  EXPECT_GE(qsbr.oldest_wait_ns(), waited_ns) << "that of the first goes on";
  reader.Offline();
  EXPECT_EQ(qsbr.Reclaim(), 0u);
  EXPECT_EQ(qsbr.grace().count, 2u);
  EXPECT_GE(qsbr.grace().sum_ns, waited_ns);
  EXPECT_EQ(qsbr.oldest_wait_ns(), 0u);
}

TEST(Qsbr, AnOnlineReaderHoldsBackWhatIsRetiredAfterwards) {
  Qsbr qsbr;
  int freed = 0;
  Qsbr::Reader reader = qsbr.Register();
  reader.Online();
  Retire(&qsbr, &freed);
  Retire(&qsbr, &freed);
  EXPECT_EQ(qsbr.Reclaim(), 2u);
  EXPECT_EQ(qsbr.Reclaim(), 2u);
  EXPECT_EQ(qsbr.waiting(), 2u);
  EXPECT_EQ(freed, 0);
  reader.Offline();
  EXPECT_EQ(qsbr.Reclaim(), 0u);
  EXPECT_EQ(freed, 2);
}

TEST(Qsbr, StayingOnlineIsNoNewQuiescence) {
  Qsbr qsbr;
  int freed = 0;
  Qsbr::Reader reader = qsbr.Register();
  reader.Online();
  Retire(&qsbr, &freed);
  EXPECT_EQ(qsbr.Reclaim(), 1u);
  reader.Online();  // still holds what it read before
  EXPECT_EQ(qsbr.Reclaim(), 1u);
  EXPECT_EQ(freed, 0);
  reader.Offline();
}

TEST(Qsbr, AReaderHoldsBackOnlyWhatItCanHaveSeen) {
  Qsbr qsbr;
  int old_freed = 0;
  int new_freed = 0;
  Qsbr::Reader slow = qsbr.Register();
  Qsbr::Reader late = qsbr.Register();
  slow.Online();
  Retire(&qsbr, &old_freed);
  EXPECT_EQ(qsbr.Reclaim(), 1u);
  late.Online();
  Retire(&qsbr, &new_freed);
  EXPECT_EQ(qsbr.Reclaim(), 2u);
  slow.Offline();
  // `late` came after the first retirement and before the second.
  EXPECT_EQ(qsbr.Reclaim(), 1u);
  EXPECT_EQ(old_freed, 1);
  EXPECT_EQ(new_freed, 0);
  late.Offline();
  EXPECT_EQ(qsbr.Reclaim(), 0u);
  EXPECT_EQ(new_freed, 1);
}

TEST(Qsbr, TheDestructorFreesWhatWaits) {
  int freed = 0;
  {
    Qsbr qsbr;
    Qsbr::Reader reader = qsbr.Register();
    reader.Online();
    Retire(&qsbr, &freed);
    qsbr.Reclaim();
    Retire(&qsbr, &freed);  // and what was never reclaimed
    reader.Offline();
    EXPECT_EQ(freed, 0);
  }
  EXPECT_EQ(freed, 2);
}

TEST(Qsbr, FreesInItsOwnWayWhenAsked) {
  Qsbr qsbr;
  int freed = 0;
  qsbr.RetireWith(&freed, [](const void* object) {
    // The test owns the int; only the library promises not to write.
    ++*static_cast<int*>(const_cast<void*>(object));
  });
  qsbr.Reclaim();
  EXPECT_EQ(freed, 1);
}

TEST(Qsbr, HasRoomForAllWorkers) {
  Qsbr qsbr;
  std::vector<Qsbr::Reader> readers;
  for (size_t i = 0; i < Qsbr::kReadersMax; ++i) {
    readers.push_back(qsbr.Register());
    readers.back().Online();
  }
  int freed = 0;
  Retire(&qsbr, &freed);
  for (Qsbr::Reader& reader : readers) {
    EXPECT_EQ(qsbr.Reclaim(), 1u) << "every one of them counts";
    reader.Offline();
  }
  EXPECT_EQ(qsbr.Reclaim(), 0u);
}

TEST(QsbrDeathTest, OneReaderTooManyStopsTheProcess) {
  Qsbr qsbr;
  for (size_t i = 0; i < Qsbr::kReadersMax; ++i) (void)qsbr.Register();
  EXPECT_DEATH((void)qsbr.Register(), "check failed");
}

TEST(QsbrDeathTest, DyingUnderAReaderStopsTheProcess) {
  EXPECT_DEATH(
      {
        Qsbr qsbr;
        Qsbr::Reader reader = qsbr.Register();
        reader.Online();
        int freed = 0;
        Retire(&qsbr, &freed);
      },
      "check failed");
}

TEST(Published, ReadsNullptrBeforeTheFirstExchange) {
  Qsbr qsbr;
  Published<int> published(&qsbr);
  Qsbr::Reader reader = qsbr.Register();
  EXPECT_EQ(published.Read(reader), nullptr);
  EXPECT_EQ(published.current(), nullptr);
  reader.Offline();
}

TEST(Published, ReadsTheNewestAndKeepsTheOldForItsReader) {
  Qsbr qsbr;
  Published<int> published(&qsbr);
  Qsbr::Reader reader = qsbr.Register();
  published.Exchange(std::make_unique<const int>(1));
  EXPECT_EQ(qsbr.Reclaim(), 0u) << "there was none before it";
  const int* first = published.Read(reader);
  published.Exchange(std::make_unique<const int>(2));
  EXPECT_EQ(qsbr.Reclaim(), 1u);
  EXPECT_EQ(*first, 1);
  EXPECT_EQ(*published.Read(reader), 2) << "even without going offline";
  EXPECT_EQ(*published.current(), 2);
  reader.Offline();
  EXPECT_EQ(qsbr.Reclaim(), 0u);
}

TEST(Published, IsSeenByAnotherThread) {
  Qsbr qsbr;
  Published<int> published(&qsbr);
  Qsbr::Reader reader = qsbr.Register();
  published.Exchange(std::make_unique<const int>(7));
  int seen = 0;
  std::thread thread([&] {
    seen = *published.Read(reader);
    reader.Offline();
  });
  thread.join();
  EXPECT_EQ(seen, 7);
}

}  // namespace
}  // namespace dnsd
