#include "dnsd/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace dnsd {
namespace {

struct CloseCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};

struct FreeHeaders {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

size_t OnBody(char* data, size_t size, size_t count, void* user) {
  auto* body = static_cast<std::string*>(user);
  const size_t bytes = size * count;
  // A count that is not `bytes` ends the transfer with CURLE_WRITE_ERROR.
  if (body->size() + bytes > kHttpAnswerBytesMax) return 0;
  body->append(data, bytes);
  return bytes;
}

// What is left of the body to send.
size_t OnSend(char* buffer, size_t size, size_t count, void* user) {
  auto* rest = static_cast<absl::string_view*>(user);
  const size_t bytes = std::min(size * count, rest->size());
  if (bytes != 0) std::memcpy(buffer, rest->data(), bytes);
  rest->remove_prefix(bytes);
  return bytes;
}

absl::Status CallError(CURLcode code, const std::string& detail,
                       const std::string& url) {
  const std::string message = absl::StrCat(
      "cannot ask ", url, ": ",
      detail.empty() ? absl::string_view(curl_easy_strerror(code)) : detail);
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return absl::DeadlineExceededError(message);
    case CURLE_WRITE_ERROR:
      return absl::ResourceExhaustedError(
          absl::StrCat("cannot ask ", url, ": the answer is longer than ",
                       kHttpAnswerBytesMax, " bytes"));
    case CURLE_URL_MALFORMAT:
      return absl::InvalidArgumentError(message);
    default:
      return absl::UnavailableError(message);
  }
}

}  // namespace

absl::StatusOr<std::string> HttpAddress(absl::string_view flag,
                                        const char* environment) {
  absl::string_view address = flag;
  if (address.empty() && environment != nullptr) address = environment;
  if (address.empty()) address = "http://127.0.0.1:8500";
  const size_t scheme_end = address.find("://");
  std::string url;
  if (scheme_end == absl::string_view::npos) {
    url = absl::StrCat("http://", address);
  } else if (absl::StartsWith(address, "http://") ||
             absl::StartsWith(address, "https://")) {
    url = std::string(address);
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot call ", address,
                     ": the address must begin with http:// or https://"));
  }
  url = std::string(absl::StripSuffix(url, "/"));
  const absl::string_view host =
      absl::string_view(url).substr(url.find("://") + 3);
  if (host.empty() || host.find_first_of(" /?#@\t\r\n") != host.npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot call ", address, ": not HOST:PORT"));
  }
  return url;
}

absl::StatusOr<HttpCallAnswer> HttpCall(const HttpCallRequest& request) {
  const std::unique_ptr<CURL, CloseCurl> owner(curl_easy_init());
  CURL* const curl = owner.get();
  if (curl == nullptr) return absl::InternalError("cannot set up libcurl");
  // An Expect header would cost a second when the agent does not know it; our
  // bodies are small.
  const std::unique_ptr<curl_slist, FreeHeaders> headers(
      curl_slist_append(nullptr, "Expect:"));
  HttpCallAnswer answer;
  absl::string_view rest = request.body;
  std::string detail(CURL_ERROR_SIZE, '\0');
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail.data());
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(request.connect_ms));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
                   static_cast<long>(request.total_ms));
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "dnsd");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
  if (request.method == "HEAD") {
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  } else if (request.method != "GET" || !request.body.empty()) {
    // PUT and its relatives: a length, even of 0, and then the body.
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, OnSend);
    curl_easy_setopt(curl, CURLOPT_READDATA, &rest);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
  }
  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) {
    return CallError(code, std::string(detail.c_str()), request.url);
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  return answer;
}

}  // namespace dnsd
