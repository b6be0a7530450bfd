// Decodes what a dnsd says at /v1/health/services?nodes.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "catalog/consul/consul_decode.h"

namespace dnsd {
namespace {

constexpr char kEntry[] =
    R"({"Node":{"Node":"N1","Address":"10.0.0.1","Meta":{},"ModifyIndex":5},)"
    R"("Service":{"ID":"w1","Service":"Web","Port":80,"ModifyIndex":9},)"
    R"("Checks":[{"Node":"N1","CheckID":"own","Status":"passing"},)"
    R"({"Node":"N1","CheckID":"c1","ServiceID":"w1","Status":"warning"}]})";
constexpr char kNodes[] =
    R"([{"Node":{"Node":"N1","Address":"10.0.0.1","Meta":{},"ModifyIndex":5},)"
    R"("Checks":[{"Node":"N1","CheckID":"own","Status":"passing"}]},)"
    R"({"Node":{"Node":"n2","Address":"10.0.0.2","Datacenter":"DC2"},)"
    R"("Checks":[]}])";

std::string Answer(const std::string& full = "true") {
  return absl::StrCat(R"({"Index":12,"Full":)", full,
                      R"(,"Run":"r1","Services":{"web":[)", kEntry,
                      R"(]},"Gone":["old"],"Nodes":)", kNodes,
                      R"(,"GoneNodes":["n3"]})");
}

std::string ErrorOf(std::string body) {
  const auto delta = DecodeDelta(&body, "dc1");
  return delta.ok() ? "none" : std::string(delta.status().message());
}

TEST(DeltaDecode, ReadsEveryMember) {
  std::string body = Answer("false");
  const auto delta = DecodeDelta(&body, "dc1");
  ASSERT_TRUE(delta.ok()) << delta.status();
  EXPECT_EQ(delta->index, 12u);
  EXPECT_FALSE(delta->full);
  EXPECT_EQ(delta->run, "r1");
  EXPECT_EQ(delta->gone, std::vector<std::string>{"old"});
  EXPECT_EQ(delta->gone_nodes, std::vector<std::string>{"n3"});
  ASSERT_EQ(delta->services.count("web"), 1u);
  const NodeReport& entry = delta->services.at("web").at(0);
  EXPECT_EQ(entry.node.name, "N1");
  EXPECT_TRUE(entry.node.has_meta);
  EXPECT_EQ(entry.instances.at(0).instance.id, "w1");
  EXPECT_EQ(entry.checks.size(), 2u);
  ASSERT_EQ(delta->nodes.size(), 2u);
  EXPECT_EQ(delta->nodes[0].checks.at(0).check.id, "own");
  EXPECT_EQ(delta->nodes[0].node.datacenter, "dc1");
  EXPECT_EQ(delta->nodes[1].node.datacenter, "dc2");
}

TEST(DeltaDecode, MakesNodesOfAFullOne) {
  std::string body = Answer();
  auto delta = DecodeDelta(&body, "dc1");
  ASSERT_TRUE(delta.ok()) << delta.status();
  const std::vector<NodeReport> nodes = NodesOf(&*delta);
  ASSERT_EQ(nodes.size(), 2u);
  EXPECT_EQ(nodes[0].instances.size(), 1u);
  ASSERT_EQ(nodes[0].checks.size(), 2u);  // its own once
  EXPECT_EQ(nodes[0].checks[0].check.id, "own");
  EXPECT_EQ(nodes[0].checks[1].check.id, "c1");
  EXPECT_TRUE(nodes[1].instances.empty());
}

// An answer of another server, or of a dnsd that does not tell of nodes, is
// not taken for one.
TEST(DeltaDecode, EveryMemberMustBeThere) {
  EXPECT_EQ(ErrorOf(Answer()), "none");
  for (const char* member :
       {"Index", "Full", "Run", "Services", "Gone", "Nodes", "GoneNodes"}) {
    const std::string body = absl::StrReplaceAll(
        Answer(), {{absl::StrCat(R"(")", member, R"(":)"), R"("Other":)"}});
    EXPECT_EQ(ErrorOf(body), absl::StrCat("health/services: no ", member));
  }
  EXPECT_EQ(ErrorOf("{}"), "health/services: no Index");
  EXPECT_EQ(ErrorOf("null"), "health/services: no Index");
  EXPECT_EQ(ErrorOf("[]"), "health/services: '[' is not an object");
  EXPECT_EQ(ErrorOf(absl::StrReplaceAll(Answer(), {{":12,", ":0,"}})),
            "health/services: the Index is 0");
  EXPECT_EQ(ErrorOf(absl::StrReplaceAll(Answer(), {{"r1", ""}})),
            "health/services: the Run is empty");
}

TEST(DeltaDecode, SaysWhatIsWrong) {
  EXPECT_EQ(ErrorOf(absl::StrReplaceAll(Answer(), {{"80", "\"x\""}})),
            "health/services: instance on 'N1': service 'w1': member 'Port': "
            "'\\\"x\\\"' is not an integer");
  EXPECT_EQ(ErrorOf(absl::StrReplaceAll(Answer(), {{R"("Node":"n2",)", ""}})),
            "health/services: entry of node '': node '': no name");
}

TEST(DeltaDecode, EveryCutIsAnError) {
  const std::string body = Answer();
  for (size_t bytes = 0; bytes < body.size(); ++bytes) {
    EXPECT_NE(ErrorOf(body.substr(0, bytes)), "none") << bytes;
  }
}

}  // namespace
}  // namespace dnsd
