#include "dnsd/serve/udp_gro.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "dnsd/socket_address.h"

namespace dnsd {
namespace {

class UdpGroTest : public ::testing::Test {
 protected:
  [[nodiscard]] bool IsOnInKernel() const {
    int on = -1;
    socklen_t size = sizeof(on);
    EXPECT_EQ(getsockopt(socket_.get(), SOL_UDP, UDP_GRO, &on, &size), 0);
    return on == 1;
  }
  void Full(uint32_t batches) {
    for (uint32_t i = 0; i < batches; ++i) {
      gro_.Judge(socket_.get(), 64, 64, true);
    }
  }
  void Joined(uint32_t batches, size_t messages, size_t datagrams) {
    for (uint32_t i = 0; i < batches; ++i) {
      gro_.Judge(socket_.get(), messages, datagrams, false);
    }
  }

  UniqueFd socket_{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  UdpGro gro_;
};

TEST_F(UdpGroTest, IsTriedUnderLoadOnly) {
  for (int i = 0; i < 1000; ++i) gro_.Judge(socket_.get(), 63, 63, false);
  EXPECT_FALSE(gro_.on());
  Full(UdpGro::kPauseMin - 1);
  EXPECT_FALSE(gro_.on());
  EXPECT_FALSE(IsOnInKernel());
  Full(1);
  EXPECT_TRUE(gro_.on());
  EXPECT_TRUE(IsOnInKernel());
}

TEST_F(UdpGroTest, StaysWhileItPays) {
  Full(UdpGro::kPauseMin);
  for (int i = 0; i < 100; ++i) {
    Joined(UdpGro::kTrial, 4, 40);
    gro_.Idle(socket_.get());
    ASSERT_TRUE(gro_.on());
  }
  // Until it does not, and then until nothing is queued.
  Joined(2 * UdpGro::kTrial, 16, 20);
  EXPECT_TRUE(gro_.on());
  gro_.Idle(socket_.get());
  EXPECT_FALSE(gro_.on());
  EXPECT_FALSE(IsOnInKernel());
}

TEST_F(UdpGroTest, IsNotStoppedInTheMiddleOfATrial) {
  Full(UdpGro::kPauseMin);
  Joined(UdpGro::kTrial - 1, 16, 16);
  gro_.Idle(socket_.get());
  EXPECT_TRUE(gro_.on());
  Joined(1, 16, 17);
  EXPECT_TRUE(gro_.on());
  gro_.Idle(socket_.get());
  EXPECT_FALSE(gro_.on());
}

// A server under more load than it can bear never sees its socket empty.
TEST_F(UdpGroTest, StopsAtOnceWhereNoneCameJoined) {
  Full(UdpGro::kPauseMin);
  Joined(UdpGro::kTrial, 16, 16);
  EXPECT_FALSE(gro_.on());
  EXPECT_FALSE(IsOnInKernel());
}

TEST_F(UdpGroTest, EachTrialInVainMakesTheNextRarer) {
  for (uint32_t pause = UdpGro::kPauseMin; pause <= 1024; pause *= 2) {
    Full(pause - 1);
    ASSERT_FALSE(gro_.on()) << pause;
    Full(1);
    ASSERT_TRUE(gro_.on()) << pause;
    Joined(UdpGro::kTrial, 16, 16);
    gro_.Idle(socket_.get());
    ASSERT_FALSE(gro_.on());
  }
  // A good one makes them frequent again.
  Full(UdpGro::kPauseMax);
  ASSERT_TRUE(gro_.on());
  Joined(UdpGro::kTrial, 1, 64);
  Joined(UdpGro::kTrial, 16, 16);
  gro_.Idle(socket_.get());
  ASSERT_FALSE(gro_.on());
  Full(2 * UdpGro::kPauseMin);
  EXPECT_TRUE(gro_.on());
}

TEST_F(UdpGroTest, AKernelWithoutItIsNotAskedAgain) {
  const UniqueFd tcp(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  for (uint32_t i = 0; i < 4 * UdpGro::kPauseMin; ++i) {
    gro_.Judge(tcp.get(), 64, 64, true);
  }
  EXPECT_FALSE(gro_.on());
  Full(4 * UdpGro::kPauseMin);  // where it would work
  EXPECT_FALSE(gro_.on());
}

}  // namespace
}  // namespace dnsd
