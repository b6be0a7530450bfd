// The way of a query: who asks dnsd, whom dnsd asks, and what it answers.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "dnsd/cli/dns_probe.h"
#include "dnsd/cli/doctor.h"
#include "dnsd/cli/managed_file.h"
#include "dnsd/cli/proc_sockets.h"
#include "dnsd/cli/resolv_conf.h"
#include "dnsd/cli/resolver_setup.h"
#include "dnsd/config_addresses.h"
#include "dnsd/serve/listen_socket.h"

namespace dnsd {
namespace {

using enum DoctorVerdict;

constexpr uint16_t kDnsPort = 53;

bool IsLoopback(const std::string& ip) {
  return absl::StartsWith(ip, "127.") || ip == "::1";
}

// An address that a listener can be asked at on this machine.
Endpoint Reachable(Endpoint endpoint) {
  if (endpoint.ip == "0.0.0.0") endpoint.ip = "127.0.0.1";
  if (endpoint.ip == "::") endpoint.ip = "::1";
  return endpoint;
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What the files that setup-resolver writes are.
std::optional<ResolverSetup> SetupFor(const Endpoint& listener,
                                      const std::string& domain) {
  ResolverRequest request;
  request.domains = {absl::EndsWith(domain, ".")
                         ? domain.substr(0, domain.size() - 1)
                         : domain};
  request.address = listener;
  auto setup = PlanResolverSetup(request);
  if (!setup.ok()) return std::nullopt;
  return *std::move(setup);
}

// Whether one of them is ours and leads to the listener, as systemd-resolved
// and dnsmasq spell it.
bool IsSetUp(const ResolverSetup& setup, const Endpoint& listener) {
  return std::any_of(
      setup.files.begin(), setup.files.end(), [&](const WantedFile& file) {
        const std::string text = ReadAll(file.path);
        return IsManaged(file.path) &&
               (absl::StrContains(text, EndpointText(listener)) ||
                absl::StrContains(
                    text, absl::StrCat(listener.ip, "#", listener.port)));
      });
}

bool IsResolvedStub(const std::string& ip) {
  return ip == "127.0.0.53" || ip == "127.0.0.54";
}

// Whether large parts of the public Internet may ask: a network of one's own
// is no such part, a /8 or what is wider is.
bool IsOpen(const std::vector<IpNetwork>& allow) {
  const std::vector<IpNetwork> private_ones = DefaultRecursionAllow();
  const auto is_public_and_allowed = [&](const std::string& ip) {
    const absl::StatusOr<SocketAddress> address = ToSocketAddress({ip, 0});
    return address.ok() && !AnyContains(private_ones, *address) &&
           AnyContains(allow, *address);
  };
  for (int first = 1; first < 224; ++first) {
    if (is_public_and_allowed(absl::StrCat(first, ".200.1.1"))) return true;
  }
  for (int first = 0x20; first < 0x40; ++first) {
    if (is_public_and_allowed(absl::StrCat(absl::Hex(first), "00::1"))) {
      return true;
    }
  }
  return false;
}

}  // namespace

void Doctor::CheckResolver() {
  if (Listeners().empty()) return;
  const Endpoint listener = Reachable(Listeners()[0]);
  const std::vector<std::string> servers =
      ParseResolvConf(ReadAll("/etc/resolv.conf")).nameservers;
  const std::string names =
      servers.empty() ? std::string("nobody") : absl::StrJoin(servers, ", ");
  const bool asks_us =
      std::any_of(servers.begin(), servers.end(), [&](const std::string& ip) {
        return std::any_of(Listeners().begin(), Listeners().end(),
                           [&](const Endpoint& ours) {
                             return ours.port == kDnsPort &&
                                    (ours.ip == ip || Reachable(ours).ip == ip);
                           });
      });
  const std::string& domain =
      agent_.is_there ? agent_.domain : config_.policy.domain;
  const std::optional<ResolverSetup> setup = SetupFor(listener, domain);
  if (asks_us) {
    return Ok("resolver", "/etc/resolv.conf names dnsd");
  }
  if (setup && IsSetUp(*setup, listener)) {
    return Ok("resolver", absl::StrCat("setup-resolver was here (",
                                       ModeWord(setup->mode), ")"));
  }
  Add(kOk, "resolver",
      absl::StrCat("programs of this machine do not ask dnsd, but ", names,
                   setup ? absl::StrCat(" (", setup->reason, ")") : ""),
      "if they should: `dnsd setup-resolver`");
}

// A recursor that asks dnsd again. What is dnsd itself was left out when the
// configuration was read, with a warning.
void Doctor::CheckLoop() {
  if (agent_.forward_loops > 0) {
    Add(kFail, "loop",
        absl::StrCat("a query of ours came back ", agent_.forward_loops,
                     " times: a recursor asks dnsd again"),
        "the agent's log names the zone; name other recursors for it");
    return;
  }
  std::vector<std::string> asked;
  for (const ForwardRuleConfig& rule : config_.forward) {
    for (const UpstreamConfig& to : rule.to) {
      asked.push_back(to.endpoint.ip);
      const bool is_set_up =
          !Listeners().empty() &&
          IsManaged("/etc/systemd/resolved.conf.d/dnsd.conf");
      if (!IsResolvedStub(to.endpoint.ip) || !is_set_up) continue;
      return Add(kFail, "loop",
                 absl::StrCat("the recursor ", EndpointText(to.endpoint),
                              " is systemd-resolved, which asks dnsd"),
                 "name the servers of /run/systemd/resolve/resolv.conf as "
                 "recursors");
    }
  }
  if (!asked.empty()) {
    Ok("loop", absl::StrCat("no recursor is seen to ask dnsd again (",
                            asked.size(), " are asked)"));
  }
}

void Doctor::CheckRecursion() {
  if (config_.forward.empty()) return;
  const bool is_outside = std::any_of(
      Listeners().begin(), Listeners().end(),
      [](const Endpoint& endpoint) { return !IsLoopback(endpoint.ip); });
  if (!is_outside) {
    return Ok("recursion", "only this machine can ask for names of others");
  }
  if (!IsOpen(config_.recursion_allow)) {
    return Ok("recursion",
              "only networks of recursion_allow may ask for names "
              "of others, and they are not the Internet");
  }
  Add(kFail, "recursion",
      "anybody on the Internet may ask for names of others: an open resolver "
      "is used to attack third parties",
      "name your own networks in dns_config.recursion_allow");
}

void Doctor::CheckAgent() {
  if (agent_.is_there) {
    return Ok("agent", absl::StrCat("dnsd ", agent_.version, " runs at ",
                                    agent_.address));
  }
  if (agent_.address.empty()) {
    return Add(kWarn, "agent", "HTTP is off, so it cannot be asked");
  }
  Add(kWarn, "agent",
      absl::StrCat("none answers at ", agent_.address, ": ", agent_.error),
      "start it, or say with -http-addr and -token where it is");
}

void Doctor::CheckAnswers() {
  if (!agent_.is_there || !agent_.is_local) return;
  for (const Endpoint& listener : Listeners()) {
    const Endpoint server = Reachable(listener);
    // The agent may be elsewhere, and its HTTP come through a tunnel.
    if (!ProbePort({server.ip, 0}).ok()) {
      Add(kWarn, "answers",
          absl::StrCat(server.ip, " is no address of this machine"),
          "run it where the agent is");
      continue;
    }
    for (const auto& [protocol, name] :
         {std::pair{SocketProtocol::kUdp, "UDP"},
          std::pair{SocketProtocol::kTcp, "TCP"}}) {
      const absl::Status status = SoaProbe(server, protocol, agent_.domain);
      const std::string what =
          absl::StrCat(EndpointText(server), " over ", name);
      if (status.ok()) {
        Ok("answers", absl::StrCat(what, " answers for ", agent_.domain));
      } else {
        Add(kFail, "answers",
            absl::StrCat(what, " does not answer for ", agent_.domain, ": ",
                         status.message()),
            "is a firewall in between? See the agent's log");
      }
    }
  }
}

void Doctor::CheckCatalog() {
  for (const auto& [section, values] : agent_.stats) {
    const auto text = [&values = values](const char* key) {
      const auto at = values.find(key);
      return at == values.end() ? std::string() : at->second;
    };
    if (section == "registry" && !text("store_error").empty()) {
      Add(kFail, "catalog",
          absl::StrCat("registrations are not kept: ", text("store_error")),
          "make data_dir writable, with room");
    }
    if (!absl::StartsWith(section, "mirror_")) continue;
    const std::string datacenter = section.substr(sizeof("mirror_") - 1);
    const std::string what =
        absl::StrCat("datacenter ", datacenter, " is ", text("state"),
                     ", known to be true ", text("age_ms"), " ms ago");
    if (text("state") == "fresh") {
      Ok("catalog", what);
    } else {
      Add(text("state") == "awaited" ? kWarn : kFail, "catalog",
          absl::StrCat(what, text("last_error").empty() ? "" : ": ",
                       text("last_error")),
          "see the checks of Consul here, and `dnsd info`");
    }
    if (text("held_back") == "true") {
      Add(kWarn, "catalog",
          absl::StrCat("datacenter ", datacenter,
                       " lost more than half of its instances, and is held "
                       "back"),
          "consul.hold_shrunken says how long");
    }
  }
}

std::vector<Finding> Doctor::Examine() {
  CheckAgent();
  CheckPorts();
  CheckAnswers();
  CheckBuffers();
  CheckDescriptors();
  CheckResolver();
  CheckLoop();
  CheckRecursion();
  CheckClock();
  CheckConsul();
  CheckCatalog();
  CheckDataDir();
  CheckCertificate();
  return findings_;
}

void Doctor::Add(DoctorVerdict verdict, absl::string_view check,
                 std::string what, std::string todo) {
  findings_.push_back(
      {verdict, std::string(check), std::move(what), std::move(todo)});
}

}  // namespace dnsd
