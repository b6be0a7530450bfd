// The decoders of a Consul's answers on any bytes: the first byte selects the
// decoder, the rest is the body. They must end, with values or with an error
// that names the answer; what they accept, simdjson's DOM parser, which checks
// a whole document by other code, must accept too. What a node dump or a
// mirror's file holds must survive being written and read again.

#include <simdjson.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/check.h"
#include "catalog/base/limits.h"
#include "catalog/consul/consul_decode.h"
#include "catalog/consul/mirror_file.h"

namespace dnsd {
namespace {

// The DOM parser's verdict. Bodies nested deeper than what the decoders walk
// are left to simdjson's own skipping, which only counts brackets.
bool IsJson(const std::string& body) {
  size_t depth = 0;
  size_t depth_max = 0;
  for (const char c : body) {
    if (c == '[' || c == '{') depth_max = std::max(depth_max, ++depth);
    if ((c == ']' || c == '}') && depth > 0) --depth;
  }
  if (depth_max > kNestingMax) return true;
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  const simdjson::error_code error =
      parser.parse(body.data(), body.size()).get(root);
  // The DOM parser refuses whole numbers that uint64 cannot hold; they are
  // JSON, and nobody reads them.
  return error == simdjson::SUCCESS || error == simdjson::NUMBER_ERROR;
}

void CheckNodes(const std::vector<NodeReport>& nodes) {
  for (const NodeReport& report : nodes) {
    DNSD_CHECK(!report.node.name.empty());
    DNSD_CHECK(report.node.datacenter == AsciiLower(report.node.datacenter));
    for (const InstanceReport& instance : report.instances) {
      DNSD_CHECK(!instance.instance.id.empty());
      DNSD_CHECK(!instance.instance.name.empty());
      DNSD_CHECK(instance.instance.weights.passing >= 1);
      DNSD_CHECK(instance.instance.weights.warning >= 0);
    }
    for (const CheckReport& check : report.checks) {
      DNSD_CHECK(!check.check.id.empty() && !check.node.empty());
    }
  }
}

void CheckRoundTrip(const MirrorImage& image) {
  const std::string text = FormatMirror(image);
  const absl::StatusOr<MirrorImage> again = ParseMirror(text);
  DNSD_CHECK(again.ok());
  DNSD_CHECK(FormatMirror(*again) == text);
}

template <typename T>
void CheckAnswer(const std::string& body, const absl::StatusOr<T>& value) {
  if (value.ok()) {
    DNSD_CHECK(IsJson(body));
  } else {
    DNSD_CHECK(absl::IsInvalidArgument(value.status()));
    DNSD_CHECK(absl::StrContains(value.status().message(), ": "));
  }
}

void DecodeMirror(const std::string& body) {
  const absl::StatusOr<MirrorImage> image = ParseMirror(absl::StrCat(
      "dnsd-mirror 1 ", body.size(), " ",
      absl::Hex(XXH64(body.data(), body.size(), 0), absl::kZeroPad16), "\n",
      body));
  if (!image.ok()) {
    DNSD_CHECK(absl::IsDataLoss(image.status()));
    return;
  }
  DNSD_CHECK(IsJson(body));
  CheckNodes(image->nodes);
  CheckRoundTrip(*image);
}

void DecodeNodeLists(uint8_t selector, const std::string& body) {
  std::string changed = body;
  absl::StatusOr<std::vector<NodeReport>> nodes =
      selector == 0   ? DecodeNodeDump(&changed, "dc1")
      : selector == 1 ? DecodeHealthService(&changed, "dc1")
                      : DecodeNodes(&changed, "dc1");
  CheckAnswer(body, nodes);
  if (!nodes.ok()) return;
  CheckNodes(*nodes);
  MirrorImage image;
  image.datacenter = "dc1";
  image.nodes = *std::move(nodes);
  CheckRoundTrip(image);
}

void DecodeChanges(const std::string& body) {
  std::string changed = body;
  absl::StatusOr<DeltaReport> delta = DecodeDelta(&changed, "dc1");
  CheckAnswer(body, delta);
  if (!delta.ok()) return;
  DNSD_CHECK(delta->index != 0 && !delta->run.empty());
  MirrorImage image;
  image.datacenter = "dc1";
  image.nodes = NodesOf(&*delta);
  CheckNodes(image.nodes);
  CheckRoundTrip(image);
}

void DecodeRest(uint8_t selector, const std::string& body) {
  std::string changed = body;
  switch (selector) {
    case 3:
      return CheckAnswer(body, DecodeServiceNames(&changed));
    case 4:
      return CheckAnswer(body, DecodeChecks(&changed));
    case 5:
      return CheckAnswer(body, DecodeGatewayServices(&changed));
    case 6:
      return CheckAnswer(body, DecodeQueries(&changed));
    case 7:
      return CheckAnswer(body, DecodeDatacenters(&changed));
    case 8:
      return CheckAnswer(body, DecodeSelf(&changed));
    case 9:
      return CheckAnswer(body, DecodeHasLeader(&changed));
    case 10:
      return DecodeMirror(body);
    case 12:
      return DecodeChanges(body);
    default:
      // The whole of a file, header included.
      if (const auto image = ParseMirror(body); image.ok()) {
        CheckRoundTrip(*image);
      }
  }
}

}  // namespace
}  // namespace dnsd

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  // Letters, so that the corpus can be read and made by hand.
  const auto selector = static_cast<uint8_t>((data[0] - 'a') % 13);
  if (selector < 3) {
    dnsd::DecodeNodeLists(selector, body);
  } else {
    dnsd::DecodeRest(selector, body);
  }
  return 0;
}
