// HttpProbe asks for a URL as Go's http.Client does for Consul: redirects are
// followed, 2xx is passing, 429 warning, everything else critical.
//
// As Probe (probe.h) says.
// Limits:  kCheckRequestsMax requests with redirects; of a body longer than
//          kCheckBodyBytesMax the rest is not read; the output has the body's
//          last output_max_size bytes, as Consul's.
// Safety:  http and https alone; proxies of the environment are not used,
//          which Consul does.
#ifndef DNSD_CATALOG_REGISTRY_CHECKS_HTTP_PROBE_H_
#define DNSD_CATALOG_REGISTRY_CHECKS_HTTP_PROBE_H_

#include <curl/curl.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "catalog/registry/checks/output_tail.h"
#include "catalog/registry/checks/probe.h"
#include "catalog/registry/checks/probe_tls.h"
#include "catalog/registry/checks/probe_tools.h"

namespace dnsd {

// Go's.
inline constexpr int kCheckRequestsMax = 10;
inline constexpr size_t kCheckBodyBytesMax = 8u << 20;

class HttpProbe : public Probe {
 public:
  HttpProbe(ProbeTools* tools, const CheckDefinition& check, ProbeDone done);
  ~HttpProbe() override;
  [[nodiscard]] ProbeResult TimeOut() override;

 private:
  struct CloseCurl {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };
  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  static size_t OnHeadLine(char* data, size_t size, size_t count, void* user);
  static size_t OnBody(char* data, size_t size, size_t count, void* user);
  static CURLcode OnTls(CURL* easy, void* context, void* user);

  void Start();
  void SetMethod();
  void SetHeaders();
  void SetTls();
  void AddHeader(const std::string& line);
  void TakeHeadLine(absl::string_view line);
  void OnEnd(CURLcode code);
  [[nodiscard]] bool FollowsRedirect() const;
  // Sends the next request, or ends.
  void Redirect();
  [[nodiscard]] ProbeResult Result() const;
  // "Get "http://...": WHY"
  [[nodiscard]] ProbeResult Error(absl::string_view why) const;
  [[nodiscard]] std::string ErrorText(CURLcode code) const;

  ProbeTools* const tools_;
  const CheckDefinition& check_;
  const ProbeDone done_;
  std::string method_;
  std::string url_;
  std::string referer_;
  bool has_body_ = true;  // a redirect may drop it
  int request_count_ = 0;
  // Of the answer.
  int status_ = 0;
  std::string status_text_;  // "200 OK"
  std::string location_;
  bool has_head_ = false;
  bool is_cut_off_ = false;
  OutputTail body_;
  TlsPeer peer_;
  std::array<char, CURL_ERROR_SIZE> curl_error_{};
  std::unique_ptr<curl_slist, FreeList> headers_;
  std::unique_ptr<curl_slist, FreeList> connect_to_;
  // Last: libcurl uses the others until it is gone.
  std::unique_ptr<CURL, CloseCurl> easy_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_CHECKS_HTTP_PROBE_H_
