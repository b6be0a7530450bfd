// What the mirrored Consul says to who asks it as the mirror does.
#include <fstream>
#include <iterator>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "catalog/base/json_read.h"
#include "dnsd/cli/doctor.h"
#include "dnsd/cli/json_text.h"

namespace dnsd {
namespace {

using enum DoctorVerdict;

constexpr int64_t kConsulConnectMs = 3'000;
constexpr int64_t kConsulTotalMs = 10'000;
// Consul's Date has whole seconds, and the answer takes its time.
constexpr int64_t kClockWarnSeconds = 5;

// What a mirror reads, by the resources of Consul's rules.
constexpr const char* kRights[] = {"node", "service", "query"};
constexpr char kPolicy[] =
    "a token with: node_prefix \"\" { policy = \"read\" } service_prefix \"\" "
    "{ policy = \"read\" } query_prefix \"\" { policy = \"read\" }, as "
    "consul.token or token_file";

// The token as the mirror takes it; `error`: the file cannot be read.
std::string TokenOf(const ConsulOptions& consul, std::string* error) {
  if (consul.token_file.empty()) return consul.token;
  std::ifstream file(consul.token_file);
  std::string text(std::istreambuf_iterator<char>(file), {});
  absl::StripAsciiWhitespace(&text);
  if (text.empty()) {
    *error = absl::StrCat("the token of ", consul.token_file,
                          " cannot be read, or is empty");
  }
  return text.empty() ? consul.token : text;
}

class ConsulExam {
 public:
  ConsulExam(const ConsulOptions& consul, int64_t now_s)
      : consul_(consul), now_s_(now_s) {}

  std::vector<Finding> Run() {
    std::string error;
    token_ = TokenOf(consul_, &error);
    if (!error.empty()) {
      Add(kFail, error, "make it readable to the user that runs dnsd");
    }
    bool is_first = true;
    for (const ConsulAddress& address : consul_.addresses) {
      Examine(address, is_first);
      is_first = false;
    }
    return std::move(findings_);
  }

 private:
  void Add(DoctorVerdict verdict, std::string what, std::string todo = "") {
    findings_.push_back({verdict, "consul", std::move(what), std::move(todo)});
  }

  absl::StatusOr<HttpCallAnswer> Call(const ConsulAddress& address,
                                      const std::string& method,
                                      const std::string& path,
                                      const std::string& body = "") const {
    HttpCallRequest request;
    request.method = method;
    request.url = address.url + path;
    request.unix_socket = address.unix_socket;
    request.body = body;
    request.connect_ms = kConsulConnectMs;
    request.total_ms = kConsulTotalMs;
    request.tls.ca_file = consul_.tls.ca_file;
    request.tls.ca_path = consul_.tls.ca_path;
    request.tls.cert_file = consul_.tls.cert_file;
    request.tls.key_file = consul_.tls.key_file;
    request.tls.verify = consul_.tls.verify;
    if (!token_.empty()) {
      request.headers.push_back(absl::StrCat("X-Consul-Token: ", token_));
    }
    return HttpCall(request);
  }

  void Examine(const ConsulAddress& address, bool is_first) {
    where_ = address.unix_socket.empty() ? address.url : address.unix_socket;
    const auto leader = Call(address, "GET", "/v1/status/leader");
    if (!leader.ok()) {
      return Add(
          is_first ? kFail : kWarn,
          absl::StrCat(where_, " does not answer: ", leader.status().message()),
          "is it running, and is the address right? Until then dnsd "
          "answers from what it knows");
    }
    CheckClock(leader->date);
    if (leader->status != 200 || leader->body.size() <= 2) {
      Add(kFail, absl::StrCat(where_, " knows no leader"),
          "see `consul operator raft list-peers`; dnsd goes on with what it "
          "knows");
    } else {
      Add(kOk, absl::StrCat(where_, " answers and has a leader"));
    }
    CheckRights(address);
  }

  void CheckClock(const std::string& date) {
    absl::Time theirs;
    if (!absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", date, &theirs, nullptr)) {
      return;
    }
    const int64_t apart = now_s_ - absl::ToUnixSeconds(theirs);
    if (apart <= kClockWarnSeconds && apart >= -kClockWarnSeconds) {
      return Add(kOk, absl::StrCat(where_, " has the same time as we"));
    }
    Add(kWarn,
        absl::StrCat("our clock is ", apart < 0 ? -apart : apart, " s ",
                     apart < 0 ? "behind" : "before", " that of ", where_),
        "synchronise both");
  }

  // A proxy may answer with a page.
  static constexpr size_t kBodyShown = 200;

  // How many a list has that is read as the mirror reads it.
  std::optional<size_t> Count(const ConsulAddress& address,
                              const std::string& path) {
    const auto answer = Call(address, "GET", path);
    if (!answer.ok() || answer->status != 200) {
      Add(kFail,
          absl::StrCat(where_, path, ": ",
                       answer.ok()
                           ? absl::StrCat(answer->status, " ",
                                          answer->body.substr(0, kBodyShown))
                           : std::string(answer.status().message())),
          kPolicy);
      return std::nullopt;
    }
    const auto list = ParseJson(answer->body);
    return list.ok() ? list->items.size() + list->members.size() : 0;
  }

  // What Consul says that the token may not read. Its user interface asks so.
  std::vector<std::string> Denied(const ConsulAddress& address) {
    std::vector<std::string> asked;
    for (const char* resource : kRights) {
      asked.push_back(absl::StrCat("{\"Resource\":\"", resource,
                                   "\",\"Access\":\"read\",\"Segment\":\"\"}"));
    }
    const auto answer = Call(address, "POST", "/v1/internal/acl/authorize",
                             absl::StrCat("[", absl::StrJoin(asked, ","), "]"));
    std::vector<std::string> denied;
    if (!answer.ok() || answer->status != 200) return denied;
    const auto list = ParseJson(answer->body);
    if (!list.ok()) return denied;
    for (const Value& row : list->items) {
      const Value* const allow = FindMember(row, "Allow");
      if (allow == nullptr || allow->boolean) continue;
      denied.push_back(MemberText(row, "Resource"));
    }
    return denied;
  }

  void CheckRights(const ConsulAddress& address) {
    const auto nodes = Count(address, "/v1/catalog/nodes");
    if (!nodes) return;
    const auto services = Count(address, "/v1/catalog/services");
    if (!services) return;
    const std::vector<std::string> denied = Denied(address);
    const std::string sees = absl::StrCat(
        token_.empty() ? "without a token, " : "with its token, ", where_,
        " shows ", *nodes, " nodes and ", *services, " services");
    if (*nodes == 0 || *services == 0) {
      Add(kFail, absl::StrCat(sees, ": rights are missing"), kPolicy);
    } else if (!denied.empty()) {
      Add(kWarn,
          absl::StrCat(sees, ", but not all: it may not read every ",
                       absl::StrJoin(denied, ", every ")),
          kPolicy);
    } else {
      Add(kOk, sees);
    }
  }

  const ConsulOptions& consul_;
  const int64_t now_s_;
  std::string token_;
  std::string where_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> ExamineConsul(const ConsulOptions& consul, int64_t now_s) {
  return ConsulExam(consul, now_s).Run();
}

void Doctor::CheckConsul() {
  for (Finding& finding :
       ExamineConsul(config_.consul, absl::ToUnixSeconds(absl::Now()))) {
    findings_.push_back(std::move(finding));
  }
}

}  // namespace dnsd
