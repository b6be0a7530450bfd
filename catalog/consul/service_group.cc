#include "catalog/consul/service_group.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/consul/consul_decode.h"

namespace dnsd {
namespace {

constexpr int64_t kSpacingMs = 100;
constexpr int kBurst = 20;

// The name as a regular expression of Go's that needs no quoting in a filter.
void AppendPattern(std::string* pattern, const std::string& name) {
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '_' || byte >= 0x80) {
      *pattern += c;
    } else {
      absl::StrAppend(pattern, "\\x{", absl::Hex(byte), "}");
    }
  }
}

// Consul finds services without regard to case.
std::string FilterOf(const std::set<std::string>& names) {
  const std::string any = absl::StrJoin(names, "|", AppendPattern);
  return absl::StrCat("Services.Service matches `(?i)^(", any, ")$`");
}

// The part of a node that /v1/health/service/NAME would have told.
NodeReport PartOf(const NodeReport& node, const std::string& name) {
  NodeReport part;
  std::set<std::string> ids = {""};  // the node's own checks
  for (const InstanceReport& report : node.instances) {
    if (AsciiLower(report.instance.name) != name) continue;
    part.instances.push_back(report);
    ids.insert(report.instance.id);
  }
  if (part.instances.empty()) return part;
  part.node = node.node;
  part.modify_index = node.modify_index;
  for (const CheckReport& report : node.checks) {
    if (ids.contains(report.check.service_id)) part.checks.push_back(report);
  }
  return part;
}

}  // namespace

ServiceGroup::ServiceGroup(EventLoop* loop, ConsulClient* client,
                           std::string datacenter, int64_t wait_ms,
                           MirrorTable* table, Events events)
    : datacenter_(std::move(datacenter)),
      table_(table),
      events_(std::move(events)),
      query_(
          loop, client,
          {.path = "/v1/internal/ui/nodes",
           .datacenter = datacenter_,
           .wait_ms = wait_ms,
           .spacing_ms = kSpacingMs,
           .burst = kBurst,
           .next_filter = [this] { return NextFilter(); }},
          {.on_change = [this](ConsulReply* reply) { return OnNodes(reply); },
           .on_regress = events_.on_regress,
           .on_error = [this](const ConsulReply& reply) { OnError(reply); },
           .on_woken = events_.on_woken}) {}

void ServiceGroup::SetMembers(std::set<std::string> names) {
  const bool has_new = !std::includes(members_.begin(), members_.end(),
                                      names.begin(), names.end());
  members_ = std::move(names);
  if (has_new) query_.AskAnew();
}

void ServiceGroup::Start(uint64_t index) {
  failures_ = 0;
  query_.Start(index);
}

void ServiceGroup::Pause() { query_.Pause(); }

void ServiceGroup::Stop() { query_.Stop(); }

std::string ServiceGroup::NextFilter() {
  asked_ = members_;
  return FilterOf(asked_);
}

absl::Status ServiceGroup::OnNodes(ConsulReply* reply) {
  auto nodes = DecodeNodeDump(&reply->body, datacenter_);
  if (!nodes.ok()) return nodes.status();
  failures_ = 0;
  Changes changes;
  for (const std::string& name : asked_) {
    std::vector<NodeReport> entries;
    for (const NodeReport& node : *nodes) {
      NodeReport part = PartOf(node, name);
      if (!part.instances.empty()) entries.push_back(std::move(part));
    }
    table_->ApplyService(name, reply->index, entries, &changes);
  }
  if (!changes.empty()) events_.on_changes(std::move(changes));
  return absl::OkStatus();
}

void ServiceGroup::OnError(const ConsulReply& reply) {
  const int status = reply.http_status;
  const bool is_refusal = status == 403 || status == 404 || status == 405;
  if (status != 0) ++failures_;
  if (is_refusal || failures_ >= kFailuresMax) {
    refused_ = true;
    Pause();
    events_.on_refused();
  }
  events_.on_error(reply);  // last: it may stop us
}

}  // namespace dnsd
