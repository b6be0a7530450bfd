#include "catalog/consul/mirror_loader.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/check.h"
#include "catalog/base/limits.h"
#include "catalog/base/log.h"
#include "catalog/base/pool_task.h"
#include "catalog/consul/consul_decode.h"
#include "catalog/consul/delta_watch.h"

namespace dnsd {
namespace {

// All of a large catalog, from a slow server.
constexpr int64_t kDumpMs = 120'000;

// The answers that mean "not like this", rather than "not now".
bool IsRefusal(int http_status) {
  return http_status == 403 || http_status == 404 || http_status == 405;
}

std::set<std::string> GatewayNames(const std::vector<NodeReport>& nodes) {
  std::set<std::string> names;
  for (const NodeReport& node : nodes) {
    for (const InstanceReport& report : node.instances) {
      if (IsGateway(report.instance.kind)) names.insert(report.instance.name);
    }
  }
  return names;
}

// Adds what an answer about one service says to what the others said.
void Merge(const NodeReport& from, NodeReport* to) {
  std::set<std::string> known;
  for (const CheckReport& check : to->checks) known.insert(check.check.id);
  for (const CheckReport& check : from.checks) {
    if (known.insert(check.check.id).second) to->checks.push_back(check);
  }
  known.clear();
  for (const InstanceReport& instance : to->instances) {
    known.insert(instance.instance.id);
  }
  for (const InstanceReport& instance : from.instances) {
    if (known.insert(instance.instance.id).second) {
      to->instances.push_back(instance);
    }
  }
}

}  // namespace

MirrorLoader::MirrorLoader(EventLoop* loop, ConsulClient* client,
                           std::string datacenter)
    : loop_(loop), client_(client), datacenter_(std::move(datacenter)) {}

MirrorLoader::~MirrorLoader() {
  Cancel();
  *alive_ = false;
}

void MirrorLoader::Load(What what, Done done) {
  DNSD_CHECK(!active());
  ++load_;
  what_ = what;
  done_ = std::move(done);
  Get(
      DeltaWatch::kPath,
      [this](ConsulReply reply) { OnDelta(std::move(reply)); },
      DeltaWatch::kParameters);
}

void MirrorLoader::LoadOrdinarily() {
  // It may have been mended since.
  if (!by_one_request_ && load_ % kDumpAgain == 0) by_one_request_ = true;
  if (!by_one_request_) return LoadNames();
  Get("/v1/internal/ui/nodes",
      [this](ConsulReply reply) { OnDump(std::move(reply)); });
}

void MirrorLoader::Cancel() {
  for (const ConsulClient::Id id : asked_) client_->Cancel(id);
  asked_.clear();
  ++load_;
  done_ = nullptr;
  nodes_.clear();
  names_.clear();
  skipped_.clear();
  loaded_ = {};
  on_its_way_ = 0;
}

void MirrorLoader::Get(const std::string& path,
                       std::function<void(ConsulReply)> done,
                       const std::string& parameters) {
  ConsulGet get;
  get.path = path;
  get.parameters = parameters;
  get.datacenter = datacenter_;
  get.total_ms = kDumpMs;
  asked_.push_back(client_->Get(get, std::move(done)));
}

void MirrorLoader::OnDelta(ConsulReply reply) {
  asked_.clear();
  // Nobody is there, unless only this is cut again and again.
  if (reply.http_status == 0 && ++delta_failures_ < kDumpFailuresMax) {
    return Fail(reply.status);
  }
  delta_failures_ = 0;
  if (!reply.status.ok()) return LoadOrdinarily();
  struct Work {
    std::string body;
    absl::StatusOr<DeltaReport> delta = absl::UnknownError("not decoded");
    std::vector<NodeReport> nodes;
  };
  auto work = std::make_shared<Work>();
  work->body = std::move(reply.body);
  const uint64_t index = reply.index;
  RunOnPool(
      loop_,
      [work, datacenter = datacenter_] {
        work->delta = DecodeDelta(&work->body, datacenter);
        if (work->delta.ok()) work->nodes = NodesOf(&*work->delta);
      },
      [this, work, index, alive = alive_, load = load_] {
        if (!*alive || load != load_) return;
        OnDeltaDecoded(index, std::move(work->delta), std::move(work->nodes));
      });
}

void MirrorLoader::OnDeltaDecoded(uint64_t index,
                                  absl::StatusOr<DeltaReport> delta,
                                  std::vector<NodeReport> nodes) {
  absl::Status status = delta.status();
  if (status.ok() && (!delta->full || nodes.empty())) {
    status = absl::FailedPreconditionError("it is not full, or has no node");
  }
  // It could not be waited for.
  if (status.ok() && delta->index != index) {
    status = absl::FailedPreconditionError(absl::StrCat(
        "the Index is ", delta->index, ", X-Consul-Index ", index));
  }
  if (!status.ok()) {
    LogInfo("consul", "No answer that can be followed: going on without",
            {{"datacenter", datacenter_},
             {"path", DeltaWatch::kPath},
             {"error", status.message()}});
    return LoadOrdinarily();
  }
  Loaded loaded;
  loaded.index = delta->index;
  loaded.run = delta->run;
  loaded.nodes = std::move(nodes);
  OnNodesLoaded(std::move(loaded));
}

void MirrorLoader::OnDump(ConsulReply reply) {
  asked_.clear();
  if (IsRefusal(reply.http_status)) {
    by_one_request_ = false;
    return LoadNames();
  }
  if (!reply.status.ok()) {
    // Cut before it said anything: not what an overloaded server does.
    const bool is_cut =
        absl::IsUnavailable(reply.status) && reply.http_status == 0;
    if (!is_cut || ++dump_failures_ < kDumpFailuresMax) {
      return Fail(reply.status);
    }
    by_one_request_ = false;
    return LoadNames();
  }
  dump_failures_ = 0;
  const uint64_t index = reply.index;
  DecodeOnPool(std::move(reply), DecodeNodeDump, [this, index](Nodes nodes) {
    const absl::Status status = CheckNodes(nodes);
    if (!status.ok()) return Fail(status);
    Loaded loaded;
    loaded.index = index;
    loaded.nodes = *std::move(nodes);
    OnNodesLoaded(std::move(loaded));
  });
}

void MirrorLoader::DecodeOnPool(ConsulReply reply, Decode decode,
                                std::function<void(Nodes)> done) {
  struct Work {
    std::string body;
    Nodes nodes = absl::UnknownError("not decoded");
  };
  auto work = std::make_shared<Work>();
  work->body = std::move(reply.body);
  RunOnPool(
      loop_,
      [work, decode, datacenter = datacenter_] {
        work->nodes = decode(&work->body, datacenter);
      },
      [this, work, alive = alive_, load = load_, done = std::move(done)] {
        if (*alive && load == load_) done(std::move(work->nodes));
      });
}

void MirrorLoader::LoadNames() {
  Get("/v1/catalog/services",
      [this](ConsulReply reply) { OnNames(std::move(reply)); });
}

void MirrorLoader::OnNames(ConsulReply reply) {
  asked_.clear();
  if (!reply.status.ok()) return Fail(reply.status);
  auto names = DecodeServiceNames(&reply.body);
  if (!names.ok()) return Fail(names.status());
  // The first answer is the oldest.
  index_ = reply.index;
  std::set<std::string> folded;
  for (const auto& [name, tags] : *names) folded.insert(AsciiLower(name));
  names_.assign(folded.begin(), folded.end());
  Get("/v1/catalog/nodes",
      [this](ConsulReply next) { OnNodes(std::move(next)); });
}

void MirrorLoader::OnNodes(ConsulReply reply) {
  asked_.clear();
  if (!reply.status.ok()) return Fail(reply.status);
  DecodeOnPool(std::move(reply), DecodeNodes, [this](Nodes nodes) {
    const absl::Status status = CheckNodes(nodes);
    if (!status.ok()) return Fail(status);
    for (NodeReport& node : *nodes) {
      std::string name = AsciiLower(node.node.name);
      nodes_[std::move(name)] = std::move(node);
    }
    NextServices();
  });
}

void MirrorLoader::NextServices() {
  while (on_its_way_ < kServicesAtATime && !names_.empty()) {
    ++on_its_way_;
    const std::string name = names_.back();
    names_.pop_back();
    Get(absl::StrCat("/v1/health/service/", EscapeSegment(name)),
        [this, name](ConsulReply reply) { OnService(name, std::move(reply)); });
  }
  if (on_its_way_ > 0) return;
  Loaded loaded;
  loaded.index = index_;
  loaded.skipped = std::move(skipped_);
  for (auto& [name, node] : nodes_) loaded.nodes.push_back(std::move(node));
  OnNodesLoaded(std::move(loaded));
}

void MirrorLoader::OnService(const std::string& name, ConsulReply reply) {
  if (reply.is_empty && skipped_.size() < kSkippedMax) {
    skipped_.push_back(name);
    --on_its_way_;
    return NextServices();
  }
  if (!reply.status.ok()) return Fail(reply.status);
  Nodes entries = DecodeHealthService(&reply.body, datacenter_);
  if (!entries.ok()) return Fail(entries.status());
  for (NodeReport& entry : *entries) {
    NodeReport& node = nodes_[AsciiLower(entry.node.name)];
    if (node.node.name.empty()) {
      node = std::move(entry);
    } else {
      Merge(entry, &node);
    }
  }
  --on_its_way_;
  NextServices();
}

void MirrorLoader::OnNodesLoaded(Loaded loaded) {
  if (what_ == What::kNodes) return Finish(std::move(loaded));
  loaded_ = std::move(loaded);
  GetExtra("/v1/query", [this](ConsulReply* reply) {
    auto queries = DecodeQueries(&reply->body);
    if (queries.ok()) loaded_.queries = *std::move(queries);
    return queries.status();
  });
  for (const std::string& name : GatewayNames(loaded_.nodes)) {
    GetExtra(absl::StrCat("/v1/catalog/gateway-services/", EscapeSegment(name)),
             [this, name](ConsulReply* reply) {
               auto services = DecodeGatewayServices(&reply->body);
               if (services.ok()) loaded_.gateways[name] = *services;
               return services.status();
             });
  }
}

// One failure must not keep the rest from being served.
void MirrorLoader::GetExtra(
    const std::string& path,
    std::function<absl::Status(ConsulReply*)> on_reply) {
  ++on_its_way_;
  Get(path, [this, path, on_reply = std::move(on_reply)](ConsulReply reply) {
    absl::Status status = reply.status;
    if (status.ok()) status = on_reply(&reply);
    if (!status.ok()) {
      LogWarn("consul", "Not loaded",
              {{"datacenter", datacenter_},
               {"path", path},
               {"error", status.message()}});
    }
    if (--on_its_way_ == 0) Finish(std::move(loaded_));
  });
}

void MirrorLoader::Finish(Loaded loaded) {
  Done done = std::move(done_);
  Cancel();
  done(std::move(loaded));
}

void MirrorLoader::Fail(const absl::Status& status) {
  Loaded failed;
  failed.status = status;
  Finish(std::move(failed));
}

absl::Status CheckNodes(const absl::StatusOr<std::vector<NodeReport>>& nodes) {
  if (!nodes.ok() || !nodes->empty()) return nodes.status();
  return absl::FailedPreconditionError(
      "Consul shows no node at all: may this token read any?");
}

}  // namespace dnsd
