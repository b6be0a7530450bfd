// The text of a mirror's file: what is written is read, and nothing else.

#include <gtest/gtest.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/consul/mirror_file.h"
#include "tests/catalog/consul/mirror_images.h"
#include "tests/testing/seeds.h"

namespace dnsd {
namespace {

using testing::Same;
using testing::SmallImage;

// Fills every field of an image that Consul could have said.
class ImageMaker {
 public:
  explicit ImageMaker(uint64_t seed) : random_(seed) {}

  MirrorImage Image();

 private:
  uint64_t Below(uint64_t bound) { return random_() % bound; }
  bool Coin() { return Below(2) == 0; }

  template <typename Make>
  auto List(Make make) {
    std::vector<decltype(make())> list;
    for (auto count = Below(4); count > 0; --count) list.push_back(make());
    return list;
  }
  // Lower case and not empty.
  std::string Name() {
    std::string name = Text();
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z') c = 'z';
    }
    return name + static_cast<char>('a' + Below(26));
  }
  std::string Text() {
    static const char* const kPieces[] = {
        "",   "a",    "B", "\"",           "\\", "<",   "\xC3\xA9",
        "\n", "\x01", ".", "\xE2\x80\xA8", "{",  "null"};
    std::string text;
    for (auto count = Below(5); count > 0; --count) {
      text += kPieces[Below(std::size(kPieces))];
    }
    return text;
  }
  std::map<std::string, std::string> Map() {
    std::map<std::string, std::string> map;
    for (auto count = Below(4); count > 0; --count) map[Text()] = Text();
    return map;
  }
  std::vector<std::string> Texts() {
    return List([this] { return Text(); });
  }

  NodeReport MakeNode(const std::string& datacenter) {
    NodeReport report;
    report.node = {Text(), Name(), Coin() ? datacenter : Name(),
                   Text(), Map(),  Map()};
    report.modify_index = random_() >> Below(64);
    report.instances = List([this] { return MakeInstance(); });
    report.checks = List([this] { return MakeCheck(); });
    return report;
  }
  InstanceReport MakeInstance() {
    InstanceReport report;
    ServiceInstance& instance = report.instance;
    instance.id = Name();
    instance.name = Name();
    instance.kind = static_cast<ServiceKind>(Below(6));
    instance.tags = Texts();
    instance.meta = Map();
    instance.address = Text();
    instance.port = static_cast<uint16_t>(random_());
    for (auto count = Below(3); count > 0; --count) {
      instance.tagged_addresses[Text()] = {Text(),
                                           static_cast<uint16_t>(random_())};
    }
    instance.weights = {static_cast<int>(Below(65535) + 1),
                        static_cast<int>(Below(65536))};
    instance.enable_tag_override = Coin();
    instance.connect_native = Coin();
    instance.proxy_destination = Text();
    instance.gateway_services = Texts();
    report.modify_index = random_() >> Below(64);
    return report;
  }
  CheckReport MakeCheck() {
    CheckReport report;
    report.node = Name();
    report.check.id = Name();
    report.check.name = Text();
    report.check.service_id = Text();
    report.check.status = static_cast<HealthStatus>(Below(3));
    report.check.notes = Text();
    report.check.output = Text();
    report.service_name = Text();
    report.modify_index = random_() >> Below(64);
    return report;
  }
  PreparedQuery MakeQuery() {
    PreparedQuery query;
    query.id = Name();
    query.name = Text();
    query.service = Text();
    query.failover_nearest = static_cast<int>(Below(1u << 31));
    query.failover_datacenters = List([this] { return Name(); });
    query.only_passing = Coin();
    query.ignore_check_ids = Texts();
    query.near = Text();
    query.tags = Texts();
    query.node_meta = Map();
    query.service_meta = Map();
    query.connect = Coin();
    query.ttl = Text();
    query.is_template = Coin();
    query.regexp = Text();
    query.remove_empty_tags = Coin();
    return query;
  }

  std::mt19937_64 random_;
};

MirrorImage ImageMaker::Image() {
  MirrorImage image;
  image.datacenter = Name();
  image.is_local = Coin();
  image.saved_unix_ms = static_cast<int64_t>(random_() >> 20);
  image.nodes = List([this, &image] { return MakeNode(image.datacenter); });
  image.queries = List([this] { return MakeQuery(); });
  for (auto count = Below(3); count > 0; --count) {
    image.gateways[Name()] = List([this] { return Name(); });
  }
  return image;
}

std::string ParseError(const std::string& text) {
  const absl::StatusOr<MirrorImage> image = ParseMirror(text);
  if (image.ok()) return "none";
  EXPECT_EQ(image.status().code(), absl::StatusCode::kDataLoss);
  return std::string(image.status().message());
}

// A body with the header that fits it.
std::string WithHeader(const std::string& body) {
  return absl::StrCat(
      "dnsd-mirror 1 ", body.size(), " ",
      absl::Hex(XXH64(body.data(), body.size(), 0), absl::kZeroPad16), "\n",
      body);
}

TEST(MirrorText, HasTheDocumentedFormat) {
  const std::string body =
      R"({"Version":1,"Datacenter":"dc1","SavedUnixMs":1700000000000,)"
      R"("Nodes":[{"Node":"n1","Address":"10.0.0.1",)"
      R"("Services":[{"ID":"w1","Service":"web","Port":80,)"
      R"("Weights":{"Passing":1,"Warning":1},"ModifyIndex":7}],"Checks":[]}],)"
      R"("Queries":[],"Gateways":{"gw":["web"]}})";
  EXPECT_EQ(FormatMirror(SmallImage("dc1")), WithHeader(body));
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
  EXPECT_EQ(ParseError("dnsd-mirror 2 2 0123456789abcdef\n{}"),
            "of another version of dnsd");
  EXPECT_EQ(ParseError("dnsd-mirror 1 2 0123456789abcdef\n{}"),
            "damaged: size or checksum differ");
  EXPECT_EQ(ParseError(WithHeader("{}")), "content: version 0");
  EXPECT_EQ(ParseError(WithHeader(R"({"Version":2,"Datacenter":"x"})")),
            "content: version 2");
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
