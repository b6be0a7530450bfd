#include "dnsd/transfer/transfer_service.h"

#include <pthread.h>

#include <ctime>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "catalog/base/check.h"
#include "catalog/base/event_loop.h"
#include "catalog/base/heartbeat.h"
#include "catalog/base/thread.h"
#include "dnsd/transfer/notifier.h"
#include "dnsd/transfer/zone_image.h"

namespace dnsd {
namespace {

constexpr uint64_t kSweepMs = 1'000;

}  // namespace

struct TransferService::Impl : TransferHost {
  explicit Impl(Options service_options);

  std::shared_ptr<const ZoneImage> ImageOf(const std::string& apex) override;
  TransferVerdict Answer(std::span<const uint8_t> frame,
                         const SocketAddress& client, uint8_t* out) override;
  [[nodiscard]] uint64_t UnixTime() const override {
    return static_cast<uint64_t>(std::time(nullptr));
  }
  TransferStats* stats() override { return &numbers; }

  [[nodiscard]] const View& ReadView() {
    return *options.view->Read(options.reader);
  }
  void Run();
  void Add(Handover handover);
  void Close(std::list<TransferConnection>::iterator connection);
  void Sweep();
  void TellSecondaries();

  Options options;
  TransferGate gate;
  TransferStats numbers;
  RespondContext respond;
  // The images that somebody is being sent, by apex: the newest of each.
  std::map<std::string, std::weak_ptr<const ZoneImage>> images;

  EventLoop loop;  // outlives the handles below
  Heartbeat beat{&loop};
  std::list<TransferConnection> connections;
  std::list<TransferConnection> closed;  // freed outside their callbacks
  Notifier notifier;
  Signal published;
  PrepareHook before_sleep;
  Timer sweep;
  std::thread thread;
};

TransferService::Impl::Impl(Options service_options)
    : options(std::move(service_options)),
      gate(&options.transfer, options.limits),
      notifier(&loop, &options.transfer, options.limits, options.sources,
               &numbers),
      published(&loop, [this] { TellSecondaries(); }),
      before_sleep(&loop,
                   [this] {
                     closed.clear();
                     options.reader.Offline();
                   }),
      sweep(&loop, [this] { Sweep(); }) {
  respond.random = Random(options.seed);
}

void TransferService::Impl::Run() {
  pthread_setname_np(pthread_self(), "dnsd-xfr");
  published.Send();
  loop.Run();
  connections.clear();
  closed.clear();
  options.reader.Offline();
}

std::shared_ptr<const ZoneImage> TransferService::Impl::ImageOf(
    const std::string& apex) {
  const View& view = ReadView();
  TransferZone zone;
  if (!FindTransferZone(view, options.transfer, apex, &zone) ||
      !zone.is_ready) {
    return nullptr;
  }
  std::weak_ptr<const ZoneImage>& known = images[apex];
  std::shared_ptr<const ZoneImage> image = known.lock();
  // A file that was edited without a new serial is shown with the next one.
  if (image != nullptr && image->serial == zone.serial) return image;
  const size_t bytes_max = options.limits.image_bytes_max;
  image = zone.file != nullptr
              ? MakeFileImage(*zone.file, bytes_max)
              : MakeCatalogImage(view, *zone.domain, bytes_max);
  known = image;
  return image;
}

TransferVerdict TransferService::Impl::Answer(std::span<const uint8_t> frame,
                                              const SocketAddress& client,
                                              uint8_t* out) {
  const View& view = ReadView();
  respond.unix_time = static_cast<uint32_t>(UnixTime());
  return gate.Answer(frame, Transport::kTcp, client, view, true, true, &respond,
                     out);
}

void TransferService::Impl::Add(Handover handover) {
  if (!handover.fd.valid()) {  // out of descriptors
    gate.Release();
    return;
  }
  const uint64_t now_ms = uv_now(loop.uv());
  connections.emplace_front(std::move(handover), this, now_ms);
  const auto connection = connections.begin();
  connection->Watch(&loop, [this, connection](int events) {
    if (!connection->OnReady(events, uv_now(loop.uv()))) Close(connection);
  });
  if (!sweep.active()) sweep.Start(kSweepMs, kSweepMs);
}

void TransferService::Impl::Close(
    std::list<TransferConnection>::iterator connection) {
  connection->Unwatch();
  closed.splice(closed.end(), connections, connection);
  gate.Release();
  if (connections.empty()) sweep.Stop();
}

void TransferService::Impl::Sweep() {
  const uint64_t now_ms = uv_now(loop.uv());
  for (auto next = connections.begin(); next != connections.end();) {
    const auto connection = next++;
    if (connection->Expired(options.limits, now_ms)) Close(connection);
  }
}

void TransferService::Impl::TellSecondaries() {
  const View& view = ReadView();
  std::map<std::string, uint32_t> serials;
  auto add = [&](const std::string& apex) {
    TransferZone zone;
    if (FindTransferZone(view, options.transfer, apex, &zone) &&
        zone.is_ready) {
      serials[apex] = zone.serial;
    }
  };
  for (const auto& zone : view.zones) add(zone->apex);
  for (const Domain& domain : view.domains) add(domain.wire);
  notifier.Update(serials);
}

TransferService::TransferService(Options options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}

TransferService::~TransferService() { Stop(); }

void TransferService::Start() {
  DNSD_CHECK(!impl_->thread.joinable());
  impl_->beat.Start();
  impl_->thread = StartThread([impl = impl_.get()] { impl->Run(); });
}

void TransferService::Stop() {
  if (!impl_->thread.joinable()) return;
  impl_->loop.Stop();
  impl_->thread.join();
}

TransferVerdict TransferService::Answer(std::span<const uint8_t> packet,
                                        Transport transport,
                                        const SocketAddress& client,
                                        const View& view, bool may_grant,
                                        RespondContext* context, uint8_t* out) {
  return impl_->gate.Answer(packet, transport, client, view, may_grant, false,
                            context, out);
}

void TransferService::TakeOver(Handover handover) {
  // std::function wants what can be copied.
  auto shared = std::make_shared<Handover>(std::move(handover));
  impl_->loop.Post(
      [impl = impl_.get(), shared] { impl->Add(std::move(*shared)); });
}

void TransferService::OnPublished() { impl_->published.Send(); }

const TransferStats& TransferService::stats() const { return impl_->numbers; }

const TransferGate& TransferService::gate() const { return impl_->gate; }

const Heartbeat& TransferService::beat() const { return impl_->beat; }

}  // namespace dnsd
