// What is encoded decodes to the same: values that a generator makes by way of
// random bodies, so that they are ones a decoder can give.
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/base/json_write.h"
#include "catalog/registry/api_body.h"
#include "catalog/registry/registration_reader.h"
#include "gtest/gtest.h"
#include "tests/testing/seeds.h"

namespace dnsd {
namespace {

class BodyMaker {
 public:
  explicit BodyMaker(uint64_t seed) : random_(seed) {}

  bool Chance(int percent) { return Below(100) < percent; }
  int Below(int count) {
    return std::uniform_int_distribution<int>(0, count - 1)(random_);
  }
  std::string Text() {
    static constexpr const char* kTexts[] = {
        "a",        "web",      "Web_1", "x y",       "\"q\"", "<&>",
        "\xC3\xA9", "10.0.0.7", "::1",   "line\nend", "\\",    "b.example"};
    std::string out;
    AppendJsonString(kTexts[Below(12)], &out);
    return out;
  }
  std::string Name() { return absl::StrCat("\"n", Below(50), "\""); }
  std::string Time() {
    static constexpr const char* kTimes[] = {
        "\"1s\"", "\"90m\"", "\"1.5s\"", "7000000000", "\"2h3m\"", "1e9"};
    return kTimes[Below(6)];
  }
  std::string Texts() {
    std::vector<std::string> texts;
    for (int i = Below(4); i > 0; --i) texts.push_back(Text());
    return absl::StrCat("[", absl::StrJoin(texts, ","), "]");
  }
  std::string Map() {
    std::vector<std::string> pairs;
    for (int i = Below(4); i > 0; --i) {
      pairs.push_back(absl::StrCat("\"k", i, "\":", Text()));
    }
    return absl::StrCat("{", absl::StrJoin(pairs, ","), "}");
  }

  std::string Check() {
    Members members;
    members.Add("Name", Name());
    MaybeText(&members, {"ID", "Notes", "Token", "Body", "Method"});
    switch (Below(7)) {
      case 0:
        members.Add("TTL", Time());
        break;
      case 1:
        members.Add("AliasService", Name());
        break;
      case 2:
        members.Add("Args", absl::StrCat("[", Text(), "]"));
        members.Add("Interval", Time());
        MaybeText(&members, {"DockerContainerID", "Shell"});
        break;
      default:
        static constexpr const char* kKinds[] = {"HTTP", "TCP", "GRPC", "UDP",
                                                 "H2PING"};
        for (int i = 1 + Below(2); i > 0; --i) {
          members.Add(kKinds[Below(5)], Name());
        }
        members.Add("Interval", Time());
    }
    for (const char* time : {"Timeout", "DeregisterCriticalServiceAfter"}) {
      if (Chance(40)) members.Add(time, Time());
    }
    for (const char* flag :
         {"TLSSkipVerify", "GRPCUseTLS", "H2PingUseTLS", "DisableRedirects"}) {
      if (Chance(30)) members.Add(flag, Chance(50) ? "true" : "false");
    }
    if (Chance(30)) {
      members.Add("Header", absl::StrCat("{\"h\":", Texts(), ",\"g\":[]}"));
    }
    for (const char* count :
         {"SuccessBeforePassing", "FailuresBeforeCritical", "OutputMaxSize"}) {
      if (Chance(30)) members.Add(count, absl::StrCat(Below(9)));
    }
    if (Chance(50)) members.Add("Status", Chance(50) ? "\"passing\"" : "\"\"");
    return members.ToJson();
  }

  std::string Instance(const char* name_key) {
    Members members;
    members.Add(name_key, Name());
    if (Chance(60)) members.Add("ID", Name());
    MaybeText(&members, {"Address"});
    if (Chance(60)) members.Add("Tags", Texts());
    if (Chance(60)) members.Add("Meta", Map());
    if (Chance(30)) {
      members.Add("TaggedAddresses",
                  absl::StrCat("{\"lan\":{\"Address\":", Text(),
                               ",\"Port\":", Below(65536), "}}"));
    }
    if (Chance(30)) {
      members.Add("Weights", absl::StrCat("{\"Passing\":", 1 + Below(9),
                                          ",\"Warning\":", Below(9), "}"));
    }
    if (Chance(30)) members.Add("EnableTagOverride", "true");
    if (Chance(30)) {
      members.Add("Kind", "\"connect-proxy\"");
      members.Add("Port", absl::StrCat(1 + Below(65535)));
      members.Add("Proxy", Proxy());
    } else {
      members.Add("Port", absl::StrCat(Below(65536)));
      if (Chance(20)) members.Add("Connect", "{\"Native\":true}");
    }
    // Newer releases have it.
    if (Chance(20)) members.Add("Partition", "\"default\"");
    last_ = members;
    return members.ToJson();
  }

  std::string Service() {
    (void)Instance("Name");
    Members members = last_;
    if (Chance(30)) members.Add("Token", Text());
    if (Chance(40)) members.Add("Check", Check());
    if (Chance(40)) {
      members.Add("Checks", absl::StrCat("[", Check(), ",", Check(), "]"));
    }
    return members.ToJson();
  }

  std::string Catalog() {
    Members members;
    members.Add("Node", Name());
    members.Add("Address", "\"10.0.0.1\"");
    if (Chance(30)) {
      members.Add("ID", "\"41111111-2222-3333-4444-555555555555\"");
    }
    if (Chance(50)) members.Add("NodeMeta", Map());
    if (Chance(50)) members.Add("TaggedAddresses", Map());
    if (Chance(20)) members.Add("SkipNodeUpdate", "true");
    if (Chance(20)) members.Add("Datacenter", "\"dc1\"");
    if (Chance(70)) members.Add("Service", Instance("Service"));
    if (Chance(70)) {
      members.Add("Check",
                  absl::StrCat(
                      "{\"Name\":", Name(), ",\"Output\":", Text(),
                      ",\"Status\":\"warning\",\"Definition\":", Check(), "}"));
    }
    return members.ToJson();
  }

  std::string Query() {
    Members service;
    service.Add("Service", Text());
    MaybeText(&service, {"Near"});
    for (const char* list : {"Tags", "IgnoreCheckIDs"}) {
      if (Chance(50)) service.Add(list, Texts());
    }
    for (const char* map : {"NodeMeta", "ServiceMeta"}) {
      if (Chance(50)) service.Add(map, Map());
    }
    for (const char* flag : {"OnlyPassing", "Connect"}) {
      if (Chance(50)) service.Add(flag, "true");
    }
    if (Chance(50)) {
      service.Add("Failover", absl::StrCat("{\"NearestN\":", Below(5),
                                           ",\"Datacenters\":", Texts(), "}"));
    }
    Members members;
    members.Add("Name", Name());
    MaybeText(&members, {"Token"});
    members.Add("Service", service.ToJson());
    if (Chance(40)) {
      members.Add("Template",
                  R"({"Type":"name_prefix_match","Regexp":"^a(.*)$",)"
                  R"("RemoveEmptyTags":true})");
    }
    if (Chance(40)) members.Add("DNS", R"({"TTL":"1m30s"})");
    return members.ToJson();
  }

 private:
  class Members {
   public:
    void Add(const std::string& key, const std::string& value) {
      pairs_.push_back(absl::StrCat("\"", key, "\":", value));
    }
    [[nodiscard]] std::string ToJson() const {
      return absl::StrCat("{", absl::StrJoin(pairs_, ","), "}");
    }

   private:
    std::vector<std::string> pairs_;
  };

  void MaybeText(Members* members, std::vector<const char*> keys) {
    for (const char* key : keys) {
      if (Chance(40)) members->Add(key, Text());
    }
  }
  std::string Proxy() {
    Members members;
    members.Add("DestinationServiceName", Name());
    MaybeText(&members, {"DestinationServiceID", "LocalServiceAddress"});
    if (Chance(50)) members.Add("LocalServicePort", absl::StrCat(Below(9)));
    if (Chance(50)) members.Add("Config", R"({"b":[1.5,{"a":null}],"a":1e21})");
    if (Chance(50)) members.Add("MeshGateway", R"({"Mode":"local"})");
    if (Chance(50)) {
      members.Add("Upstreams",
                  R"([{"DestinationName":"d","LocalBindPort":1,"Config":{}},)"
                  R"({"DestinationName":"e","LocalBindPort":2}])");
    }
    if (Chance(50)) {
      members.Add("Expose",
                  R"({"Checks":true,"Paths":[{"Path":"/","ListenerPort":1}]})");
    }
    return members.ToJson();
  }

  std::mt19937_64 random_;
  Members last_;
};

// Of definitions there is no comparison; what they are written as says all.
TEST(ApiBodyProperty, ServicesThereAndBack) {
  BodyMaker maker(testing::TestSeed());
  for (int i = 0; i < testing::Scaled(3000); ++i) {
    const std::string body = maker.Service();
    const auto first = DecodeServiceBody(body);
    ASSERT_EQ(first.status(), absl::OkStatus()) << body;
    const std::string encoded = EncodeService(*first);
    const auto second = DecodeServiceBody(encoded);
    ASSERT_EQ(second.status(), absl::OkStatus()) << body << "\n" << encoded;
    ASSERT_EQ(second->instance, first->instance) << body << "\n" << encoded;
    ASSERT_EQ(second->token, first->token) << body;
    ASSERT_EQ(second->checks.size(), first->checks.size()) << body;
    ASSERT_EQ(EncodeService(*second), encoded) << body;
  }
}

TEST(ApiBodyProperty, ChecksThereAndBack) {
  BodyMaker maker(testing::TestSeed());
  for (int i = 0; i < testing::Scaled(5000); ++i) {
    const std::string body = maker.Check();
    const auto first = DecodeCheckBody(body);
    ASSERT_EQ(first.status(), absl::OkStatus()) << body;
    const std::string encoded = EncodeCheck(*first);
    const auto second = DecodeCheckBody(encoded);
    ASSERT_EQ(second.status(), absl::OkStatus()) << body << "\n" << encoded;
    ASSERT_EQ(second->interval, first->interval) << body;
    ASSERT_EQ(second->header, first->header) << body;
    ASSERT_EQ(EncodeCheck(*second), encoded) << body;
  }
}

TEST(ApiBodyProperty, CatalogRegistrationsThereAndBack) {
  BodyMaker maker(testing::TestSeed());
  for (int i = 0; i < testing::Scaled(3000); ++i) {
    const std::string body = maker.Catalog();
    const auto first = DecodeCatalogRegistration(body);
    ASSERT_EQ(first.status(), absl::OkStatus()) << body;
    const std::string encoded = EncodeCatalogRegistration(*first);
    const auto second = DecodeCatalogRegistration(encoded);
    ASSERT_EQ(second.status(), absl::OkStatus()) << body << "\n" << encoded;
    ASSERT_EQ(second->node, first->node) << body;
    ASSERT_EQ(second->service, first->service) << body << "\n" << encoded;
    ASSERT_EQ(second->checks, first->checks) << body << "\n" << encoded;
    ASSERT_EQ(second->skip_node_update, first->skip_node_update);
  }
}

TEST(ApiBodyProperty, TheReaderOfTheKeptReadsTheSame) {
  BodyMaker maker(testing::TestSeed());
  RegistrationReader reader;
  const int count = testing::Scaled(3000);
  int read = 0;
  for (int i = 0; i < count; ++i) {
    const auto wanted = DecodeCatalogRegistration(maker.Catalog());
    const std::string encoded = EncodeCatalogRegistration(*wanted);
    CatalogRegistration got;
    if (!reader.Read(encoded, &got)) continue;
    ++read;
    ASSERT_EQ(got.node, wanted->node) << encoded;
    ASSERT_EQ(got.service, wanted->service) << encoded;
    ASSERT_EQ(got.checks, wanted->checks) << encoded;
    ASSERT_EQ(got.skip_node_update, wanted->skip_node_update) << encoded;
  }
  EXPECT_GT(read, count / 4);  // three quarters have what few services have
}

TEST(ApiBodyProperty, QueriesThereAndBack) {
  BodyMaker maker(testing::TestSeed());
  for (int i = 0; i < testing::Scaled(3000); ++i) {
    const std::string body = maker.Query();
    const auto first = DecodeQueryBody(body);
    ASSERT_EQ(first.status(), absl::OkStatus()) << body;
    const auto second = DecodeQueryBody(EncodeQuery(*first));
    ASSERT_EQ(second.status(), absl::OkStatus()) << body;
    ASSERT_EQ(second->query, first->query) << body;
  }
}

// A body cut off anywhere is refused, and with a text.
TEST(ApiBodyProperty, EveryBeginningOfABodyIsRefused) {
  BodyMaker maker(testing::TestSeed());
  for (int i = 0; i < testing::Scaled(40); ++i) {
    const std::string body = maker.Service();
    for (size_t bytes = 0; bytes < body.size(); ++bytes) {
      const auto cut = DecodeServiceBody(body.substr(0, bytes));
      ASSERT_EQ(cut.status().message(),
                bytes == 0 ? "Request decode failed: EOF"
                           : "Request decode failed: unexpected EOF")
          << body.substr(0, bytes);
    }
  }
}

}  // namespace
}  // namespace dnsd
