#include "tests/testing/consul_api.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "catalog/base/check.h"
#include "catalog/base/json_read.h"
#include "catalog/base/value.h"

namespace dnsd::testing {
namespace {

constexpr std::chrono::milliseconds kPause{5};

struct CloseCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};

struct FreeHeaders {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

size_t OnBody(char* data, size_t size, size_t count, void* user) {
  static_cast<std::string*>(user)->append(data, size * count);
  return size * count;
}

size_t OnHeader(char* data, size_t size, size_t count, void* user) {
  const absl::string_view line(data, size * count);
  const size_t colon = line.find(':');
  if (colon == absl::string_view::npos) return line.size();
  auto* headers = static_cast<std::map<std::string, std::string>*>(user);
  (*headers)[absl::AsciiStrToLower(line.substr(0, colon))] =
      std::string(absl::StripAsciiWhitespace(line.substr(colon + 1)));
  return line.size();
}

size_t OnSend(char* buffer, size_t size, size_t count, void* user) {
  auto* rest = static_cast<absl::string_view*>(user);
  const size_t bytes = std::min(size * count, rest->size());
  if (bytes != 0) std::memcpy(buffer, rest->data(), bytes);
  rest->remove_prefix(bytes);
  return bytes;
}

std::string IdOf(const ConsulInstance& instance) {
  return instance.id.empty() ? instance.name : instance.id;
}

std::string DatacenterMember(const std::string& datacenter) {
  if (datacenter.empty()) return "";
  return absl::StrCat(",\"Datacenter\":", JsonQuoted(datacenter));
}

// The members that say which check, and its status.
std::string CheckMembers(const ConsulInstance& instance,
                         const std::string& status) {
  return absl::StrCat(
      "\"CheckID\":", JsonQuoted("service:" + IdOf(instance)),
      ",\"Name\":\"status\",\"ServiceID\":", JsonQuoted(IdOf(instance)),
      ",\"Status\":", JsonQuoted(status));
}

}  // namespace

std::string JsonQuoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof(escaped), "\\u%04x",
                    static_cast<unsigned>(c));
      quoted += escaped;
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

bool WaitUntil(const std::function<bool()>& done,
               std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!done()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kPause);
  }
  return true;
}

struct ConsulApi::Impl {
  std::string url;
  std::string token;
  std::chrono::milliseconds timeout{kPatience};
  std::unique_ptr<CURL, CloseCurl> curl;
};

ConsulApi::ConsulApi(const std::string& url) : impl_(std::make_unique<Impl>()) {
  impl_->url = url;
  impl_->curl.reset(curl_easy_init());
  DNSD_CHECK(impl_->curl != nullptr);
}

ConsulApi::~ConsulApi() = default;
ConsulApi::ConsulApi(ConsulApi&&) noexcept = default;
ConsulApi& ConsulApi::operator=(ConsulApi&&) noexcept = default;

const std::string& ConsulApi::url() const { return impl_->url; }

void ConsulApi::set_token(const std::string& token) { impl_->token = token; }

void ConsulApi::set_timeout(std::chrono::milliseconds timeout) {
  impl_->timeout = timeout;
}

ConsulReply ConsulApi::Call(const std::string& method, const std::string& path,
                            const std::string& body) {
  CURL* const curl = impl_->curl.get();
  curl_easy_reset(curl);  // the connection stays
  std::unique_ptr<curl_slist, FreeHeaders> headers(
      curl_slist_append(nullptr, "Expect:"));
  if (!impl_->token.empty()) {
    const std::string line = absl::StrCat("X-Consul-Token: ", impl_->token);
    // Appending to a list that is not empty returns the same list.
    DNSD_CHECK(curl_slist_append(headers.get(), line.c_str()) != nullptr);
  }
  ConsulReply reply;
  const std::string url = impl_->url + path;
  absl::string_view rest = body;
  std::string detail(CURL_ERROR_SIZE, '\0');
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail.data());
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
                   static_cast<long>(impl_->timeout.count()));
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply.body);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &reply.headers);
  if (method != "GET") {
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, OnSend);
    curl_easy_setopt(curl, CURLOPT_READDATA, &rest);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE,
                     static_cast<curl_off_t>(body.size()));
  }
  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) {
    reply.body = detail.c_str();
    if (reply.body.empty()) reply.body = curl_easy_strerror(code);
    return reply;
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  reply.status = static_cast<int>(status);
  const auto index = reply.headers.find("x-consul-index");
  if (index != reply.headers.end() &&
      !absl::SimpleAtoi(index->second, &reply.index)) {
    reply.index = 0;
  }
  return reply;
}

int ConsulApi::Put(const std::string& path, const std::string& body) {
  return Call("PUT", path, body).status;
}

int ConsulApi::Delete(const std::string& path) {
  return Call("DELETE", path).status;
}

std::string ConsulApi::Get(const std::string& path) {
  const ConsulReply reply = Call("GET", path);
  return reply.status == 200 ? reply.body : "";
}

std::optional<uint64_t> ConsulApi::Metric(const std::string& name) {
  const std::string text = Get("/metrics");
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    uint64_t value = 0;
    if (absl::StartsWith(line, name + " ") &&
        absl::SimpleAtoi(line.substr(name.size() + 1), &value)) {
      return value;
    }
  }
  return std::nullopt;
}

std::optional<size_t> ConsulApi::Count(const std::string& path) {
  const ConsulReply reply = Call("GET", path);
  if (reply.status != 200) return std::nullopt;
  const absl::StatusOr<Value> value = ParseJson(reply.body);
  if (!value.ok()) return std::nullopt;
  if (value->kind == Value::Kind::kList) return value->items.size();
  if (value->kind == Value::Kind::kObject) return value->members.size();
  return std::nullopt;
}

bool ConsulApi::Register(const ConsulInstance& instance) {
  std::string json =
      absl::StrCat("{\"Node\":", JsonQuoted(instance.node),
                   ",\"Address\":", JsonQuoted(instance.node_address),
                   DatacenterMember(instance.datacenter));
  if (!instance.name.empty()) {
    const std::string tags = absl::StrJoin(
        instance.tags, ",", [](std::string* out, const std::string& tag) {
          *out += JsonQuoted(tag);
        });
    const std::string meta =
        absl::StrJoin(instance.meta, ",", [](std::string* out, const auto& m) {
          absl::StrAppend(out, JsonQuoted(m.first), ":", JsonQuoted(m.second));
        });
    absl::StrAppend(&json, ",\"Service\":{\"ID\":", JsonQuoted(IdOf(instance)),
                    ",\"Service\":", JsonQuoted(instance.name),
                    ",\"Address\":", JsonQuoted(instance.address),
                    ",\"Port\":", instance.port, ",\"Tags\":[", tags,
                    "],\"Meta\":{", meta, "}}");
  }
  if (!instance.status.empty()) {
    absl::StrAppend(&json, ",\"Check\":{",
                    CheckMembers(instance, instance.status), "}");
  }
  return Put("/v1/catalog/register", json + "}") == 200;
}

bool ConsulApi::DeregisterNode(const std::string& node,
                               const std::string& datacenter) {
  return Put("/v1/catalog/deregister",
             absl::StrCat("{\"Node\":", JsonQuoted(node),
                          DatacenterMember(datacenter), "}")) == 200;
}

bool ConsulApi::DeregisterService(const std::string& node,
                                  const std::string& service_id,
                                  const std::string& datacenter) {
  return Put("/v1/catalog/deregister",
             absl::StrCat("{\"Node\":", JsonQuoted(node),
                          ",\"ServiceID\":", JsonQuoted(service_id),
                          DatacenterMember(datacenter), "}")) == 200;
}

bool ConsulApi::SetStatus(const ConsulInstance& instance,
                          const std::string& status) {
  return Put("/v1/catalog/register",
             absl::StrCat("{\"Node\":", JsonQuoted(instance.node),
                          ",\"SkipNodeUpdate\":true",
                          DatacenterMember(instance.datacenter), ",\"Check\":{",
                          CheckMembers(instance, status), "}}")) == 200;
}

bool ConsulApi::WaitForLeader(std::chrono::milliseconds timeout) {
  return WaitUntil(
      [this] {
        const std::string leader = Get("/v1/status/leader");
        return absl::StrContains(leader, ':') &&  // an address in its quotes
               Count("/v1/catalog/service/consul").value_or(0) > 0;
      },
      timeout);
}

}  // namespace dnsd::testing
