// Any bytes as a query, against a fixed rich catalog, in both behaviours and
// over both transports. What comes back must be a message ldns can read, with
// the query's id, no larger than it may be.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "catalog/state.h"
#include "tests/testing/catalog_generator.h"
#include "tests/testing/rr_text.h"
#include "zones/responder.h"
#include "zones/view_builder.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

struct World {
  State state;
  ZonePolicy policies[2];
  std::unique_ptr<const View> views[2];

  World() {
    Random random(11);
    GeneratedCatalog catalog = GenerateCatalog(60, &random);
    Dirty dirty;
    ChangeBatch batch;
    batch.changes = catalog.changes;
    if (!state.Apply(batch, &dirty).ok()) std::abort();
    for (int i = 0; i < 2; ++i) {
      policies[i].compat = i == 0 ? Compat::kRfc : Compat::kConsul;
      policies[i].alt_domain = "alt.test.";
      policies[i].node_name = "foo";
      policies[i].cookies.use = i == 0 ? Cookies::kOn : Cookies::kRequired;
      policies[i].cookies.previous.emplace();
      policies[i].cookies.previous_until = UINT32_MAX / 2;
      views[i] = BuildView(state, policies[i], {}, 1);
    }
  }
};

void Require(bool holds, const char* what, const Message& message) {
  if (holds) return;
  std::fprintf(stderr, "%s\n%s", what, MessageText(message).c_str());
  std::abort();
}

void CheckOne(const World& world, int which, Transport transport,
              std::span<const uint8_t> packet, uint8_t* out) {
  static constexpr uint8_t kClient[] = {192, 0, 2, 1};
  RespondContext context;
  context.client = kClient;
  context.unix_time = 1559731985;
  context.tcp_keepalive = 100;
  Response response =
      Respond(packet, transport, *world.views[which], &context, out);
  if (response.size == 0) return;
  Message message;
  std::string error = ParseMessage({out, response.size}, &message);
  Require(error.empty(), error.c_str(), message);
  Require((message.flags & kFlagQr) != 0, "QR is not set", message);
  Require(message.id == Load16(packet.data()), "id differs", message);
  size_t limit = kResponseBytesMax;
  if (transport == Transport::kUdp && which == 0) {
    limit = world.policies[which].edns_udp_size;
  }
  Require(response.size <= limit, "too large", message);
  if (message.rcode() == kFormErr || message.rcode() == kNotImp) {
    Require(message.answer.empty() && message.authority.empty() &&
                message.additional.empty(),
            "records in an error response", message);
  }
  const CountedName counted = context.counted;
  Require(counted.at + size_t{counted.size} <= packet.size(),
          "counted for what is not there", message);
  if (counted.size == 0) return;
  // What the rate limit leaves of it. Its OPT and cookie may be new.
  const size_t size =
      TruncatedResponse(packet, *world.views[which], context, out);
  error = ParseMessage({out, size}, &message);
  Require(error.empty(), error.c_str(), message);
  Require((message.flags & kFlagTc) != 0, "TC is not set", message);
  Require(size <= packet.size() + 64, "it amplifies", message);
  Require(message.answer.empty() && message.authority.empty(),
          "records in a response that has none", message);
}

}  // namespace
}  // namespace dnsd::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using dnsd::Transport;
  // Constant after its construction.
  static const dnsd::testing::World world;
  std::vector<uint8_t> out(dnsd::kResponseBytesMax);
  for (int which : {0, 1}) {
    for (Transport transport : {Transport::kUdp, Transport::kTcp}) {
      dnsd::testing::CheckOne(world, which, transport, {data, size},
                              out.data());
    }
  }
  return 0;
}
