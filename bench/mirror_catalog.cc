#include "bench/mirror_catalog.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace dnsd::testing {
namespace {

constexpr size_t kInstancesOfNode = 10;
constexpr size_t kTransactionMax = 64;  // Consul's
constexpr size_t kLoaders = 4;

std::string NodeStep(const ConsulInstance& instance) {
  return absl::StrCat("{\"Node\":{\"Verb\":\"set\",\"Node\":{\"Node\":",
                      JsonQuoted(instance.node),
                      ",\"Address\":", JsonQuoted(instance.node_address),
                      "}}}");
}

std::string InstanceSteps(const ConsulInstance& instance) {
  return absl::StrCat(
      "{\"Service\":{\"Verb\":\"set\",\"Node\":", JsonQuoted(instance.node),
      ",\"Service\":{\"ID\":", JsonQuoted(instance.id),
      ",\"Service\":", JsonQuoted(instance.name),
      ",\"Address\":", JsonQuoted(instance.address),
      ",\"Port\":", instance.port,
      ",\"Tags\":[\"blue\"]}}},{\"Check\":{\"Verb\":\"set\",\"Check\":{"
      "\"Node\":",
      JsonQuoted(instance.node),
      ",\"CheckID\":", JsonQuoted("service:" + instance.id),
      ",\"Name\":\"status\",\"Status\":\"passing\",\"ServiceID\":",
      JsonQuoted(instance.id), "}}}");
}

// Sends `groups` of steps in transactions; false when Consul refuses one.
bool Transact(const std::string& url, const std::vector<std::string>& groups,
              size_t steps_of_group) {
  ConsulApi api(url);
  const size_t at_a_time = kTransactionMax / steps_of_group;
  for (size_t i = 0; i < groups.size(); i += at_a_time) {
    const auto from = groups.begin() + static_cast<std::ptrdiff_t>(i);
    const auto to = groups.begin() + static_cast<std::ptrdiff_t>(std::min(
                                         groups.size(), i + at_a_time));
    const std::string body =
        absl::StrCat("[", absl::StrJoin(from, to, ","), "]");
    const ConsulReply reply = api.Call("PUT", "/v1/txn", body);
    if (reply.status == 200) continue;
    std::fprintf(stderr, "txn: %d %s\n", reply.status, reply.body.c_str());
    return false;
  }
  return true;
}

}  // namespace

std::string ServiceName(size_t service) {
  return absl::StrCat("service-", service);
}

ConsulInstance MakeInstance(size_t services, size_t service, size_t instance) {
  const size_t nodes =
      std::max<size_t>(kInstances, services * kInstances / kInstancesOfNode);
  const size_t number = service * kInstances + instance;
  // Instances of a service are on different nodes.
  const size_t node = (service + instance * (nodes / kInstances)) % nodes;
  ConsulInstance made;
  made.node = absl::StrCat("node-", node);
  made.node_address = absl::StrCat("10.1.", node / 250, ".", 1 + node % 250);
  made.name = ServiceName(service);
  made.id = absl::StrCat(made.name, "-", instance);
  made.address = absl::StrCat("10.", 2 + number / 62'500, ".",
                              number / 250 % 250, ".", 1 + number % 250);
  made.port = static_cast<uint16_t>(1024 + number % 50'000);
  made.tags = {"blue"};
  made.status = "passing";
  return made;
}

bool FillCatalog(size_t services, const std::string& url) {
  std::map<std::string, std::string> nodes;
  std::vector<std::vector<std::string>> parts(kLoaders);
  for (size_t service = 0; service < services; ++service) {
    for (size_t i = 0; i < kInstances; ++i) {
      const ConsulInstance instance = MakeInstance(services, service, i);
      nodes.emplace(instance.node, NodeStep(instance));
      parts[service % kLoaders].push_back(InstanceSteps(instance));
    }
  }
  std::vector<std::string> steps;
  for (const auto& [name, step] : nodes) steps.push_back(step);
  if (!Transact(url, steps, 1)) return false;
  std::vector<char> done(kLoaders);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kLoaders; ++i) {
    threads.emplace_back([&, i] { done[i] = Transact(url, parts[i], 2); });
  }
  for (std::thread& thread : threads) thread.join();
  return std::all_of(done.begin(), done.end(), [](char ok) { return ok != 0; });
}

}  // namespace dnsd::testing
