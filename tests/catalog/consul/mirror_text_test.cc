// The text of a mirror's file: what is written is read, and nothing else.

#include <gtest/gtest.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/consul/mirror_file.h"
#include "tests/catalog/consul/image_maker.h"
#include "tests/catalog/consul/mirror_images.h"
#include "tests/testing/seeds.h"

namespace dnsd {
namespace {

using testing::ImageMaker;
using testing::Same;
using testing::SmallImage;

std::string ParseError(const std::string& text) {
  const absl::StatusOr<MirrorImage> image = ParseMirror(text);
  if (image.ok()) return "none";
  EXPECT_EQ(image.status().code(), absl::StatusCode::kDataLoss);
  return std::string(image.status().message());
}

// A body with the header that fits it.
std::string WithHeader(const std::string& body, int version = 2) {
  return absl::StrCat(
      "dnsd-mirror ", version, " ", body.size(), " ",
      absl::Hex(XXH64(body.data(), body.size(), 0), absl::kZeroPad16), "\n",
      body);
}

TEST(MirrorText, HasTheDocumentedFormat) {
  const std::string body =
      R"({"Version":2,"Datacenter":"dc1","SavedUnixMs":1700000000000,)"
      R"("Nodes":[{"Node":"n1","Address":"10.0.0.1",)"
      R"("Services":[{"ID":"w1","Service":"web","Port":80,)"
      R"("Weights":{"Passing":1,"Warning":1},"ModifyIndex":7}],"Checks":[]}],)"
      R"("Queries":[],"Gateways":{"gw":["web"]}})";
  EXPECT_EQ(FormatMirror(SmallImage("dc1")), WithHeader(body));
}

TEST(MirrorText, KeepsWhatOnlyTheApiShows) {
  MirrorImage image = SmallImage("dc1");
  image.nodes[0].node.has_meta = true;
  ServiceInstance& instance = image.nodes[0].instances[0].instance;
  instance.has_meta = true;
  instance.mesh.Edit().proxy_destination = "db";
  std::string text = FormatMirror(image);
  EXPECT_TRUE(absl::StrContains(
      text, R"("Proxy":{"DestinationServiceName":"db","MeshGateway":{},)"
            R"("Expose":{}})"))
      << text;
  EXPECT_TRUE(absl::StrContains(text, R"("Address":"10.0.0.1","Meta":{})"))
      << text;
  EXPECT_TRUE(Same(*ParseMirror(text), image));
}

// As the first version wrote it.
TEST(MirrorText, ReadsVersionOne) {
  const auto image = ParseMirror(WithHeader(
      R"({"Version":1,"Datacenter":"dc1",)"
      R"("Nodes":[{"Node":"n","Meta":{"k":"v"},)"
      R"("Services":[{"ID":"p","Service":"p","Kind":"connect-proxy",)"
      R"("Proxy":{"DestinationServiceName":"db"},"Connect":{"Native":true}}],)"
      R"("Checks":[{"Node":"n","CheckID":"c"}]}]})",
      1));
  ASSERT_TRUE(image.ok()) << image.status();
  const NodeReport& node = image->nodes.at(0);
  EXPECT_TRUE(node.node.has_meta);
  EXPECT_FALSE(node.node.has_tagged_addresses);
  const ServiceInstance& instance = node.instances.at(0).instance;
  EXPECT_EQ(instance.mesh->proxy_destination, "db");
  EXPECT_TRUE(instance.connect_native);
  EXPECT_FALSE(instance.has_meta);
  // Shown as if nothing more were known.
  EXPECT_EQ(instance.mesh->proxy_json, "");
  EXPECT_EQ(instance.mesh->connect_json, "");
  EXPECT_EQ(node.checks.at(0).check.definition_json, "");
  // It is written as the version of today.
  const auto again = ParseMirror(FormatMirror(*image));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(Same(*again, *image));
}

TEST(MirrorText, ComesBackWithEveryField) {
  ImageMaker maker(testing::TestSeed());
  const int count = testing::Scaled(20'000);
  for (int i = 0; i < count; ++i) {
    const MirrorImage image = maker.Image();
    const std::string text = FormatMirror(image);
    const absl::StatusOr<MirrorImage> back = ParseMirror(text);
    ASSERT_TRUE(back.ok()) << back.status() << "\n" << text;
    ASSERT_TRUE(Same(image, *back)) << text << "\n" << FormatMirror(*back);
  }
}

TEST(MirrorText, EveryFlippedBitIsFound) {
  const std::string good = FormatMirror(SmallImage("dc1"));
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    ASSERT_NE(ParseError(bad), "none") << "bit " << bit;
  }
}

TEST(MirrorText, EveryCutAndEveryAddedByteIsFound) {
  const std::string good = FormatMirror(SmallImage("dc1"));
  EXPECT_EQ(ParseError(good), "none");
  for (size_t bytes = 0; bytes < good.size(); ++bytes) {
    ASSERT_NE(ParseError(good.substr(0, bytes)), "none") << bytes;
  }
  EXPECT_EQ(ParseError(good + "\n"), "damaged: size or checksum differ");
}

TEST(MirrorText, SaysWhatIsWrong) {
  EXPECT_EQ(ParseError(""), "not the mirror of a Consul");
  EXPECT_EQ(ParseError("dnsd-mirror 1 2 0123456789abcdef"),
            "not the mirror of a Consul");
  EXPECT_EQ(ParseError("[]\n[]"), "not the mirror of a Consul");
  EXPECT_EQ(ParseError("dnsd-mirror 3 2 0123456789abcdef\n{}"),
            "of another version of dnsd");
  EXPECT_EQ(ParseError("dnsd-mirror 2 2 0123456789abcdef\n{}"),
            "damaged: size or checksum differ");
  EXPECT_EQ(ParseError(WithHeader("{}")), "content: version 0");
  EXPECT_EQ(ParseError(WithHeader(R"({"Version":3,"Datacenter":"x"})")),
            "content: version 3");
  EXPECT_EQ(ParseError(WithHeader(R"({"Version":1})")),
            "content: no datacenter");
  EXPECT_EQ(ParseError(WithHeader(
                R"({"Version":1,"Datacenter":"x","Nodes":[{"ID":"1"}]})")),
            "content: node '': no name");
  EXPECT_EQ(ParseError(
                WithHeader(R"({"Version":1,"Datacenter":"x","Queries":[{}]})")),
            "content: query '': no id");
  // What a later dnsd of this version may add is no error.
  EXPECT_EQ(ParseError(WithHeader(
                R"({"Version":1,"Datacenter":"x","Later":[1,{"y":null}]})")),
            "none");
}

TEST(MirrorText, DatacentersComeBackInLowerCase) {
  const auto image = ParseMirror(
      WithHeader(R"({"Version":1,"Datacenter":"DC1","Nodes":[{"Node":"N"}]})"));
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(image->datacenter, "dc1");
  ASSERT_EQ(image->nodes.size(), 1u);
  EXPECT_EQ(image->nodes[0].node.datacenter, "dc1");
  EXPECT_EQ(image->nodes[0].node.name, "N");
}

TEST(MirrorPath, EscapesWhatIsNoLetterDigitDashOrUnderscore) {
  EXPECT_EQ(MirrorPath("/d", "dc-1_A9"), "/d/consul-mirror/dc-1_A9.json");
  EXPECT_EQ(MirrorPath("d", "../x%\xFF "),
            "d/consul-mirror/%2E%2E%2Fx%25%FF%20.json");
  EXPECT_EQ(MirrorPath("d", ""), "d/consul-mirror/.json");
}

}  // namespace
}  // namespace dnsd
