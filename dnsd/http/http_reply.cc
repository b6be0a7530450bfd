#include "dnsd/http/http_reply.h"

#include <utility>

namespace dnsd {
namespace {

// Collects a stream to one answer.
class FunctionSink : public HttpAnswerSink {
 public:
  explicit FunctionSink(std::function<void(HttpResponse)> function)
      : function_(std::move(function)) {}

  void Answer(HttpResponse response) override {
    const std::function<void(HttpResponse)> function =
        std::exchange(function_, nullptr);
    if (function) function(std::move(response));
  }
  void Begin(HttpResponse head) override { collected_ = std::move(head); }
  bool Write(absl::string_view bytes) override {
    collected_.body.append(bytes.data(), bytes.size());
    return true;
  }
  void End() override { Answer(std::move(collected_)); }
  void Abort() override { function_ = nullptr; }
  void OnDrained(std::function<void()>) override {}
  void OnClosed(std::function<void()>) override {}

 private:
  std::function<void(HttpResponse)> function_;
  HttpResponse collected_;
};

}  // namespace

HttpReply::HttpReply(std::shared_ptr<HttpAnswerSink> sink)
    : sink_(std::move(sink)) {}

std::shared_ptr<HttpAnswerSink> HttpReply::ToFunction(
    std::function<void(HttpResponse)> function) {
  return std::make_shared<FunctionSink>(std::move(function));
}

void HttpReply::operator()(HttpResponse response) const {
  if (sink_) sink_->Answer(std::move(response));
}

void HttpReply::Begin(HttpResponse head) const {
  if (sink_) sink_->Begin(std::move(head));
}

bool HttpReply::Write(absl::string_view bytes) const {
  return !sink_ || sink_->Write(bytes);
}

void HttpReply::End() const {
  if (sink_) sink_->End();
}

void HttpReply::Abort() const {
  if (sink_) sink_->Abort();
}

void HttpReply::Waits() const {
  if (sink_) sink_->Waits();
}

void HttpReply::OnDrained(std::function<void()> callback) const {
  if (sink_) sink_->OnDrained(std::move(callback));
}

void HttpReply::OnClosed(std::function<void()> callback) const {
  if (sink_) sink_->OnClosed(std::move(callback));
}

}  // namespace dnsd
