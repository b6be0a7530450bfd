#include "catalog/registry/checks/socket_probes.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/registry/checks/go_text.h"

namespace dnsd {
namespace {

ProbeResult Critical(std::string output) {
  return {.status = HealthStatus::kCritical, .output = std::move(output)};
}

}  // namespace

TcpProbe::TcpProbe(ProbeTools* tools, const CheckDefinition& check,
                   ProbeDone done)
    : tools_(tools),
      check_(check),
      done_(std::move(done)),
      dialer_(tools->loop, &tools->names,
              {.network = "tcp", .address = check.tcp},
              [this](std::unique_ptr<PolledSocket> socket,
                     const std::string& error) {
                OnConnected(std::move(socket), error);
              }) {}

void TcpProbe::OnConnected(std::unique_ptr<PolledSocket> socket,
                           const std::string& error) {
  if (socket == nullptr) {
    done_(Critical(error));
    return;
  }
  if (!check_.tcp_use_tls) {
    socket_ = std::move(socket);
    Succeed("TCP");
    return;
  }
  const StreamTls tls = tools_->TlsFor(check_, check_.tcp);
  stream_.emplace(
      std::move(socket), &tls,
      ByteStream::Callbacks{
          .on_open = [this] { Succeed("TCP+TLS"); },
          .on_bytes = [](absl::string_view) {},
          .on_end = [this](const std::string& why) { done_(Critical(why)); }});
}

void TcpProbe::Succeed(const char* what) {
  done_({.status = HealthStatus::kPassing,
         .output = absl::StrCat(what, " connect ", check_.tcp, ": Success")});
}

ProbeResult TcpProbe::TimeOut() {
  return Critical(stream_.has_value() ? "context deadline exceeded"
                                      : dialer_.TimeOutText());
}

UdpProbe::UdpProbe(ProbeTools* tools, const CheckDefinition& check,
                   ProbeDone done)
    : check_(check),
      done_(std::move(done)),
      dialer_(tools->loop, &tools->names,
              {.network = "udp", .address = check.udp},
              [this](std::unique_ptr<PolledSocket> socket,
                     const std::string& error) {
                OnConnected(std::move(socket), error);
              }) {}

void UdpProbe::OnConnected(std::unique_ptr<PolledSocket> socket,
                           const std::string& error) {
  if (socket == nullptr) {
    done_(Critical(error));
    return;
  }
  socket_ = std::move(socket);
  if (send(socket_->fd(), nullptr, 0, MSG_NOSIGNAL) < 0) {
    done_(Critical(absl::StrCat("write udp ", socket_->Ends(),
                                ": write: ", GoErrno(errno))));
    return;
  }
  socket_->Watch(UV_READABLE, [this](int) { OnAnswer(); });
}

void UdpProbe::OnAnswer() {
  char byte = 0;
  if (recv(socket_->fd(), &byte, sizeof(byte), 0) >= 0) {
    socket_->Stop();
    done_(Success());
    return;
  }
  if (errno == EAGAIN || errno == EINTR) {
    socket_->SetEvents(UV_READABLE);
    return;
  }
  const int why = errno;
  socket_->Stop();
  done_(Critical(
      absl::StrCat("read udp ", socket_->Ends(), ": read: ", GoErrno(why))));
}

ProbeResult UdpProbe::Success() const {
  return {.status = HealthStatus::kPassing,
          .output = absl::StrCat("UDP connect ", check_.udp, ": Success")};
}

ProbeResult UdpProbe::TimeOut() {
  if (socket_ == nullptr) return Critical(dialer_.TimeOutText());
  return Success();
}

}  // namespace dnsd
