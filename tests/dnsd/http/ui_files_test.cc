#include "dnsd/http/ui_files.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "dnsd/http/ui_assets.h"
#include "gtest/gtest.h"

namespace dnsd {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

HttpResponse Ask(const std::string& path, Headers headers = {},
                 bool is_on = true, const std::string& method = "GET") {
  const Routes routes(UiFileRoutes([is_on] { return is_on; }));
  HttpRequest request;
  request.method = method;
  request.path = path;
  request.headers = std::move(headers);
  HttpResponse answer;
  routes.Handle(request,
                [&](HttpResponse response) { answer = std::move(response); });
  return answer;
}

std::string Header(const HttpResponse& response, const std::string& name) {
  for (const auto& header : response.headers) {
    if (header.first == name) return header.second;
  }
  return "";
}

TEST(UiFiles, TheRootLeadsToThePage) {
  for (const char* path : {"/", "/ui"}) {
    const HttpResponse response = Ask(path);
    EXPECT_EQ(response.status, 307) << path;
    EXPECT_EQ(Header(response, "Location"), "/ui/") << path;
  }
  EXPECT_EQ(Ask("/ui/").status, 200);
  EXPECT_EQ(Ask("/ui/", {}, true, "HEAD").status, 200);
  EXPECT_EQ(Ask("/ui/", {}, true, "PUT").status, 405);
  for (const char* path : {"/ui/nothing", "/uix", "/other", "/ui/app.js"}) {
    EXPECT_EQ(Ask(path).status, 404) << path;
  }
}

TEST(UiFiles, SwitchedOffThereIsNothing) {
  for (const char* path : {"/", "/ui", "/ui/", "/ui/licenses.txt"}) {
    EXPECT_EQ(Ask(path, {}, false).status, 404) << path;
  }
}

TEST(UiFiles, EveryFileMayLoadAndAskFromHereOnly) {
  for (const UiAsset& asset : UiAssets()) {
    const HttpResponse response = Ask(std::string(asset.path));
    EXPECT_EQ(response.status, 200) << asset.path;
    EXPECT_EQ(response.content_type, asset.content_type);
    EXPECT_FALSE(response.body.empty()) << asset.path;
    const std::string policy = Header(response, "Content-Security-Policy");
    EXPECT_TRUE(absl::StartsWith(policy, "default-src 'none'; ")) << policy;
    EXPECT_FALSE(absl::StrContains(policy, "unsafe")) << policy;
    EXPECT_FALSE(absl::StrContains(policy, "*")) << policy;
    EXPECT_TRUE(absl::StrContains(policy, "frame-ancestors 'none'")) << policy;
    EXPECT_EQ(Header(response, "Referrer-Policy"), "no-referrer");
  }
}

TEST(UiFiles, ThePageNamesFilesThatAreThere) {
  const std::string page = Ask("/ui/").body;
  std::vector<std::string> named;
  const std::vector<std::string> quoted = absl::StrSplit(page, '"');
  for (size_t i = 1; i < quoted.size(); i += 2) {
    if (absl::EndsWith(quoted[i], ".js") || absl::EndsWith(quoted[i], ".css") ||
        absl::EndsWith(quoted[i], ".svg")) {
      named.push_back(quoted[i]);
    }
  }
  EXPECT_GE(named.size(), 5u) << page;
  for (const std::string& name : named) {
    const HttpResponse response = Ask(absl::StrCat("/ui/", name));
    EXPECT_EQ(response.status, 200) << name;
    EXPECT_TRUE(
        absl::StrContains(Header(response, "Cache-Control"), "immutable"))
        << name;
  }
  // The page itself names them, so it must not be kept.
  EXPECT_EQ(Header(Ask("/ui/"), "Cache-Control"), "no-cache");
}

TEST(UiFiles, IsCompressedForWhoTakesIt) {
  for (const UiAsset& asset : UiAssets()) {
    const HttpResponse plain = Ask(std::string(asset.path));
    const HttpResponse packed =
        Ask(std::string(asset.path), {{"accept-encoding", "gzip"}});
    EXPECT_EQ(Header(plain, "Content-Encoding"), "");
    EXPECT_EQ(Header(packed, "Content-Encoding"), "gzip");
    EXPECT_EQ(packed.body.substr(0, 2), "\x1f\x8b") << asset.path;
    // RFC 1952: the size of what is in it, at the end.
    const std::string& body = packed.body;
    uint32_t size = 0;
    for (int i = 0; i < 4; ++i) {
      size |= uint32_t{static_cast<unsigned char>(body[body.size() - 4 + i])}
              << (8 * i);
    }
    EXPECT_EQ(size, plain.body.size()) << asset.path;
    EXPECT_NE(Header(plain, "ETag"), Header(packed, "ETag"));
    EXPECT_EQ(Header(plain, "Vary"), "Accept-Encoding");
    EXPECT_EQ(Header(packed, "Vary"), "Accept-Encoding");
  }
}

TEST(UiFiles, WhatIsKnownIsNotSentAgain) {
  const std::string etag = Header(Ask("/ui/"), "ETag");
  ASSERT_GT(etag.size(), 10u);
  for (const std::string& given :
       {etag, absl::StrCat("W/", etag), absl::StrCat("\"other\", ", etag),
        std::string("*")}) {
    const HttpResponse response = Ask("/ui/", {{"if-none-match", given}});
    EXPECT_EQ(response.status, 304) << given;
    EXPECT_TRUE(response.body.empty());
    EXPECT_EQ(Header(response, "ETag"), etag);
    EXPECT_EQ(Header(response, "Vary"), "Accept-Encoding");
  }
  EXPECT_EQ(Ask("/ui/", {{"if-none-match", "\"other\""}}).status, 200);
  // Another encoding is another representation.
  EXPECT_EQ(Ask("/ui/", {{"if-none-match", etag}, {"accept-encoding", "gzip"}})
                .status,
            200);
}

TEST(UiFiles, ShipsTheLicensesOfWhatOthersWrote) {
  const std::string text = Ask("/ui/licenses.txt").body;
  for (const char* part :
       {"preact 10.", "htm 3.", "uplot 1.", "Jason Miller", "Google Inc.",
        "Leon Sorokin", "The above copyright notice and this permission notice",
        "Apache License"}) {
    EXPECT_TRUE(absl::StrContains(text, part)) << part;
  }
}

}  // namespace
}  // namespace dnsd
