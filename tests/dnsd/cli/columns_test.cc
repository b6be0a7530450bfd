#include "dnsd/cli/columns.h"

#include <string>
#include <vector>

#include "catalog/base/json_read.h"
#include "dnsd/cli/catalog_verbs.h"
#include "gtest/gtest.h"

namespace dnsd {
namespace {

TEST(FormatColumns, PadsAllButTheLastOfARow) {
  EXPECT_EQ(FormatColumns({{"Node", "ID", "DC"}, {"alpha", "", "d"}}),
            "Node   ID  DC\nalpha      d");
  EXPECT_EQ(FormatColumns({}), "");
  EXPECT_EQ(FormatColumns({{}, {"a", ""}}), "\na  ");
}

TEST(FormatColumns, CountsCodePoints) {
  EXPECT_EQ(FormatColumns({{"nönö", "x"}, {"abcde", "y"}}),
            "nönö   x\nabcde  y");
  EXPECT_EQ(FormatColumns({{"\xff", "x"}, {"ab", "y"}}), "\xff   x\nab  y");
}

TEST(FormatColumns, DropsBlanksAroundCells) {
  EXPECT_EQ(FormatColumns({{" a ", " b"}, {"ccc", "d"}}), "a    b\nccc  d");
}

TEST(FormatColumns, TakesRowsOfDifferentLengths) {
  EXPECT_EQ(FormatColumns({{"a"}, {"bb", "c", "d"}, {"e", "ffff"}}),
            "a\nbb  c     d\ne   ffff");
}

TEST(FormatPairs, PadsBySixAndDropsTheEnd) {
  EXPECT_EQ(FormatPairs({{"a", ""}, {"web", "x,y"}}),
            "a        \nweb      x,y");
  EXPECT_EQ(FormatPairs({{"web", "x"}, {"a", ""}}), "web      x\na");
  EXPECT_EQ(FormatPairs({{"wäb", "x"}, {"b", "y"}}), "wäb      x\nb        y");
}

TEST(NodesText, ShortensIdsAndSortsMaps) {
  const auto nodes = ParseJson(
      R"([{"Node":"n","ID":"aaaa-bb","Address":"1.2.3.4","Datacenter":"dc1",
           "TaggedAddresses":{"wan":"w","lan":"l"},"Meta":null}])");
  ASSERT_TRUE(nodes.ok()) << nodes.status();
  EXPECT_EQ(NodesText(nodes->items, false),
            "Node  ID    Address  DC\nn     aaaa  1.2.3.4  dc1");
  EXPECT_EQ(NodesText(nodes->items, true),
            "Node  ID       Address  DC   TaggedAddresses  Meta\n"
            "n     aaaa-bb  1.2.3.4  dc1  lan=l, wan=w     ");
}

TEST(ServicesText, SortsServicesAndTags) {
  const auto services = ParseJson(R"({"b":["y","x"],"a":[]})");
  ASSERT_TRUE(services.ok()) << services.status();
  EXPECT_EQ(ServicesText(*services, false), "a\nb");
  EXPECT_EQ(ServicesText(*services, true), "a      \nb      x,y");
}

}  // namespace
}  // namespace dnsd
