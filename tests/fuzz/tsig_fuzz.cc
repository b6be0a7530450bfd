// Any bytes as a signed question and as a signed answer. Nothing is right that
// was not signed with the key; what is cut off leaves a message that is as
// long as the record says.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "dnsd/transfer/transfer_gate.h"
#include "dnsd/transfer/tsig.h"
#include "zones/view_builder.h"

namespace dnsd {
namespace {

// The time of the corpus.
constexpr uint64_t kNow = 1'700'000'000;

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

const TransferOptions& Options() {
  static const TransferOptions options = [] {
    TransferOptions made;
    made.allow.push_back(*IpNetwork::Parse("127.0.0.1"));
    made.keys.push_back({std::string("\3xfr\0", 5), TsigAlgorithm::kHmacSha256,
                         "0123456789abcdef"});
    return made;
  }();
  return options;
}

void Verify(std::span<const uint8_t> message) {
  TsigRecord record;
  if (ParseTsig(message, &record) != TsigParse::kSigned) return;
  const std::vector<uint8_t> bare = WithoutTsig(message, record);
  Require(bare.size() == record.offset, "cut at another place");
  Require(record.offset + record.key.size + record.algorithm.size +
                  record.mac.size() + record.other.size() + 26 ==
              message.size(),
          "the record has another size");
  TsigSession session;
  VerifyQuestion(Options().keys, message, record, kNow, &session);
  Require(session.key == nullptr || session.error != kBadSig, "a bad key");
  std::vector<uint8_t> answer = bare;
  answer.resize(bare.size() + kTsigBytesMax);
  answer.resize(AppendTsig(&session, kNow, answer.data(), bare.size()));
  TsigRecord again;
  Require(ParseTsig(answer, &again) == TsigParse::kSigned,
          "our own record cannot be read");
  TsigSession client;
  client.key = Options().keys.data();
  (void)VerifyAnswer(message, record, kNow, &client);
}

void Ask(std::span<const uint8_t> message) {
  static const std::unique_ptr<const View> view =
      BuildView(State(), ZonePolicy(), {}, 7);
  static TransferGate gate(&Options(), TransferLimits());
  SocketAddress client;
  client.v4.sin_family = AF_INET;
  client.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  RespondContext context;
  context.unix_time = kNow;
  context.leaves_transfers = true;
  std::vector<uint8_t> out(kResponseBytesMax);
  for (const Transport transport : {Transport::kUdp, Transport::kTcp}) {
    const Response response =
        Respond(message, transport, *view, &context, out.data());
    if (response.outcome != Outcome::kTransfer) continue;
    const TransferVerdict verdict = gate.Answer(
        message, transport, client, *view, true, false, &context, out.data());
    Require(verdict.size <= kResponseBytesMax, "too large");
    Require((verdict.granted != nullptr) != (verdict.size > 0),
            "neither an answer nor a transfer, or both");
    if (verdict.granted == nullptr) continue;
    Require(verdict.granted->tsig.key != nullptr, "granted without a key");
    gate.Release();
  }
}

}  // namespace
}  // namespace dnsd

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dnsd::Verify({data, size});
  dnsd::Ask({data, size});
  return 0;
}
