#include "dnsd/transfer/notifier.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/log.h"
#include "zones/name.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

constexpr size_t kReplyBytesMax = 4096;
constexpr int kRepliesPerTurn = 64;

uint64_t UnixTime() { return static_cast<uint64_t>(std::time(nullptr)); }

bool IsLoopback(const SocketAddress& address) {
  return address.is_v6() ? IN6_IS_ADDR_LOOPBACK(&address.v6.sin6_addr) != 0
                         : ntohl(address.v4.sin_addr.s_addr) >> 24 == 127;
}

std::string ZoneText(const std::string& apex) {
  return NameToText(WireBytes(apex));
}

}  // namespace

Notifier::Notifier(EventLoop* loop, const TransferOptions* options,
                   const TransferLimits& limits,
                   const std::vector<SocketAddress>& sources,
                   TransferStats* stats)
    : loop_(loop),
      options_(options),
      limits_(limits),
      stats_(stats),
      timer_(loop, [this] { Run(); }) {
  for (const NotifyTarget& target : options->notify) {
    const bool is_v6 = target.address.is_v6();
    Open(is_v6 ? AF_INET6 : AF_INET, sources, is_v6 ? &v6_ : &v4_);
  }
}

Notifier::~Notifier() = default;

void Notifier::Open(int family, const std::vector<SocketAddress>& sources,
                    Socket* socket_of) {
  if (socket_of->fd.valid()) return;
  socket_of->fd =
      UniqueFd(socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_of->fd.valid()) return;  // without IPv6: sending fails
  // From loopback nothing gets to another host.
  const bool is_remote =
      std::any_of(options_->notify.begin(), options_->notify.end(),
                  [family](const NotifyTarget& target) {
                    return target.address.sa.sa_family == family &&
                           !IsLoopback(target.address);
                  });
  for (const SocketAddress& source : sources) {
    if (source.sa.sa_family != family) continue;
    if (is_remote && IsLoopback(source)) continue;
    SocketAddress from = source;
    (from.is_v6() ? from.v6.sin6_port : from.v4.sin_port) = 0;
    // If it cannot be, the kernel chooses.
    (void)bind(socket_of->fd.get(), &from.sa, from.size());
    break;
  }
  socket_of->poll = std::make_unique<Poll>(
      loop_, socket_of->fd.get(), [this, socket_of](int events) {
        if (events < 0) socket_of->poll->Start(UV_READABLE);
        Receive(socket_of);
      });
  socket_of->poll->Start(UV_READABLE);
}

void Notifier::Update(const std::map<std::string, uint32_t>& serials) {
  if (options_->notify.empty()) return;
  std::erase_if(
      zones_, [&](const auto& zone) { return !serials.contains(zone.first); });
  for (const auto& [apex, serial] : serials) {
    Zone& zone = zones_[apex];
    if (zone.serial == serial && zone.was_told) continue;
    zone.serial = serial;
    zone.is_due = true;
  }
  Run();
}

// Does what is due, and sets the timer for what comes next.
void Notifier::Run() {
  const uint64_t now_ms = uv_now(loop_->uv());
  uint64_t next_ms = UINT64_MAX;
  for (auto& [apex, zone] : zones_) {
    if (!zone.is_due) continue;
    const uint64_t due_ms = zone.told_ms + options_->notify_interval_ms;
    if (zone.was_told && due_ms > now_ms) {
      next_ms = std::min(next_ms, due_ms);
      continue;
    }
    zone.is_due = false;
    zone.was_told = true;
    zone.told_ms = now_ms;
    Tell(apex);
  }
  for (auto next = pending_.begin(); next != pending_.end();) {
    const auto pending = next++;
    if (pending->next_ms > now_ms) {
      next_ms = std::min(next_ms, pending->next_ms);
    } else if (pending->tries >= limits_.notify_tries) {
      stats_->notifies_failed.Add();
      LogWarn("transfer", "A secondary does not acknowledge NOTIFY",
              {{"secondary", pending->target->text},
               {"zone", ZoneText(pending->apex)}});
      pending_.erase(pending);
    } else {
      pending->next_ms = now_ms + (limits_.notify_retry_ms << pending->tries);
      ++pending->tries;
      Send(&*pending);
      next_ms = std::min(next_ms, pending->next_ms);
    }
  }
  if (next_ms == UINT64_MAX) {
    timer_.Stop();
  } else {
    timer_.Start(next_ms - now_ms);
  }
}

// What is still under way for the zone is replaced: it means the same.
void Notifier::Tell(const std::string& apex) {
  std::erase_if(pending_, [&](const auto& p) { return p.apex == apex; });
  for (const NotifyTarget& target : options_->notify) {
    Pending pending;
    pending.apex = apex;
    pending.target = &target;
    pending.id = random_.Next16();
    pending_.push_back(std::move(pending));
  }
}

void Notifier::Send(Pending* pending) {
  std::array<uint8_t, kHeaderBytes + kNameBytesMax + 4 + kTsigBytesMax> packet;
  packet.fill(0);
  Store16(packet.data(), pending->id);
  Store16(packet.data() + 2, kOpNotify << kOpcodeShift | kFlagAa);
  Store16(packet.data() + 4, 1);
  size_t size = kHeaderBytes;
  memcpy(packet.data() + size, pending->apex.data(), pending->apex.size());
  size += pending->apex.size();
  Store16(packet.data() + size, kTypeSoa);
  Store16(packet.data() + size + 2, kClassIn);
  size += 4;
  pending->tsig = TsigSession();
  if (!options_->keys.empty()) pending->tsig.key = options_->keys.data();
  size = AppendTsig(&pending->tsig, UnixTime(), packet.data(), size);
  const SocketAddress& to = pending->target->address;
  const Socket& socket = to.is_v6() ? v6_ : v4_;
  // What cannot be sent now is sent with the next try.
  if (sendto(socket.fd.get(), packet.data(), size, MSG_DONTWAIT, &to.sa,
             to.size()) >= 0) {
    stats_->notifies_sent.Add();
  }
}

void Notifier::Receive(Socket* socket) {
  std::array<uint8_t, kReplyBytesMax> packet;
  for (int i = 0; i < kRepliesPerTurn; ++i) {
    SocketAddress from;
    socklen_t from_size = sizeof(from);
    const ssize_t size = recvfrom(socket->fd.get(), packet.data(),
                                  packet.size(), 0, &from.sa, &from_size);
    if (size < 0) {
      // Others are errors of one secondary (ECONNREFUSED).
      if (errno == EAGAIN || errno == EWOULDBLOCK) return;
      continue;
    }
    OnReply({packet.data(), static_cast<size_t>(size)}, from);
  }
}

void Notifier::OnReply(std::span<const uint8_t> reply,
                       const SocketAddress& from) {
  if (reply.size() < kHeaderBytes) return;
  const uint16_t flags = Load16(reply.data() + 2);
  if ((flags & kFlagQr) == 0 ||
      (flags & kOpcodeMask) >> kOpcodeShift != kOpNotify) {
    return;
  }
  const auto pending =
      std::find_if(pending_.begin(), pending_.end(), [&](const Pending& p) {
        return p.tries > 0 && p.id == Load16(reply.data()) &&
               p.target->address == from;
      });
  if (pending == pending_.end()) return;
  const int rcode = flags & 0xf;
  if (rcode == kNoError) {
    if (pending->tsig.key != nullptr) {
      TsigRecord record;
      TsigSession session = pending->tsig;
      if (ParseTsig(reply, &record) != TsigParse::kSigned ||
          !VerifyAnswer(reply, record, UnixTime(), &session)) {
        return;  // perhaps somebody else's: the next try asks again
      }
    }
    stats_->notifies_acknowledged.Add();
  } else {
    stats_->notifies_failed.Add();
    LogWarn("transfer", "A secondary refuses NOTIFY",
            {{"secondary", pending->target->text},
             {"zone", ZoneText(pending->apex)},
             {"rcode", rcode}});
  }
  pending_.erase(pending);
}

}  // namespace dnsd
