#include "tests/testing/network_namespace.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/base/check.h"
#include "tests/testing/consul_api.h"

namespace dnsd::testing {
namespace {

const std::vector<std::string> kUnshare = {"unshare", "--net", "--mount"};

std::vector<std::string> Join(std::vector<std::string> first,
                              const std::vector<std::string>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

// Which network a process is in.
std::string NetworkOf(const std::string& pid) {
  std::error_code error;
  return std::filesystem::read_symlink(absl::StrCat("/proc/", pid, "/ns/net"),
                                       error)
      .string();
}

}  // namespace

std::string NetworkNamespace::WhyNot() {
  // A pair of links needs a kernel that has them.
  const Finished tried =
      RunToEnd(Join(kUnshare, {"ip", "link", "add", "name", "a", "type", "veth",
                               "peer", "name", "b"}));
  if (tried.exit_code == 0) return "";
  return absl::StrCat("cannot make network namespaces: ", tried.output);
}

NetworkNamespace::NetworkNamespace()
    : holder_(Join(kUnshare, {"sleep", "infinity"})) {
  const std::string pid = absl::StrCat(holder_.pid());
  EXPECT_TRUE(WaitUntil([&] {
    const std::string network = NetworkOf(pid);
    return !network.empty() && network != NetworkOf("self");
  })) << holder_.output();
  Must({"ip", "link", "set", "lo", "up"});
}

void NetworkNamespace::Link(const std::string& link, const std::string& address,
                            const NetworkNamespace& other,
                            const std::string& other_address,
                            int prefix) const {
  Must({"ip", "link", "add", "name", link, "type", "veth", "peer", "name", link,
        "netns", absl::StrCat(other.holder_.pid())});
  const auto set_up = [&](const NetworkNamespace& end, const std::string& ip) {
    end.Must(
        {"ip", "address", "add", absl::StrCat(ip, "/", prefix), "dev", link});
    end.Must({"ip", "link", "set", "dev", link, "up"});
  };
  set_up(*this, address);
  set_up(other, other_address);
}

void NetworkNamespace::Replace(const std::string& path,
                               const std::string& file) const {
  Must({"mount", "--bind", file, path});
}

std::vector<std::string> NetworkNamespace::Prefix() const {
  return {"nsenter", absl::StrCat("--target=", holder_.pid()), "--net",
          "--mount"};
}

std::vector<std::string> NetworkNamespace::Command(
    const std::vector<std::string>& argv) const {
  return Join(Prefix(), argv);
}

Finished NetworkNamespace::Run(const std::vector<std::string>& argv) const {
  return RunToEnd(Command(argv));
}

void NetworkNamespace::Must(const std::vector<std::string>& argv) const {
  const Finished run = Run(argv);
  EXPECT_EQ(run.exit_code, 0) << absl::StrJoin(argv, " ") << run.output;
}

void NetworkNamespace::Inside(const std::function<void()>& body) const {
  const int network =
      open(absl::StrCat("/proc/", holder_.pid(), "/ns/net").c_str(),
           O_RDONLY | O_CLOEXEC);
  DNSD_CHECK(network >= 0);
  std::thread inside([&] {
    DNSD_CHECK(setns(network, CLONE_NEWNET) == 0);
    body();
  });
  inside.join();
  close(network);
}

}  // namespace dnsd::testing
