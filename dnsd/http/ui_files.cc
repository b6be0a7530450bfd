#include "dnsd/http/ui_files.h"

#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "dnsd/http/gzip.h"
#include "dnsd/http/ui_assets.h"

namespace dnsd {
namespace {

// Names, notes and outputs come from anybody who may register. Text that got
// into the page as markup could still run nothing and call nobody; trusted
// types refuse to make markup of text at all.
constexpr char kUiPolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'";

constexpr char kUiPath[] = "/ui/";

HttpResponse Bare(int status) {
  HttpResponse response;
  response.status = status;
  return response;
}

const UiAsset* FindAsset(absl::string_view path) {
  for (const UiAsset& asset : UiAssets()) {
    if (asset.path == path) return &asset;
  }
  return nullptr;
}

// RFC 9110 13.1.2: compared weakly, and "*" is any.
bool NoneMatch(const HttpRequest& request, absl::string_view etag) {
  for (const auto& [name, value] : request.headers) {
    if (name != "if-none-match") continue;
    for (absl::string_view given : absl::StrSplit(value, ',')) {
      given = absl::StripAsciiWhitespace(given);
      if (given == "*" || absl::StripPrefix(given, "W/") == etag) return false;
    }
  }
  return true;
}

HttpResponse FileResponse(const HttpRequest& request, const UiAsset& asset) {
  const bool gzip = TakesGzip(request);
  const std::string etag =
      absl::StrCat("\"", asset.hash, gzip ? "-gzip\"" : "\"");
  HttpResponse response;
  response.content_type = std::string(asset.content_type);
  response.headers = {
      {"ETag", etag},
      {"Cache-Control",
       asset.is_immutable ? "public, max-age=31536000, immutable" : "no-cache"},
      {"Vary", "Accept-Encoding"},
      {"Content-Security-Policy", kUiPolicy},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Referrer-Policy", "no-referrer"},
      {"X-Frame-Options", "DENY"},
  };
  if (!NoneMatch(request, etag)) {
    response.status = 304;
    return response;
  }
  if (gzip) response.headers.emplace_back("Content-Encoding", "gzip");
  response.body = std::string(gzip ? asset.gzip : asset.plain);
  return response;
}

}  // namespace

std::vector<Route> UiFileRoutes(std::function<bool()> is_on) {
  auto file = [is_on](const HttpRequest& request, HttpServer::Reply reply) {
    const UiAsset* const asset = is_on() ? FindAsset(request.path) : nullptr;
    reply(asset == nullptr ? Bare(404) : FileResponse(request, *asset));
  };
  auto lead = [is_on](const HttpRequest&, HttpServer::Reply reply) {
    HttpResponse response = Bare(is_on() ? 307 : 404);
    if (is_on()) response.headers.emplace_back("Location", kUiPath);
    reply(std::move(response));
  };
  return {{"GET", "/", lead},
          {"GET", "/ui", lead},
          {"GET", kUiPath, std::move(file)}};
}

}  // namespace dnsd
