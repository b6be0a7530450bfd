#include "tests/testing/bexpr_texts.h"

#include <iterator>

#include "absl/strings/str_cat.h"

namespace dnsd::testing {
namespace {

using Texts = std::vector<std::string>;

const std::string& Pick(const Texts& texts, Random* random) {
  return texts[random->Below(static_cast<uint32_t>(texts.size()))];
}

std::string RandomSpace(Random* random) {
  static const Texts spaces = {" ", " ", " ", "\t", "\n ", "  "};
  return Pick(spaces, random);
}

std::string RandomMatch(const Texts& selectors, const Texts& values,
                        Random* random) {
  static const Texts operators = {
      "==",       "!=",           "==",      "!=",          "contains",
      "in",       "not in",       "matches", "not matches", "not contains",
      "is empty", "is not empty", "matches"};
  const std::string selector = Pick(selectors, random);
  const std::string op = Pick(operators, random);
  const std::string value = Pick(values, random);
  const std::string before = RandomSpace(random);
  const std::string behind = RandomSpace(random);
  if (op == "in" || op == "not in") {
    return absl::StrCat(value, before, op, behind, selector);
  }
  if (op == "is empty" || op == "is not empty") {
    return absl::StrCat(selector, before, op);
  }
  return absl::StrCat(selector, before, op, behind, value);
}

std::string RandomTree(const Texts& selectors, const Texts& values, int depth,
                       Random* random) {
  const uint32_t shape = random->Below(depth == 0 ? 1 : 8);
  const auto part = [&] {
    return RandomTree(selectors, values, depth - 1, random);
  };
  if (shape < 3) return RandomMatch(selectors, values, random);
  if (shape == 3) return absl::StrCat("not ", part());
  if (shape == 4) return absl::StrCat("(", part(), ")");
  if (shape == 5) return absl::StrCat("( ", part(), " or ", part(), " )");
  return absl::StrCat(part(), shape == 6 ? " and " : " or ", part());
}

std::string Damaged(std::string text, Random* random) {
  static const Texts pieces = {"\"",   "`",  "(",  ")",        "[",    "]",
                               ".",    " ",  "=",  "x",        "1",    "-",
                               "not ", "\n", "\\", "\xc3\xa9", " and "};
  const size_t at = random->Below(static_cast<uint32_t>(text.size()));
  if (random->Below(2) == 0) {
    text.erase(at, 1 + random->Below(3));
  } else {
    text.insert(at, Pick(pieces, random));
  }
  return text;
}

constexpr const char* kSyntax[] = {
    " ",
    "Service",
    "Service =",
    "Service ==",
    "Service == ",
    "Service == \"web",
    "Service == `web",
    "Service == web and",
    "Service == web and ",
    "(Service == web",
    "( Service == web ",
    "((Service == web)",
    "Service == web)",
    "(Service == web) )",
    "()",
    "(",
    ")",
    "not",
    "not ",
    "not(Service == web)",
    "not (Service == web",
    "Service == web or (Port == 80",
    "Service == web andPort == 80",
    "Service == webor Port == 80",
    "Service == web && Port == 80",
    "Service == web-1",
    "Service == 01",
    "Service == 1abc",
    "Service == 1.",
    "Service == -",
    "Service == -x",
    "Service == 1.5.2",
    "Service == 1)",
    "(Port == 80)",
    "(Port == 80x)",
    "Service == \"\\w\"",
    "Service == \"a\\\"b\"",
    "Service == \"a\nb\"",
    "Service == \"\\x4\"",
    "Service == \"\\400\"",
    "Service == \"\\U00110000\"",
    "Meta[x] == 1",
    "Meta[] == 1",
    "Meta[\"x\" == 1",
    "Meta[\"x == 1",
    "Meta[ \"x\" ] == 1",
    "Meta.`a b` == 3",
    "Meta.9x == q",
    "Meta. == q",
    ".Meta == q",
    "web in",
    "web in 1",
    "web in \"Tags\"",
    "web not in (Tags)",
    "web notin Tags",
    "Service is",
    "Service is not",
    "Service is emptyx",
    "Tags is empty x",
    "S\xc3\xa9 == x",
    "Service == \xc3\xa9",
    "Service\n==\n",
    "Service == \"\xff\"",
    "_Service == x",
    "in in in",
    "not in == x",
    "not not in Tags",
    "\"a\" == Service",
    "1 == Service",
};

constexpr const char* kMeaning[] = {
    "Bogus == 1",
    "Bogus.x.y == 1",
    "Bogus[\"a\\nb\"] == 1",
    "Meta.Bogus.x == 1",
    "Meta[\"\xc2\xa0\x01\"].x == 1",
    "Node == 1",
    "Checks.Bogus == 1",
    "Checks == 1",
    "Checks is empty",
    "Checks is not empty",
    "Checks contains x",
    "Checks.Status == passing",
    "Checks.Status != passing",
    "not Checks.Status != passing",
    "Checks.Status not in \"x\"",
    "Checks.ServiceTags contains a",
    "a in Checks.ServiceTags",
    "a not in Checks.ServiceTags",
    "Checks.ServiceTags is empty",
    "Checks.ServiceName == web",
    "Checks.Type == ttl",
    "Checks.Definition is empty",
    "Service.Tags is empty",
    "Service.Port == 80",
    "Service.Port == abc",
    "Service.Port == \"0x50\"",
    "Service.Port == \"0120\"",
    "Service.Port == \"0o120\"",
    "Service.Port == \"8_0\"",
    "Service.Port == \"_80\"",
    "Service.Port == \"0_120\"",
    "Service.Port == \"0b1010000\"",
    "Service.Port == \"+80\"",
    "Service.Port == 80.0",
    "Service.Port == \"\"",
    "Service.Port == 9223372036854775807",
    "Service.Port == 9223372036854775808",
    "Service.Port == -9223372036854775808",
    "Service.Port == -9223372036854775809",
    "Service.Port contains 8",
    "Service.Port matches 8",
    "Service.Port is empty",
    "Service.EnableTagOverride == T",
    "Service.EnableTagOverride == \"1\"",
    "Service.EnableTagOverride != true",
    "Service.EnableTagOverride == yes",
    "Service.EnableTagOverride is empty",
    "Service.Service matches `^w.b$`",
    "Service.Service matches \"^w.b$\"",
    "Service.Service matches `(?i)^WEB`",
    "Service.Service matches `[`",
    "Service.Service matches `a)`",
    "Service.Service matches `(a`",
    "Service.Service matches `*`",
    "Service.Service matches `a**`",
    "Service.Service matches `a{1001}`",
    "Service.Service matches `a{2,1}`",
    "Service.Service matches `[z-a]`",
    "Service.Service matches `(?=x)`",
    "Service.Service matches `(?P<n>w)eb`",
    "Service.Service matches `(?P<n`",
    "Service.Service matches `(?P<1->w)`",
    "Service.Service matches `\\q`",
    "Service.Service matches `a\\`",
    "Service.Service matches `[[:bogus:]]`",
    "Service.Service matches `\\pX`",
    "Service.Service not matches e",
    "Service.Service matches ``",
    "Service.Service contains \"\"",
    "Service.Service is empty",
    "Service.Meta is empty",
    "Service.Meta is not empty",
    "Service.Meta.x == 1",
    "Service.Meta[\"x\"] == 1",
    "Service[\"Meta\"].x == 1",
    "Service.Meta[`9x`] == q",
    "Service.Meta.x.y == 1",
    "Service.Meta.x is empty",
    "Service.Meta.nope == \"\"",
    "Service.Meta.nope != 1",
    "Service.Meta.nope contains 1",
    "Service.Meta.nope not contains 1",
    "Service.Meta.nope matches 1",
    "Service.Meta.nope not matches 1",
    "x in Service.Meta",
    "Service.Meta contains x",
    "Service.Meta not contains x",
    "Service.Meta == x",
    "Service.TaggedAddresses is empty",
    "lan in Service.TaggedAddresses",
    "Service.TaggedAddresses.lan.Port == 81",
    "Service.TaggedAddresses.lan.Port != 81",
    "Service.TaggedAddresses.lan.Address == \"10.0.0.9\"",
    "Service.TaggedAddresses.lan.Address matches `.`",
    "Service.TaggedAddresses.lan == x",
    "Service.TaggedAddresses.lan is empty",
    "Service.Weights.Passing == 1",
    "Service.Weights == 1",
    "Service.Kind == \"\"",
    "Service.Kind == `connect-proxy`",
    "Service.Connect.Native == true",
    "Service.Connect is empty",
    "Service.Proxy.DestinationServiceName == web",
    "Service.Proxy.DestinationServiceID contains web",
    "Service.Proxy.LocalServicePort == 80",
    "Service.Proxy.LocalServicePort == 0",
    "Service.Proxy.Upstreams is empty",
    "Service.Proxy.Upstreams.DestinationName == db",
    "Service.Proxy.Upstreams.DestinationName != db",
    "Service.Proxy.Upstreams.LocalBindPort == 9191",
    "Service.Proxy.Upstreams.MeshGateway.Mode == \"\"",
    "Service.Proxy.MeshGateway.Mode == local",
    "Service.Proxy.Expose.Checks == false",
    "Service.Proxy.Expose.Paths is empty",
    "Service.Proxy.Expose.Paths.Path == `/x`",
    "Service.Proxy.Config is empty",
    "Node.Meta.zone == a",
    "Node.Node == \"n-1\"",
    "Node.TaggedAddresses.wan contains 10",
    "Meta.zone == a",
    "Meta.zone != a",
    "Node contains n",
    "TaggedAddresses.lan == \"10.1.0.1\"",
    "TaggedAddresses is not empty",
    "Datacenter == dc1",
    "Address matches `^10[.]`",
    "ID is empty",
    "ID == \"\"",
    "ServiceName == web",
    "ServiceTags contains a",
    "b not in ServiceTags",
    "ServiceMeta.x == 1",
    "NodeMeta.zone == b",
    "ServicePort == 80",
    "ServicePort != 80",
    "ServiceAddress == \"\"",
    "ServiceKind != \"\"",
    "ServiceWeights.Warning == 2",
    "ServiceConnect.Native == true",
    "ServiceProxy.DestinationServiceName == web",
    "ServiceProxy.Upstreams.DestinationName == db",
    "ServiceTaggedAddresses.lan.Port == 81",
    "ServiceEnableTagOverride == true",
    "CheckID == c1",
    "Status == passing and ServiceID == \"\"",
    "Status != passing",
    "Name matches web",
    "Notes == hello",
    "Output == \"\"",
    "Type == ttl",
    "CreateIndex == 1",
    "Service == web",
    "Service==\"web\"",
    "  Service == web  ",
    "(((Service == web)))",
    "( Service == web ) and ( Port == 80 )",
    "Service == web or Port == 81 and Service == db",
    "(Service == web or Port == 81) and Service == db",
    "not Service == web and Port == 80",
    "not (Service == web and Port == 80)",
    "not not Service == web",
    "a in Tags and b not in Tags",
    "\"\" in Tags",
    "Tags == a",
    "Tags is empty or Meta is empty",
    "Service == a[\"b\"]",
    "Service == w.e",
    "Service == not",
    "Service == true",
    "Service == \"\xc3\xa9\\u00e9\\x41\\101\\t\\uD800\"",
    "Port == 80 and Bogus == 1",
    "Port == x or Bogus == 1",
    "not Tags == 1",
};

}  // namespace

std::vector<std::string> BexprTable() {
  Texts table(std::begin(kSyntax), std::end(kSyntax));
  table.insert(table.end(), std::begin(kMeaning), std::end(kMeaning));
  return table;
}

std::string RandomBexpr(const std::vector<std::string>& selectors,
                        const std::vector<std::string>& values,
                        Random* random) {
  std::string text = RandomTree(selectors, values, 3, random);
  while (random->Below(4) == 0 && !text.empty()) text = Damaged(text, random);
  return text;
}

}  // namespace dnsd::testing
