// The way back: from a handler's Reply to the output of its connection.
#include <ctime>
#include <utility>

#include "catalog/base/check.h"
#include "dnsd/http/gzip.h"
#include "dnsd/http/http_connection.h"
#include "dnsd/http/http_response.h"
#include "dnsd/limits.h"

namespace dnsd {
namespace {

// Pieces of a stream up to this size are joined to one write.
constexpr size_t kJoinedBytesMax = 64u << 10;

}  // namespace

// The only owner of a request's answer, shared by the copies of its Reply. The
// last copy to go answers for a handler that forgot to.
class HttpConnection::Sink : public HttpAnswerSink {
 public:
  Sink(std::weak_ptr<HttpConnection> connection, uint64_t request)
      : connection_(std::move(connection)), request_(request) {}
  ~Sink() override {
    if (const auto connection = Take()) connection->Forget(request_);
  }

  void Answer(HttpResponse response) override {
    if (const auto connection = Take()) {
      connection->Answer(request_, std::move(response));
    }
  }
  void Begin(HttpResponse head) override {
    if (const auto connection = connection_.lock()) {
      connection->Begin(request_, std::move(head));
    }
  }
  bool Write(absl::string_view bytes) override {
    const auto connection = connection_.lock();
    return !connection || connection->WriteBody(request_, bytes);
  }
  void End() override {
    if (const auto connection = Take()) connection->End(request_);
  }
  void Abort() override {
    if (const auto connection = Take()) connection->Abort(request_);
  }
  void Waits() override {
    if (const auto connection = connection_.lock()) {
      connection->Waits(request_);
    }
  }
  void OnDrained(std::function<void()> callback) override {
    const auto connection = connection_.lock();
    if (connection && connection->IsCurrent(request_)) {
      connection->on_drained_ = std::move(callback);
    }
  }
  void OnClosed(std::function<void()> callback) override {
    if (complete_) return;
    const auto connection = connection_.lock();
    if (connection && connection->IsCurrent(request_)) {
      connection->on_closed_ = std::move(callback);
    } else if (callback) {
      callback();
    }
  }

 private:
  // For the last call: what it leads to may come back here.
  std::shared_ptr<HttpConnection> Take() {
    complete_ = true;
    return std::exchange(connection_, {}).lock();
  }

  std::weak_ptr<HttpConnection> connection_;
  const uint64_t request_;
  bool complete_ = false;
};

template <typename Function>
bool HttpConnection::Produce(Function function) {
  if (output_.empty() || output_.back().size() >= kJoinedBytesMax) {
    output_.emplace_back();
  }
  std::string* const out = &output_.back();
  const size_t before = out->size();
  const bool result = function(out);
  unsent_bytes_ += out->size() - before;
  if (out->empty()) output_.pop_back();
  return result;
}

HttpServer::Reply HttpConnection::MakeReply() {
  return HttpServer::Reply(
      std::make_shared<Sink>(weak_from_this(), ++request_number_));
}

bool HttpConnection::IsCurrent(uint64_t request) const {
  return !finished_ && with_handler() && request == request_number_;
}

void HttpConnection::Answer(uint64_t request, HttpResponse response) {
  if (!IsCurrent(request) || phase_ != Phase::kParked) return;
  if (takes_gzip_) GzipBody(&response);
  Write(std::move(response), /*close=*/!keep_alive_);
  AfterAnswer(/*close=*/!keep_alive_);
}

void HttpConnection::Begin(uint64_t request, HttpResponse head) {
  if (!IsCurrent(request) || phase_ != Phase::kParked) return;
  DNSD_CHECK(head.body.empty());
  SetPhase(Phase::kStream);
  std::string text;
  body_ = HttpBody();
  body_.Start(std::move(head),
              {.head_only = head_only_,
               .http_1_0 = http_1_0_,
               .keep_alive = keep_alive_,
               .now = std::time(nullptr)},
              &text);
  unsent_bytes_ += text.size();
  output_.push_back(std::move(text));
  Wake();
}

bool HttpConnection::WriteBody(uint64_t request, absl::string_view bytes) {
  if (!IsCurrent(request) || phase_ != Phase::kStream) return true;
  const bool fits =
      Produce([&](std::string* out) { return body_.Append(bytes, out); });
  if (!fits) {
    Cut(/*tell=*/true);
    Wake();
    return true;
  }
  Wake();
  // Waking may have found that the client is gone.
  tell_drained_ = IsCurrent(request) && unsent_bytes_ > kHttpUnsentBytesMax;
  return !tell_drained_;
}

void HttpConnection::End(uint64_t request) {
  if (!IsCurrent(request) || phase_ != Phase::kStream) return;
  const bool whole =
      Produce([this](std::string* out) { return body_.End(out); });
  if (whole) {
    AfterAnswer(body_.closes());
  } else {
    Cut(/*tell=*/false);
    Wake();
  }
}

void HttpConnection::Abort(uint64_t request) {
  if (!IsCurrent(request)) return;
  Cut(/*tell=*/false);
  Wake();
}

void HttpConnection::Forget(uint64_t request) {
  if (phase_ == Phase::kStream) {
    Abort(request);
    return;
  }
  HttpResponse response;
  response.status = 500;
  response.body = "The request was not answered";
  Answer(request, std::move(response));
}

void HttpConnection::Waits(uint64_t request) {
  if (IsCurrent(request)) LeaveFlight();
}

void HttpConnection::LeaveFlight() {
  if (std::exchange(flying_, false)) in_flight_->Leave(client_ip_);
}

void HttpConnection::AfterAnswer(bool close) {
  LeaveFlight();
  if (close) finished_ = true;
  SetPhase(Phase::kIdle);
  tell_drained_ = false;
  // They may hold the Reply that is being called, so they go last.
  const auto on_drained = std::exchange(on_drained_, nullptr);
  const auto on_closed = std::exchange(on_closed_, nullptr);
  if (!parsing_) Resume();
  Wake();
}

void HttpConnection::Cut(bool tell) {
  LeaveFlight();
  finished_ = true;
  wants_reset_ = phase_ == Phase::kStream && body_.ends_with_connection();
  SetPhase(Phase::kIdle);
  tell_drained_ = false;
  const auto on_drained = std::exchange(on_drained_, nullptr);
  const auto on_closed = std::exchange(on_closed_, nullptr);
  if (tell && on_closed) on_closed();
}

}  // namespace dnsd
