#include "catalog/registry/checks/http_url.h"

#include <curl/curl.h>

#include <memory>

#include "absl/strings/str_cat.h"

namespace dnsd {
namespace {

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, FreeUrl>;

Url Parse(const std::string& text) {
  Url url(curl_url());
  if (url != nullptr &&
      curl_url_set(url.get(), CURLUPART_URL, text.c_str(),
                   CURLU_PATH_AS_IS | CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
    url.reset();
  }
  return url;
}

std::string Part(const Url& url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (url == nullptr ||
      curl_url_get(url.get(), part, &text, flags) != CURLUE_OK) {
    return "";
  }
  std::string copy = text;
  curl_free(text);
  return copy;
}

}  // namespace

std::string UrlHost(const std::string& url) {
  std::string host = Part(Parse(url), CURLUPART_HOST);
  if (host.size() > 2 && host.front() == '[') {
    host = host.substr(1, host.size() - 2);
  }
  return host;
}

std::string UrlHostPort(const std::string& url) {
  const Url parsed = Parse(url);
  const std::string port = Part(parsed, CURLUPART_PORT);
  const std::string host = Part(parsed, CURLUPART_HOST);
  return port.empty() ? host : absl::StrCat(host, ":", port);
}

std::string UrlConnectTo(const std::string& url) {
  const Url parsed = Parse(url);
  return absl::StrCat(Part(parsed, CURLUPART_HOST), ":",
                      Part(parsed, CURLUPART_PORT, CURLU_DEFAULT_PORT));
}

std::string UrlWithHost(const std::string& url, const std::string& host) {
  const Url parsed = Parse(url);
  if (parsed == nullptr || curl_url_set(parsed.get(), CURLUPART_HOST,
                                        host.c_str(), 0) != CURLUE_OK) {
    return url;
  }
  return Part(parsed, CURLUPART_URL);
}

std::string UrlWithoutUser(const std::string& url) {
  const Url parsed = Parse(url);
  if (parsed == nullptr) return "";
  curl_url_set(parsed.get(), CURLUPART_USER, nullptr, 0);
  curl_url_set(parsed.get(), CURLUPART_PASSWORD, nullptr, 0);
  return Part(parsed, CURLUPART_URL);
}

std::string UrlResolved(const std::string& url, const std::string& location) {
  const Url parsed = Parse(url);
  if (parsed == nullptr ||
      curl_url_set(parsed.get(), CURLUPART_URL, location.c_str(),
                   CURLU_PATH_AS_IS | CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
    return location;
  }
  return Part(parsed, CURLUPART_URL);
}

}  // namespace dnsd
