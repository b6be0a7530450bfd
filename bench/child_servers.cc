#include "bench/child_servers.h"

#include <cstdio>
#include <filesystem>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/resolvers.h"

namespace dnsd::testing {

std::optional<ChildServer> StartPlainServer(
    const std::vector<std::string>& args) {
  std::vector<std::string> command = {
      (std::filesystem::read_symlink("/proc/self/exe").parent_path() /
       "plain_server")
          .string()};
  command.insert(command.end(), args.begin(), args.end());
  ChildServer server{std::make_unique<Process>(command)};
  uint32_t port = 0;
  constexpr absl::string_view kSays = "port ";
  const bool has_said = server.process->WaitForOutput("\n");
  const std::string output = server.process->output();
  if (!has_said || output.size() < kSays.size() ||
      !absl::SimpleAtoi(output.substr(kSays.size()), &port)) {
    std::fprintf(stderr, "%s: %s\n", command[0].c_str(), output.c_str());
    return std::nullopt;
  }
  server.port = static_cast<uint16_t>(port);
  return server;
}

std::string ProgramOf(const PeerServer& peer) {
  return ResolverProgram(peer.program);
}

std::optional<ChildServer> StartPeerServer(
    const PeerServer& peer, const TempDir& dir,
    std::vector<std::pair<std::string, std::string>> replacements,
    const std::function<bool(const DnsServer&)>& is_up) {
  DnsServer address;
  address.port = PickConsulPorts(address.ip).dns;
  // The directory is there as soon as it has a file.
  const std::string config_name = absl::StrCat(peer.name, "/config");
  replacements.insert(replacements.end(),
                      {{"DIR", dir.Path(peer.name)},
                       {"CONFIG", dir.Path(config_name)},
                       {"PORT", absl::StrCat(address.port)}});
  dir.Write(config_name, absl::StrReplaceAll(peer.config, replacements));
  std::vector<std::string> args;
  for (const std::string& arg : peer.args) {
    args.push_back(absl::StrReplaceAll(arg, replacements));
  }
  ChildServer server{
      std::make_unique<Process>(ResolverCommand(ProgramOf(peer), args)),
      address.port};
  if (!WaitUntil([&] { return is_up(address); })) {
    std::fprintf(stderr, "%s: %s\n", peer.name,
                 server.process->output().c_str());
    return std::nullopt;
  }
  return server;
}

}  // namespace dnsd::testing
