#include "dnsd/http_client.h"

#include <curl/curl.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace dnsd {
namespace {

struct CloseCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};

struct FreeHeaders {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

using FreeHeadersList = std::unique_ptr<curl_slist, FreeHeaders>;

// "tcp 127.0.0.1:8500", "tcp [::1]:8500".
std::string SocketAddressText(const sockaddr* address, socklen_t size) {
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  if (getnameinfo(address, size, host, sizeof(host), port, sizeof(port),
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "";
  }
  return address->sa_family == AF_INET6
             ? absl::StrCat("tcp [", host, "]:", port)
             : absl::StrCat("tcp ", host, ":", port);
}

// What comes, and whom it is for.
struct Receiver {
  CURL* curl;
  const HttpCallRequest* request;
  HttpCallAnswer* answer;

  // Whether it is the caller that gets the body.
  [[nodiscard]] bool streams() const {
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return request->on_body && status == 200;
  }
};

size_t OnBody(char* data, size_t size, size_t count, void* user) {
  const auto* receiver = static_cast<const Receiver*>(user);
  std::string* const body = &receiver->answer->body;
  const size_t bytes = size * count;
  if (receiver->streams()) {
    receiver->request->on_body({data, bytes});
    return bytes;
  }
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

// The address that was tried last, for messages.
curl_socket_t OnSocket(void* user, curlsocktype, curl_sockaddr* address) {
  *static_cast<std::string*>(user) = SocketAddressText(
      reinterpret_cast<const sockaddr*>(&address->addr), address->addrlen);
  return socket(address->family, address->socktype | SOCK_CLOEXEC,
                address->protocol);
}

size_t OnHeader(char* data, size_t size, size_t count, void* user) {
  const auto* receiver = static_cast<const Receiver*>(user);
  const absl::string_view line(data, size * count);
  if (line == "\r\n" && receiver->streams()) receiver->request->on_body("");
  constexpr absl::string_view kIndex = "X-Consul-Index:";
  if (absl::StartsWithIgnoreCase(line, kIndex)) {
    uint64_t index = 0;
    if (absl::SimpleAtoi(line.substr(kIndex.size()), &index)) {
      receiver->answer->index = index;
    }
  }
  constexpr absl::string_view kDate = "Date:";
  if (absl::StartsWithIgnoreCase(line, kDate)) {
    receiver->answer->date =
        std::string(absl::StripAsciiWhitespace(line.substr(kDate.size())));
  }
  return size * count;
}

// What OpenSSL says, in the words of Go's TLS where both have words.
std::string TlsErrorText(const std::string& detail) {
  const auto says = [&detail](const char* words) {
    return absl::StrContains(detail, words);
  };
  if (says("wrong version number")) {
    return "http: server gave HTTP response to HTTPS client";
  }
  if (says("local issuer certificate") || says("self-signed certificate")) {
    return "x509: certificate signed by unknown authority";
  }
  if (says("certificate required") || says("bad certificate")) {
    return "remote error: tls: bad certificate";
  }
  return detail;
}

std::string ErrorText(CURL* curl, CURLcode code, const std::string& detail,
                      const std::string& tried) {
  switch (code) {
    case CURLE_COULDNT_CONNECT: {
      long error = 0;
      curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &error);
      if (error == 0 || tried.empty()) return detail;
      return absl::StrCat(
          "dial ", tried, ": connect: ",
          absl::AsciiStrToLower(strerror(static_cast<int>(error))));
    }
    case CURLE_GOT_NOTHING:
      return "EOF";
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_RECV_ERROR:
      return TlsErrorText(detail);
    case CURLE_WRITE_ERROR:
      return absl::StrCat("the answer is longer than ", kHttpAnswerBytesMax,
                          " bytes");
    default:
      return detail;
  }
}

absl::Status CallError(CURLcode code, const std::string& message) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return absl::DeadlineExceededError(message);
    case CURLE_WRITE_ERROR:
      return absl::ResourceExhaustedError(message);
    case CURLE_URL_MALFORMAT:
      return absl::InvalidArgumentError(message);
    default:
      return absl::UnavailableError(message);
  }
}

void Append(FreeHeadersList* list, const std::string& text) {
  curl_slist* const longer = curl_slist_append(list->get(), text.c_str());
  if (longer == nullptr) return;
  (void)list->release();
  list->reset(longer);
}

void SetTls(CURL* curl, const HttpCallTls& tls) {
  const auto set = [curl](CURLoption option, const std::string& text) {
    if (!text.empty()) curl_easy_setopt(curl, option, text.c_str());
  };
  set(CURLOPT_CAINFO, tls.ca_file);
  set(CURLOPT_CAPATH, tls.ca_path);
  set(CURLOPT_SSLCERT, tls.cert_file);
  set(CURLOPT_SSLKEY, tls.key_file);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, tls.verify ? 1L : 0L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, tls.verify ? 2L : 0L);
}

// What stands between "://" and the path.
absl::string_view HostOf(absl::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme == absl::string_view::npos) return "";
  const absl::string_view rest = url.substr(scheme + 3);
  return rest.substr(0, std::min(rest.find('/'), rest.size()));
}

// Calls `server_name` at the address of the URL's host: the name that TLS asks
// for and checks is the name of the URL.
std::string SetServerName(CURL* curl, const HttpCallRequest& request,
                          FreeHeadersList* headers,
                          FreeHeadersList* connect_to) {
  const std::string host(HostOf(request.url));
  const size_t colon = host.rfind(':');
  const bool has_port = colon != std::string::npos && host.back() != ']';
  const std::string port = has_port ? host.substr(colon) : ":443";
  Append(headers, absl::StrCat("Host: ", host));
  Append(connect_to, absl::StrCat("::", host, has_port ? "" : port));
  curl_easy_setopt(curl, CURLOPT_CONNECT_TO, connect_to->get());
  const size_t path = request.url.find(host) + host.size();
  return absl::StrCat("https://", request.tls.server_name, port,
                      request.url.substr(path));
}

void SetLimits(CURL* curl, const HttpCallRequest& request) {
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
  // Who only listens does not notice otherwise that the machine is gone.
  if (request.on_body) curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
}

void SetBody(CURL* curl, const HttpCallRequest& request,
             absl::string_view* rest) {
  if (request.method == "HEAD") {
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    return;
  }
  if (request.method == "GET" && request.body.empty()) return;
  // PUT and its relatives: a length, even of 0, and then the body.
  curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl_easy_setopt(curl, CURLOPT_READFUNCTION, OnSend);
  curl_easy_setopt(curl, CURLOPT_READDATA, rest);
  curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE,
                   static_cast<curl_off_t>(request.body.size()));
}

// "Get", as Go names a method in its errors.
std::string MethodWord(const std::string& method) {
  std::string word = absl::AsciiStrToLower(method);
  if (!word.empty())
    word[0] = absl::ascii_toupper(static_cast<unsigned char>(word[0]));
  return word;
}

}  // namespace

absl::StatusOr<HttpCallAnswer> HttpCall(const HttpCallRequest& request) {
  const std::unique_ptr<CURL, CloseCurl> owner(curl_easy_init());
  CURL* const curl = owner.get();
  if (curl == nullptr) return absl::InternalError("cannot set up libcurl");
  HttpCallAnswer answer;
  Receiver receiver{curl, &request, &answer};
  absl::string_view rest = request.body;
  std::string detail(CURL_ERROR_SIZE, '\0');
  std::string tried;
  FreeHeadersList headers;
  FreeHeadersList connect_to;
  // An Expect header would cost a second when the agent does not know it; our
  // bodies are small.
  Append(&headers, "Expect:");
  for (const std::string& header : request.headers) Append(&headers, header);
  std::string url = request.url;
  if (!request.unix_socket.empty()) {
    url = absl::StrCat("http://localhost",
                       url.substr(url.find("://") + 3 + HostOf(url).size()));
    tried = absl::StrCat("unix ", request.unix_socket);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH,
                     request.unix_socket.c_str());
  } else {
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, OnSocket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &tried);
  }
  if (!request.tls.server_name.empty() && absl::StartsWith(url, "https://")) {
    url = SetServerName(curl, request, &headers, &connect_to);
  }
  SetLimits(curl, request);
  SetTls(curl, request.tls);
  SetBody(curl, request, &rest);
  if (!request.user_password.empty()) {
    curl_easy_setopt(curl, CURLOPT_USERPWD, request.user_password.c_str());
  }
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail.data());
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &receiver);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &receiver);
  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) {
    std::string why = detail.c_str();
    if (why.empty()) why = curl_easy_strerror(code);
    return CallError(
        code, absl::StrCat(MethodWord(request.method), " \"", request.url,
                           "\": ", ErrorText(curl, code, why, tried)));
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  return answer;
}

}  // namespace dnsd
