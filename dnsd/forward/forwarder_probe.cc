// Questions of a forwarder's own: whether an upstream is back, and whether it
// sends our questions back to us.
#include <cstring>
#include <utility>

#include "dnsd/forward/forwarder.h"
#include "zones/query.h"

namespace dnsd {
namespace {

constexpr size_t kLoopLabelBytes = 16;  // hexadecimal digits, 64 bits
constexpr uint8_t kRoot[] = {0};

}  // namespace

// Two, for some forwarders keep names of one label to themselves.
std::string MakeLoopLabels() {
  SecretRandom random;
  std::string labels;
  for (int i = 0; i < 2; ++i) {
    labels.push_back(static_cast<char>(kLoopLabelBytes));
    uint64_t bits = random.Next64();
    for (size_t digit = 0; digit < kLoopLabelBytes; ++digit, bits >>= 4) {
      labels.push_back("0123456789abcdef"[bits & 15]);
    }
  }
  return labels;
}

// Whether the probe is on its way; one that is too late is given up.
bool Forwarder::IsProbing(const Known& known, Probe* probe) {
  if (probe->exchange == nullptr) return false;
  if (now_ms() < probe->started_ms + known.timeout_ms) return true;
  stats_->timeouts.Add();
  Bury(std::move(probe->exchange));
  return false;
}

void Forwarder::StartProbe(Known* known, Probe* probe, ForwardQuestion question,
                           UpstreamExchange::Done done) {
  probe->started_ms = now_ms();
  probe->exchange =
      std::make_unique<UpstreamExchange>(loop_, stats_, &secrets_);
  UpstreamExchange::Mode mode = ModeOf(*known);
  mode.edns = false;
  const auto ended = [this, probe, done = std::move(done)](ExchangeEnd end) {
    if (done) done(end);
    Bury(std::move(probe->exchange));
    ArmTimer();
  };
  if (!Start(probe->exchange.get(), known, question, mode, ended)) {
    Bury(std::move(probe->exchange));
  }
}

// Asks one that is down whether it is back.
void Forwarder::ProbeHealth(Known* known) {
  const uint64_t now = now_ms();
  if (IsProbing(*known, &known->health) || known->state.next_probe_ms() == 0 ||
      now < known->state.next_probe_ms()) {
    return;
  }
  known->state.Probed(now);
  // The root: everybody knows it.
  StartProbe(
      known, &known->health, ForwardKey(kRoot, kTypeNs).Kept(),
      [this, known](ExchangeEnd end) {
        if (end != ExchangeEnd::kUnreachable && end != ExchangeEnd::kForged) {
          known->state.Answered(now_ms() - known->health.started_ms);
        }
      });
}

// Asks one that did not answer for a name that only we can know, to see
// whether it comes back. What it says to that does not matter.
void Forwarder::ProbeForLoop(Known* known, const std::string& zone) {
  const uint64_t now = now_ms();
  const std::string name = options_.loop_labels + zone;
  if (closed_ || !known->is_used || now < known->next_loop_ms ||
      IsProbing(*known, &known->loop) || name.size() > kNameBytesMax) {
    return;
  }
  known->next_loop_ms = now + kForwardLoopProbeMs;
  StartProbe(known, &known->loop, ForwardKey(WireBytes(name), kTypeA).Kept(),
             nullptr);
  ArmTimer();
}

bool Forwarder::IsFromLoop(std::span<const uint8_t> name) const {
  const std::string& labels = options_.loop_labels;
  return name.size() > labels.size() &&
         std::memcmp(name.data(), labels.data(), labels.size()) == 0;
}

void Forwarder::NoteLoop(std::span<const uint8_t> name,
                         const SocketAddress& from) {
  stats_->loops.Add();
  if (!on_loop_) return;
  name = name.subspan(options_.loop_labels.size());
  on_loop_({reinterpret_cast<const char*>(name.data()), name.size()}, from);
}

}  // namespace dnsd
