// The table of HCL documents that ParseHcl() is tested with: hcl_test compares
// it with the expectations here, hcl_oracle_test with hashicorp/hcl itself.
//
// Threads: any; no shared state.
#ifndef DNSD_TESTS_CATALOG_BASE_HCL_CASES_H_
#define DNSD_TESTS_CATALOG_BASE_HCL_CASES_H_

#include <string>
#include <vector>

namespace dnsd::testing {

struct HclCase {
  std::string document;
  std::string expected;  // ValueText(), or the message of the error
};

// Documents that hashicorp/hcl accepts.
inline std::vector<HclCase> HclGoodCases() {
  return {
      // Shapes of documents and keys.
      {"", "{}"},
      {"# nothing\n// at\n/* all */", "{}"},
      {"a=1", R"({"a":1})"},
      {"a = 1\nb = 2\n", R"({"a":1,"b":2})"},
      {"a = 1, b = 2,", R"({"a":1,"b":2})"},
      {"a = 1 b = \"x\"c=true", R"({"a":1,"b":"x","c":true})"},
      {"a\n=\n1", R"({"a":1})"},
      {"\"a b\" = 1", R"({"a b":1})"},
      {"\"a\\n\" = 1", R"({"a\u000a":1})"},
      {"a-b.c_d9 = 1", R"({"a-b.c_d9":1})"},
      {"gr\xC3\xB6\xC3\x9F"
       "e = 1",
       "{\"gr\xC3\xB6\xC3\x9F"
       "e\":1}"},
      {"a /* x */ = # y\n 1 // z", R"({"a":1})"},
      {"a = 1 /* /* */ b = 2 /**/", R"({"a":1,"b":2})"},
      {"a = 1\r\nb = 2\r\n", R"({"a":1,"b":2})"},
      // Numbers and booleans.
      {"a = -7", R"({"a":-7})"},
      {"a = 0x1F b = -0Xff", R"({"a":31,"b":-255})"},
      {"a = 017 b = 00 c = -0", R"({"a":15,"b":0,"c":0})"},
      {"a = 9223372036854775807", R"({"a":9223372036854775807})"},
      {"a = -9223372036854775808", R"({"a":-9223372036854775808})"},
      {"a = 1.5 b = 1. c = .5", R"({"a":1.5,"b":1.0,"c":0.5})"},
      {"a = 1e3 b = -2.5E-2", R"({"a":1000.0,"b":-0.025000000000000001})"},
      {"a = 0159.25 b = 0e1", R"({"a":159.25,"b":0.0})"},
      {"a = true b = false", R"({"a":true,"b":false})"},
      // Strings.
      {R"(a = "")", R"({"a":""})"},
      {R"(a = "x\ty\n\"\\")", R"({"a":"x\u0009y\u000a\"\\"})"},
      {R"(a = "\a\b\f\r\v")", R"({"a":"\u0007\u0008\u000c\u000d\u000b"})"},
      {R"(a = "\101\x42\u0043\U00000044")", R"({"a":"ABCD"})"},
      {R"(a = "\u00e9\U0001F600\ud800")",
       "{\"a\":\"\xC3\xA9\xF0\x9F\x98\x80\xEF\xBF\xBD\"}"},
      {R"(a = "\xff\377")", "{\"a\":\"\xFF\xFF\"}"},
      {R"(a = "${x}")", R"({"a":"${x}"})"},
      {R"(a = "<${b("c", {d})}>")", R"({"a":"<${b(\"c\", {d})}>"})"},
      {R"(a = "${"\n"}\n")", R"({"a":"${\"\\n\"}\u000a"})"},
      {"a = \"${x\ny}\"", R"({"a":"${x\u000ay}"})"},
      {R"(a = "$${x} $ {")", R"({"a":"$${x} $ {"})"},
      // Heredocs.
      {"a = <<EOF\nx\n  y\nEOF\n", R"({"a":"x\u000a  y\u000a"})"},
      {"a = <<EOF\nEOF\nb = 1", R"({"a":"","b":1})"},
      {"a = <<EOF\nEOFF\n${x} \"\\n\nEOF\n",
       R"({"a":"EOFF\u000a${x} \"\\n\u000a"})"},
      {"a = <<EOF\r\nx\r\nEOF\r\n", R"({"a":"x\u000a"})"},
      {"a = <<EOF\nx\n  EOF\n", R"({"a":"x\u000a  "})"},
      {"a = <<-EOF\n  x\n    y\n  EOF\n", R"({"a":"x\u000a  y\u000a"})"},
      {"a = <<-EOF\n  x\n\n  EOF\n", R"({"a":"  x\u000a\u000a"})"},
      {"a = <<-EOF\n x\n  EOF\n", R"({"a":" x\u000a"})"},
      {"a = <<-EOF\nEOF\n EOF\n", R"({"a":"EOF\u000a"})"},
      {"a = <<-EOF\n  EOF\n", R"({"a":""})"},
      {"a = [<<EOF\nx\nEOF\n, 1]", R"({"a":["x\u000a",1]})"},
      // Lists.
      {"a = []", R"({"a":[]})"},
      {"a = [1, \"x\", true, 1.5,]", R"({"a":[1,"x",true,1.5]})"},
      {"a = [,1,,2]", R"({"a":[1,2]})"},
      {"a = [[1] [2], [{b = 3}]]", R"({"a":[[1],[2],[{"b":3}]]})"},
      {"a = [\n# x\n1, # y\n2 # z\n]", R"({"a":[1,2]})"},
      {"a = [{b = 1}, {b = 2 c = 3}]", R"({"a":[{"b":1},{"b":2,"c":3}]})"},
      // Objects: a list of one, or of as many as there are blocks.
      {"a {}", R"({"a":[{}]})"},
      {"a = {}", R"({"a":[{}]})"},
      {"a { b { c = 1 } }", R"({"a":[{"b":[{"c":1}]}]})"},
      {"a { b = 1, c = 2, }", R"({"a":[{"b":1,"c":2}]})"},
      {"service { name = \"a\" }\nservice { name = \"b\" }",
       R"({"service":[{"name":"a"},{"name":"b"}]})"},
      {"services = [{name = \"a\"}, {name = \"b\"}]",
       R"({"services":[{"name":"a"},{"name":"b"}]})"},
      {"a {x = 1}\nb = 1\na = [{x = 2}]\na {x = 3}",
       R"({"a":[{"x":1},{"x":2},{"x":3}],"b":1})"},
      {"a = [1]\na = [2, 3]\na {}", R"({"a":[1,2,3,{}]})"},
      // Labels.
      {"service \"web\" { port = 1 }", R"({"service":[{"web":[{"port":1}]}]})"},
      {"a \"b\" c {}", R"({"a":[{"b":[{"c":[{}]}]}]})"},
      {"a \"x\" {n = 1}\na \"y\" {}\na \"x\" {n = 2}",
       R"({"a":[{"x":[{"n":1}]},{"y":[{}]},{"x":[{"n":2}]}]})"},
  };
}

// Documents that hashicorp/hcl refuses too.
inline std::vector<HclCase> HclBadCases() {
  const std::string cannot_join =
      "'a' is here before, as another kind of value that this one cannot be "
      "added to";
  return {
      {"a",
       "line 1, column 2: expected '=' or '{' after 'a', found the end "
       "of the file"},
      {"a = 1\n}", "line 2, column 1: expected a key, found '}'"},
      {"a,b", "line 1, column 2: expected '=' or '{' after 'a', found ','"},
      {"\"x\" 1",
       "line 1, column 5: expected '=' or '{' after the string "
       "\"x\", found the number 1"},
      {"a b = 1", "line 1, column 5: expected '{' after 'b', found '='"},
      {"= 1", "line 1, column 1: expected a key, found '='"},
      {"{a = 1}}", "line 1, column 1: expected a key, found '{'"},
      {"true = 1", "line 1, column 1: expected a key, found the boolean true"},
      {"a = b", "line 1, column 5: expected a value, found 'b'"},
      {"a = [b]", "line 1, column 6: expected a value, found 'b'"},
      {"a = [1 2]",
       "line 1, column 8: expected ',' or ']', found the number "
       "2"},
      {"a = [1,",
       "line 1, column 8: expected ',' or ']', found the end of "
       "the file"},
      {"a {\nb = 1",
       "line 2, column 6: expected a key or '}', found the end "
       "of the file"},
      {"a = 1,,b = 2", "line 1, column 7: expected a key, found ','"},
      {"a = 08", "line 1, column 5: 08 is not a number or is too large"},
      {"a = 0x", "line 1, column 5: 0x is not a number or is too large"},
      {"a = 1e", "line 1, column 5: 1e is not a number or is too large"},
      {"a = 1e999", "line 1, column 5: 1e999 is not a number or is too large"},
      {"a = 9223372036854775808",
       "line 1, column 5: 9223372036854775808 is not a number or is too large"},
      {"a = -9223372036854775809",
       "line 1, column 5: -9223372036854775809 is not a number or is too "
       "large"},
      {"a = .5e1",
       "line 1, column 5: a number with an exponent needs a digit first"},
      {"a = +1", "line 1, column 5: unexpected character '+'"},
      {"a = 'x'", "line 1, column 5: unexpected character '''"},
      {"\xC3\xA9 = \xE2\x80\x9Cx\xE2\x80\x9D",
       "line 1, column 5: unexpected character '\xE2\x80\x9C'"},
      {"a = 1 / 2", "line 1, column 7: unexpected character '/'"},
      {"a = \"x", "line 1, column 5: the string that begins here has no end"},
      {"a = \"x\n\"",
       "line 1, column 5: the string that begins here has no "
       "end"},
      {"a = \"${\"",
       "line 1, column 5: the string that begins here has no "
       "end"},
      {R"(a = "\q")", "line 1, column 6: an escape that HCL does not have"},
      {R"(a = "${\q}")", "line 1, column 8: an escape that HCL does not have"},
      {R"(a = "\400")", "line 1, column 6: an escape that HCL does not have"},
      {R"(a = "\u12")", "line 1, column 6: an escape that HCL does not have"},
      {R"(a = "\U00110000")",
       "line 1, column 6: an escape that HCL does not have"},
      {"\n/* x", "line 2, column 1: the comment that begins here has no end"},
      {"/*/", "line 1, column 1: the comment that begins here has no end"},
      {"a = < x", "line 1, column 5: unexpected character '<'"},
      {"a = <<\nx\n",
       "line 1, column 5: '<<' needs a word after it and then "
       "the line's end"},
      {"a = <<EOF x\nEOF\n",
       "line 1, column 5: '<<' needs a word after it "
       "and then the line's end"},
      {"a = <<EOF\nx\nEOF",
       "line 1, column 5: the heredoc that begins here "
       "has no closing line 'EOF'"},
      {"a = <<-EOF\nx\nEOF\n",
       "line 1, column 5: the heredoc that begins "
       "here has no closing line 'EOF'"},
      {"a = \"\xFF\"", "line 1, column 6: invalid UTF-8"},
      {"# \xED\xA0\x80", "line 1, column 3: invalid UTF-8"},
      {std::string("a = 1\n\0", 7), "line 2, column 1: a NUL character"},
      {"a {}\na = 1", "line 2, column 1: " + cannot_join},
      {"a = 1\na {}", "line 2, column 1: " + cannot_join},
      {"a = 1\n\na = [1]", "line 3, column 1: " + cannot_join},
      {"a {}\na = [1]", "line 2, column 1: " + cannot_join},
      {"a {}\na \"x\" {}", "line 2, column 1: " + cannot_join},
      {"a \"x\" {}\na = []", "line 2, column 1: " + cannot_join},
  };
}

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_CATALOG_BASE_HCL_CASES_H_
