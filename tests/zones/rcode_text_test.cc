#include "zones/rcode_text.h"

#include <gtest/gtest.h>

#include "zones/wire.h"

namespace dnsd {
namespace {

TEST(RcodeText, ThereAndBack) {
  for (const Rcode rcode : {kNoError, kFormErr, kServFail, kNxDomain, kNotImp,
                            kRefused, kNotAuth, kBadVers, kBadCookie}) {
    EXPECT_EQ(RcodeOfWord(RcodeText(rcode)), rcode) << RcodeText(rcode);
  }
  EXPECT_EQ(RcodeText(kNxDomain), "NXDOMAIN");
  EXPECT_EQ(RcodeOfWord("nxDomain"), kNxDomain);
}

TEST(RcodeText, HasANumberForTheOthers) {
  EXPECT_EQ(RcodeText(11), "RCODE11");
  EXPECT_EQ(RcodeOfWord("RCODE11"), std::nullopt);
  EXPECT_EQ(RcodeOfWord(""), std::nullopt);
}

}  // namespace
}  // namespace dnsd
