#include "dnsd/forward_figures.h"

#include "absl/strings/str_cat.h"
#include "dnsd/forward/forwarder.h"
#include "dnsd/serve/listen_socket.h"

namespace dnsd {

std::string UpstreamText(const UpstreamAddress& upstream) {
  return absl::StrCat(
      upstream.tls ? "tls://" : "",
      EndpointText({IpText(upstream.socket), upstream.socket.port()}),
      upstream.tls_name.empty() ? "" : "#", upstream.tls_name);
}

ForwardFigures FiguresOf(Forwarder* forwarder) {
  ForwardFigures figures;
  figures.cache = forwarder->cache().stats();
  for (size_t i = 0; i < forwarder->upstream_count(); ++i) {
    const Upstream& upstream = forwarder->upstream(i);
    UpstreamFigures one;
    one.up_count = upstream.is_down() ? 0 : 1;
    if (upstream.was_answered()) {
      one.rtt_sum = upstream.rtt_eighths();
      one.rtt_count = 1;
    }
    one.counts = upstream.counts();
    figures.upstreams.emplace(UpstreamText(upstream.address()), one);
  }
  return figures;
}

void AddTo(const ForwardFigures& from, ForwardFigures* to) {
  to->cache.entries += from.cache.entries;
  to->cache.bytes += from.cache.bytes;
  to->cache.evictions += from.cache.evictions;
  for (const auto& [address, one] : from.upstreams) {
    UpstreamFigures& sum = to->upstreams[address];
    sum.up_count += one.up_count;
    sum.rtt_sum += one.rtt_sum;
    sum.rtt_count += one.rtt_count;
    sum.counts.sent += one.counts.sent;
    sum.counts.timeouts += one.counts.timeouts;
    sum.counts.failures += one.counts.failures;
    AddTo(one.counts.delay, &sum.counts.delay);
  }
}

}  // namespace dnsd
