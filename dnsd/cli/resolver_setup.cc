#include "dnsd/cli/resolver_setup.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "dnsd/cli/managed_file.h"
#include "dnsd/cli/resolv_conf.h"
#include "dnsd/config_addresses.h"
#include "dnsd/serve/listen_socket.h"

namespace dnsd {
namespace {

namespace fs = std::filesystem;

constexpr char kResolvConf[] = "/etc/resolv.conf";
constexpr char kResolvedDropIn[] = "/etc/systemd/resolved.conf.d/dnsd.conf";
constexpr char kNetworkManagerDropIn[] = "/etc/NetworkManager/conf.d/dnsd.conf";
constexpr char kDnsmasqDropIn[] = "/etc/NetworkManager/dnsmasq.d/dnsd.conf";
// The servers that systemd-resolved itself asks, as a resolv.conf.
constexpr char kResolvedUpstreams[] = "/run/systemd/resolve/resolv.conf";

// In our drop-in of systemd-resolved, which then does not know them any more.
constexpr char kRecursorsComment[] = "# recursors:";

constexpr uint16_t kDnsPort = 53;
constexpr uint16_t kAgentDnsPort = 8600;
constexpr int kLinksMax = 8;  // one after another

struct ModeName {
  ResolverMode mode;
  const char* word;
  std::vector<const char*> paths;
};

const std::vector<ModeName>& Modes() {
  static const std::vector<ModeName> modes = {
      {ResolverMode::kResolved, "resolved", {kResolvedDropIn}},
      {ResolverMode::kNetworkManager,
       "networkmanager",
       {kNetworkManagerDropIn, kDnsmasqDropIn}},
      {ResolverMode::kResolvConf, "resolv.conf", {kResolvConf}},
  };
  return modes;
}

// The listeners of systemd-resolved, which would ask dnsd again.
bool IsResolvedStub(const std::string& ip) {
  return ip == "127.0.0.53" || ip == "127.0.0.54";
}

std::string RecursorText(const Endpoint& recursor) {
  return recursor.port == kDnsPort ? recursor.ip : EndpointText(recursor);
}

// Where `path` leads below `root`; absolute links begin there, too.
std::string FollowLinks(const std::string& root, std::string path) {
  for (int i = 0; i < kLinksMax; ++i) {
    std::error_code error;
    const fs::path target = fs::read_symlink(root + path, error);
    if (error) break;
    // An absolute target takes the place of what is in front of it.
    path = (fs::path(path).parent_path() / target).lexically_normal().string();
  }
  return path;
}

// "" for a file that cannot be read.
std::string ReadBelow(const std::string& root, const std::string& path) {
  std::ifstream file(root + FollowLinks(root, path), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Planner {
 public:
  explicit Planner(const ResolverRequest& request)
      : request_(request), address_(request.address) {}

  absl::StatusOr<ResolverSetup> Plan() {
    ReadFormer();
    ChooseMode();
    if (address_.port == 0) {
      address_.port =
          setup_.mode == ResolverMode::kResolvConf ? kDnsPort : kAgentDnsPort;
    }
    absl::Status status;
    switch (setup_.mode) {
      case ResolverMode::kResolved:
        status = PlanResolved();
        break;
      case ResolverMode::kNetworkManager:
        PlanNetworkManager();
        break;
      case ResolverMode::kResolvConf:
        status = PlanResolvConf();
        break;
    }
    if (!status.ok()) return status;
    return std::move(setup_);
  }

 private:
  // What others wrote as resolv.conf: where ours is in place, what was saved.
  void ReadFormer() {
    const bool ours = IsManaged(request_.root + kResolvConf);
    const std::string path =
        absl::StrCat(kResolvConf, ours ? kFormerSuffix : "");
    former_path_ = FollowLinks(request_.root, path);
    former_text_ = ReadBelow(request_.root, path);
    former_ = ParseResolvConf(former_text_);
    former_is_link_ = former_path_ != path;
  }

  void ChooseMode() {
    if (request_.mode) {
      setup_.mode = *request_.mode;
      setup_.reason = "as -mode says";
      return;
    }
    for (const ModeName& known : Modes()) {
      for (const char* path : known.paths) {
        if (!IsManaged(request_.root + path)) continue;
        setup_.mode = known.mode;
        setup_.reason = absl::StrCat("dnsd wrote ", path, " before");
        return;
      }
    }
    const std::string link =
        absl::StrCat(kResolvConf, " is a link to ", former_path_);
    const auto& servers = former_.nameservers;
    if (absl::StrContains(former_path_, "/systemd/")) {
      Choose(ResolverMode::kResolved, link);
    } else if (std::any_of(servers.begin(), servers.end(), IsResolvedStub)) {
      Choose(ResolverMode::kResolved,
             absl::StrCat(kResolvConf, " names systemd-resolved's stub"));
    } else if (absl::StrContains(former_path_, "/NetworkManager/")) {
      Choose(ResolverMode::kNetworkManager, link);
    } else if (absl::StrContains(former_text_, "enerated by NetworkManager")) {
      Choose(ResolverMode::kNetworkManager,
             absl::StrCat("NetworkManager wrote ", kResolvConf));
    } else {
      Choose(ResolverMode::kResolvConf,
             former_is_link_ ? link : "nobody else is seen to be in charge");
    }
  }

  void Choose(ResolverMode mode, std::string reason) {
    setup_.mode = mode;
    setup_.reason = std::move(reason);
  }

  absl::Status PlanResolved() {
    if (request_.recursors.empty()) {
      UseResolvedUpstreams();
    }
    absl::Status status = TakeGivenRecursors();
    if (!status.ok()) return status;
    std::vector<std::string> routes;
    for (const std::string& domain : request_.domains) {
      routes.push_back("~" + domain);
    }
    setup_.files.push_back(
        {kResolvedDropIn,
         absl::StrCat(
             "# Its servers get all names that are no link's own, so dnsd has\n"
             "# to be the only one and asks those that were in use:\n",
             kRecursorsComment, recursors_.empty() ? "" : " ",
             JoinedRecursors(" ", ""), "\n",
             "[Resolve]\n"
             "DNS=\n"
             "DNS=",
             EndpointText(address_), "\nDomains=", absl::StrJoin(routes, " "),
             "\n")});
    if (recursors_.empty()) {
      setup_.notes.push_back(absl::StrCat(
          "No server is known from ", kResolvedUpstreams,
          ": dnsd refuses what is not its own, and only links with servers "
          "resolve that. -recursor says whom dnsd asks"));
    }
    SetConfig();
    return absl::OkStatus();
  }

  void PlanNetworkManager() {
    setup_.files.push_back({kNetworkManagerDropIn, "[main]\ndns=dnsmasq\n"});
    std::string lines;
    for (const std::string& domain : request_.domains) {
      absl::StrAppend(&lines, "server=/", domain, "/", address_.ip, "#",
                      address_.port, "\n");
    }
    setup_.files.push_back({kDnsmasqDropIn, std::move(lines)});
    std::error_code error;
    if (!fs::exists(request_.root + "/usr/sbin/dnsmasq", error)) {
      setup_.notes.push_back(
          "NetworkManager needs dnsmasq: install the package dnsmasq-base");
    }
  }

  absl::Status PlanResolvConf() {
    if (address_.port != kDnsPort) {
      return absl::FailedPreconditionError(
          absl::StrCat("-address has port ", address_.port,
                       ": a resolv.conf cannot say it, dnsd needs port ",
                       kDnsPort, " there"));
    }
    absl::Status status = TakeGivenRecursors();
    if (status.ok() && request_.recursors.empty()) status = TakeNameservers();
    if (!status.ok()) return status;
    std::string body;
    for (const std::string& line : former_.other_lines) {
      absl::StrAppend(&body, line, "\n");
    }
    absl::StrAppend(&body, "nameserver ", address_.ip, "\n");
    setup_.files.push_back({kResolvConf, std::move(body)});
    setup_.notes.push_back(
        "What else writes /etc/resolv.conf, such as a DHCP client, has to be "
        "told to leave it alone");
    SetConfig();
    return absl::OkStatus();
  }

  absl::Status TakeGivenRecursors() {
    for (const Endpoint& recursor : request_.recursors) {
      if (IsResolvedStub(recursor.ip) || recursor == address_) {
        return absl::FailedPreconditionError(
            absl::StrCat("-recursor ", RecursorText(recursor),
                         " would ask dnsd again, in a circle"));
      }
      recursors_.push_back(recursor);
    }
    return absl::OkStatus();
  }

  // The servers of the former resolv.conf become dnsd's.
  absl::Status TakeNameservers() {
    const std::vector<std::string>& servers = former_.nameservers;
    if (std::any_of(servers.begin(), servers.end(), IsResolvedStub)) {
      UseResolvedUpstreams();
    }
    UseAsRecursors(servers);
    if (std::find(servers.begin(), servers.end(), address_.ip) !=
        servers.end()) {
      return absl::FailedPreconditionError(absl::StrCat(
          former_path_, " names ", address_.ip,
          ", a resolver of this machine already: let that one forward to dnsd, "
          "or say with -recursor whom dnsd asks instead"));
    }
    if (!recursors_.empty()) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat(former_path_,
                     " names no server that dnsd could ask for other names: "
                     "say one with -recursor"));
  }

  void UseResolvedUpstreams() {
    recursors_ = RememberedRecursors();
    if (!recursors_.empty()) return;
    UseAsRecursors(ParseResolvConf(ReadBelow(request_.root, kResolvedUpstreams))
                       .nameservers);
  }

  void UseAsRecursors(const std::vector<std::string>& ips) {
    for (const std::string& ip : ips) {
      const Endpoint recursor{ip, kDnsPort};
      if (IsResolvedStub(ip) || recursor == address_ ||
          std::find(recursors_.begin(), recursors_.end(), recursor) !=
              recursors_.end()) {
        continue;
      }
      recursors_.push_back(recursor);
    }
  }

  // Those of an earlier time: systemd-resolved names only dnsd since then.
  [[nodiscard]] std::vector<Endpoint> RememberedRecursors() const {
    std::vector<Endpoint> recursors;
    if (!IsManaged(request_.root + kResolvedDropIn)) return recursors;
    const std::string text = ReadBelow(request_.root, kResolvedDropIn);
    for (absl::string_view line : absl::StrSplit(text, '\n')) {
      if (!absl::ConsumePrefix(&line, kRecursorsComment)) continue;
      for (const absl::string_view word :
           absl::StrSplit(line, ' ', absl::SkipEmpty())) {
        const auto recursor = ParseEndpoint(std::string(word), kDnsPort);
        if (recursor) recursors.push_back(*recursor);
      }
    }
    return recursors;
  }

  [[nodiscard]] std::string JoinedRecursors(const char* separator,
                                            const char* quote) const {
    std::vector<std::string> texts;
    for (const Endpoint& recursor : recursors_) {
      texts.push_back(absl::StrCat(quote, RecursorText(recursor), quote));
    }
    return absl::StrJoin(texts, separator);
  }

  void SetConfig() {
    if (address_.port != kAgentDnsPort) {
      absl::StrAppend(&setup_.config, "ports { dns = ", address_.port, " }\n");
    }
    if (address_.ip != "127.0.0.1") {
      absl::StrAppend(&setup_.config, "addresses { dns = \"", address_.ip,
                      "\" }\n");
    }
    if (!recursors_.empty()) {
      absl::StrAppend(&setup_.config, "recursors = [",
                      JoinedRecursors(", ", "\""), "]\n");
    }
  }

  const ResolverRequest& request_;
  Endpoint address_;
  std::string former_path_;  // where links lead, without the root
  bool former_is_link_ = false;
  std::string former_text_;
  ResolvConf former_;
  std::vector<Endpoint> recursors_;
  ResolverSetup setup_;
};

}  // namespace

const char* ModeWord(ResolverMode mode) {
  for (const ModeName& known : Modes()) {
    if (known.mode == mode) return known.word;
  }
  return "";
}

std::optional<ResolverMode> ParseMode(absl::string_view word) {
  for (const ModeName& known : Modes()) {
    if (word == known.word) return known.mode;
  }
  return std::nullopt;
}

absl::StatusOr<ResolverSetup> PlanResolverSetup(
    const ResolverRequest& request) {
  return Planner(request).Plan();
}

std::vector<std::string> ResolverPaths() {
  std::vector<std::string> paths;
  for (const ModeName& known : Modes()) {
    paths.insert(paths.end(), known.paths.begin(), known.paths.end());
  }
  return paths;
}

std::string ReloadCommand(absl::string_view path) {
  if (path == kResolvedDropIn) return "systemctl restart systemd-resolved";
  if (path == kNetworkManagerDropIn || path == kDnsmasqDropIn) {
    return "systemctl reload NetworkManager";
  }
  return "";
}

}  // namespace dnsd
