#include "tests/testing/consul_cluster.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace dnsd::testing {

ConsulCluster::ConsulCluster(const std::string& binary,
                             const ConsulClusterOptions& options) {
  std::vector<ConsulProcessOptions> servers(options.server_count);
  std::vector<std::string> join;
  for (size_t i = 0; i < servers.size(); ++i) {
    ConsulProcessOptions& server = servers[i];
    server.ip =
        absl::StrCat("127.0.0.", static_cast<size_t>(options.first_ip) + i);
    server.ports = PickConsulPorts(server.ip);
    join.push_back(absl::StrCat(server.ip, ":", server.ports->serf_lan));
  }
  for (size_t i = 0; i < servers.size(); ++i) {
    ConsulProcessOptions& server = servers[i];
    server.keeps_data = true;
    server.servers_expected = static_cast<int>(options.server_count);
    server.wan = true;
    server.node_name = absl::StrCat(options.datacenter, "-server-", i);
    server.datacenter = options.datacenter;
    // Itself too: harmless, and one that was wiped needs the others.
    server.join = join;
    server.join_wan = options.join_wan;
    server.config = options.config;
    servers_.push_back(std::make_unique<ConsulProcess>(binary, server));
  }
}

std::vector<std::string> ConsulCluster::WanAddresses() const {
  std::vector<std::string> addresses;
  for (const auto& server : servers_) {
    addresses.push_back(
        absl::StrCat(server->options().ip, ":", server->ports().serf_wan));
  }
  return addresses;
}

std::vector<std::string> ConsulCluster::HttpUrls() const {
  std::vector<std::string> urls;
  for (const auto& server : servers_) urls.push_back(server->HttpUrl());
  return urls;
}

std::optional<size_t> ConsulCluster::Leader() {
  std::string said;
  for (const auto& server : servers_) {
    if (!server->running()) continue;
    const std::string leader(
        absl::StripAsciiWhitespace(server->api().Get("/v1/status/leader")));
    if (!said.empty() && leader != said) return std::nullopt;
    said = leader;
  }
  for (size_t i = 0; i < servers_.size(); ++i) {
    const ConsulProcess& server = *servers_[i];
    const std::string address =
        absl::StrCat(server.options().ip, ":", server.ports().server);
    if (server.running() && said == JsonQuoted(address)) return i;
  }
  return std::nullopt;
}

std::optional<size_t> ConsulCluster::WaitForLeader(
    std::chrono::milliseconds timeout) {
  size_t running = 0;
  for (const auto& server : servers_) running += server->running() ? 1 : 0;
  std::optional<size_t> leader;
  const bool found = WaitUntil(
      [&] {
        leader = Leader();
        if (!leader) return false;
        for (const auto& server : servers_) {
          if (!server->running()) continue;
          if (server->api().Count("/v1/health/service/consul?stale&passing") !=
              running) {
            return false;
          }
        }
        return true;
      },
      timeout);
  return found ? leader : std::nullopt;
}

bool ConsulCluster::WaitForDatacenter(const std::string& datacenter,
                                      std::chrono::milliseconds timeout) {
  return WaitUntil(
      [&] {
        for (const auto& server : servers_) {
          if (!server->running()) continue;
          const std::string path =
              absl::StrCat("/v1/catalog/service/consul?dc=", datacenter);
          if (server->api().Count(path).value_or(0) == 0) return false;
        }
        return true;
      },
      timeout);
}

void ConsulCluster::KillServer(size_t i) { servers_[i]->Kill(); }

void ConsulCluster::StartServer(size_t i) { servers_[i]->Restart(); }

std::string ConsulCluster::Outputs() {
  std::string all;
  for (const auto& server : servers_) {
    if (!server->running()) continue;
    absl::StrAppend(&all, "--- ", server->options().node_name, "\n",
                    server->process().output());
  }
  return all;
}

}  // namespace dnsd::testing
