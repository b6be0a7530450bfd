#include "catalog/consul/list_watches.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/consul/consul_decode.h"
#include "catalog/consul/mirror_loader.h"

namespace dnsd {
namespace {

constexpr int64_t kSmallSpacingMs = 100;
constexpr int64_t kNodesSpacingMs = 1'000;
constexpr size_t kSmallNodes = 500;
// Prepared queries do not block in every release: then this is a poll.
constexpr int64_t kQueriesSpacingMs = 2'000;

}  // namespace

ListWatches::ListWatches(EventLoop* loop, ConsulClient* client,
                         std::string datacenter, int64_t wait_ms,
                         MirrorTable* table, Events events)
    : loop_(loop),
      client_(client),
      datacenter_(std::move(datacenter)),
      wait_ms_(wait_ms),
      table_(table),
      events_(std::move(events)) {}

void ListWatches::Start(uint64_t index, What what) {
  index_ = index;
  if (queries_ == nullptr) {
    nodes_ = Watch(
        "/v1/catalog/nodes",
        table_->node_count() <= kSmallNodes ? kSmallSpacingMs : kNodesSpacingMs,
        [this](ConsulReply* reply) { return OnNodes(reply); });
    queries_ = Watch("/v1/query", kQueriesSpacingMs,
                     [this](ConsulReply* reply) { return OnQueries(reply); });
  }
  if (what == What::kQueriesAndNodes) {
    nodes_->Start(index);
  } else {
    nodes_->Stop();
  }
  queries_->Start(index);
  for (const auto& [name, query] : gateways_) query->Start(index);
  for (const std::string& name : table_->gateways()) WatchGateway(name);
}

void ListWatches::WatchGateways(const Changes& changes) {
  for (const Change& change : changes) {
    const auto* upsert = std::get_if<UpsertInstance>(&change);
    if (upsert != nullptr && IsGateway(upsert->instance.kind)) {
      WatchGateway(upsert->instance.name);
    }
  }
}

void ListWatches::WatchGateway(const std::string& name) {
  std::unique_ptr<BlockingQuery>& query = gateways_[name];
  if (query != nullptr) return;
  query = Watch(
      absl::StrCat("/v1/catalog/gateway-services/", EscapeSegment(name)),
      kSmallSpacingMs,
      [this, name](ConsulReply* reply) { return OnGateway(name, reply); });
  query->Start(0);
}

void ListWatches::Pause() {
  if (nodes_ != nullptr) nodes_->Pause();
  if (queries_ != nullptr) queries_->Pause();
  for (const auto& [name, query] : gateways_) query->Pause();
}

void ListWatches::Stop() {
  if (nodes_ != nullptr) nodes_->Stop();
  if (queries_ != nullptr) queries_->Stop();
  for (const auto& [name, query] : gateways_) query->Stop();
}

size_t ListWatches::watch_count() const {
  size_t count = 0;
  for (const BlockingQuery* query : {nodes_.get(), queries_.get()}) {
    if (query != nullptr && query->running()) ++count;
  }
  for (const auto& [name, query] : gateways_) count += query->running();
  return count;
}

std::unique_ptr<BlockingQuery> ListWatches::Watch(
    const std::string& path, int64_t spacing_ms,
    std::function<absl::Status(ConsulReply*)> on_change) {
  BlockingQuery::Options options;
  options.path = path;
  options.datacenter = datacenter_;
  options.wait_ms = wait_ms_;
  options.spacing_ms = spacing_ms;
  return std::make_unique<BlockingQuery>(
      loop_, client_, std::move(options),
      BlockingQuery::Events{std::move(on_change), events_.on_regress,
                            events_.on_error, nullptr});
}

absl::Status ListWatches::Tell(Changes changes) {
  if (!changes.empty()) events_.on_changes(std::move(changes));
  return absl::OkStatus();
}

absl::Status ListWatches::OnNodes(ConsulReply* reply) {
  auto nodes = DecodeNodes(&reply->body, datacenter_);
  if (const absl::Status status = CheckNodes(nodes); !status.ok()) {
    return status;
  }
  Changes changes;
  table_->ApplyNodes(reply->index, *nodes, &changes);
  index_ = reply->index;
  return Tell(std::move(changes));
}

absl::Status ListWatches::OnQueries(ConsulReply* reply) {
  auto queries = DecodeQueries(&reply->body);
  if (!queries.ok()) return queries.status();
  Changes changes;
  table_->ApplyQueries(*queries, &changes);
  return Tell(std::move(changes));
}

absl::Status ListWatches::OnGateway(const std::string& name,
                                    ConsulReply* reply) {
  auto services = DecodeGatewayServices(&reply->body);
  if (!services.ok()) return services.status();
  Changes changes;
  table_->ApplyGateway(name, *services, &changes);
  return Tell(std::move(changes));
}

}  // namespace dnsd
