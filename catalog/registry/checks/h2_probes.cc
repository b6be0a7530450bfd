#include "catalog/registry/checks/h2_probes.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/registry/checks/go_text.h"
#include "catalog/registry/checks/grpc_health.h"
#include "catalog/registry/go_json.h"

namespace dnsd {
namespace {

ProbeResult Critical(std::string output) {
  return {.status = HealthStatus::kCritical, .output = std::move(output)};
}

std::string ConnectionError(const std::string& why) {
  return GrpcUnavailable(absl::StrCat(
      "connection error: desc = ", GoQuoted(absl::StrCat("transport: ", why))));
}

}  // namespace

GrpcProbe::GrpcProbe(ProbeTools* tools, const CheckDefinition& check,
                     ProbeDone done)
    : tools_(tools),
      check_(check),
      done_(std::move(done)),
      address_(check.grpc.substr(0, check.grpc.find('/'))),
      service_(address_.size() < check.grpc.size()
                   ? check.grpc.substr(address_.size() + 1)
                   : ""),
      dialer_(tools->loop, &tools->names,
              {.network = "tcp", .address = address_},
              [this](std::unique_ptr<PolledSocket> socket,
                     const std::string& error) {
                OnConnected(std::move(socket), error);
              }) {}

void GrpcProbe::OnConnected(std::unique_ptr<PolledSocket> socket,
                            const std::string& error) {
  if (socket == nullptr) {
    done_(
        Critical(ConnectionError(absl::StrCat("Error while dialing ", error))));
    return;
  }
  StreamTls tls;
  if (check_.grpc_use_tls) {
    tls = tools_->TlsFor(check_, address_);
    tls.offer_http2 = true;
  }
  client_.emplace(
      std::move(socket), check_.grpc_use_tls ? &tls : nullptr,
      H2Client::Callbacks{
          .on_open = [this] { Ask(); },
          .on_pong = [] {},
          .on_answer = [this](const H2Answer& answer) { done_(Read(answer)); },
          .on_error = [this](const std::string& why) { OnError(why); }});
}

void GrpcProbe::Ask() {
  client_->Request({{":method", "POST"},
                    {":scheme", check_.grpc_use_tls ? "https" : "http"},
                    {":path", "/grpc.health.v1.Health/Check"},
                    {":authority", address_},
                    {"content-type", "application/grpc"},
                    {"user-agent", tools_->settings.user_agent},
                    {"te", "trailers"}},
                   GrpcHealthRequest(service_));
}

void GrpcProbe::OnError(const std::string& error) {
  if (client_->failed_handshake()) {
    done_(Critical(ConnectionError(
        absl::StrCat("authentication handshake failed: ", error))));
  } else {
    // grpc-go does not say how.
    done_(Critical(GrpcUnavailable("connection closed")));
  }
}

ProbeResult GrpcProbe::Read(const H2Answer& answer) const {
  std::string error = GrpcHealthError(answer, check_.grpc);
  if (!error.empty()) return Critical(std::move(error));
  return {.status = HealthStatus::kPassing,
          .output = absl::StrCat("gRPC check ", check_.grpc, ": success")};
}

ProbeResult GrpcProbe::TimeOut() {
  return Critical(
      "rpc error: code = DeadlineExceeded desc = context deadline exceeded");
}

H2PingProbe::H2PingProbe(ProbeTools* tools, const CheckDefinition& check,
                         ProbeDone done)
    : tools_(tools),
      check_(check),
      done_(std::move(done)),
      dialer_(tools->loop, &tools->names,
              {.network = "tcp", .address = check.h2ping},
              [this](std::unique_ptr<PolledSocket> socket,
                     const std::string& error) {
                OnConnected(std::move(socket), error);
              }) {}

void H2PingProbe::OnConnected(std::unique_ptr<PolledSocket> socket,
                              const std::string& error) {
  if (socket == nullptr) {
    done_(Critical(
        absl::StrCat("Failed to dial to ", check_.h2ping, ": ", error)));
    return;
  }
  StreamTls tls;
  if (check_.h2ping_use_tls) {
    tls = tools_->TlsFor(check_, check_.h2ping);
    tls.offer_http2 = true;
  }
  client_.emplace(
      std::move(socket), check_.h2ping_use_tls ? &tls : nullptr,
      H2Client::Callbacks{
          .on_open =
              [this] {
                is_open_ = true;
                client_->Ping();
              },
          .on_pong =
              [this] {
                done_({.status = HealthStatus::kPassing,
                       .output = "HTTP2 ping was successful"});
              },
          .on_answer = [](const H2Answer&) {},
          .on_error =
              [this](const std::string& why) {
                done_(Critical(client_->failed_handshake()
                                   ? absl::StrCat("Failed to dial to ",
                                                  check_.h2ping, ": ", why)
                                   : absl::StrCat("HTTP2 ping failed: ", why)));
              }});
}

ProbeResult H2PingProbe::TimeOut() {
  if (is_open_) return Critical("HTTP2 ping failed: context deadline exceeded");
  return Critical(absl::StrCat("Failed to dial to ", check_.h2ping, ": ",
                               client_.has_value() ? "context deadline exceeded"
                                                   : dialer_.TimeOutText()));
}

}  // namespace dnsd
