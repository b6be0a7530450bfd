#include "dnsd/http/http_response.h"

#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace dnsd {
namespace {

TEST(HttpResponse, ValuesCannotBeginHeadersOfTheirOwn) {
  HttpResponse response;
  response.status = 301;
  response.headers = {{"Location", std::string("/a\r\nSet-Cookie: x\0y", 19)}};
  const std::string head =
      FormatHead(response, {.close = false, .http_1_0 = false, .now = 0});
  EXPECT_TRUE(absl::StartsWith(head,
                               "HTTP/1.1 301 Moved Permanently\r\n"
                               "Location: /a  Set-Cookie: x y\r\n"
                               "Content-Length: 0\r\n"
                               "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"))
      << head;
}

TEST(HttpResponse, NoContentHasNeitherBodyNorLength) {
  HttpResponse response;
  response.status = 204;
  response.body = "must not be sent";
  EXPECT_FALSE(HasBody(response));
  const std::string head = FormatHead(response, {});
  EXPECT_FALSE(absl::StrContains(head, "\nContent-Length:"));
  EXPECT_FALSE(absl::StrContains(head, "\nContent-Type:"));
}

}  // namespace
}  // namespace dnsd
