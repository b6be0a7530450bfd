#include "catalog/registry/checks/h2_client.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/check.h"

namespace dnsd {

H2Client::H2Client(std::unique_ptr<PolledSocket> socket, const StreamTls* tls,
                   Callbacks callbacks)
    : callbacks_(std::move(callbacks)),
      stream_(std::move(socket), tls,
              {.on_open = [this] { Start(); },
               .on_bytes = [this](absl::string_view bytes) { OnBytes(bytes); },
               .on_end = [this](const std::string& error) { Fail(error); }}) {
  nghttp2_session_callbacks* set = nullptr;
  DNSD_CHECK(nghttp2_session_callbacks_new(&set) == 0);
  nghttp2_session_callbacks_set_on_frame_recv_callback(set, OnFrame);
  nghttp2_session_callbacks_set_on_header_callback(set, OnHeader);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(set, OnData);
  nghttp2_session_callbacks_set_on_stream_close_callback(set, OnClose);
  nghttp2_session* session = nullptr;
  DNSD_CHECK(nghttp2_session_client_new(&session, set, this) == 0);
  session_.reset(session);
  nghttp2_session_callbacks_del(set);
}

void H2Client::Start() {
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
  };
  nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, settings,
                          std::size(settings));
  callbacks_.on_open();
  Push();
}

void H2Client::Ping() {
  nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, nullptr);
}

void H2Client::Request(const Headers& headers, std::string body) {
  body_ = std::move(body);
  std::vector<nghttp2_nv> pairs;
  pairs.reserve(headers.size());
  // nghttp2 copies them, and changes nothing in spite of the type.
  for (const auto& [name, value] : headers) {
    pairs.push_back(
        {.name = reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
         .value = reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())),
         .namelen = name.size(),
         .valuelen = value.size(),
         .flags = NGHTTP2_NV_FLAG_NONE});
  }
  nghttp2_data_provider provider{};
  provider.source.ptr = this;
  provider.read_callback = ReadBody;
  stream_id_ = nghttp2_submit_request(session_.get(), nullptr, pairs.data(),
                                      pairs.size(), &provider, nullptr);
}

ssize_t H2Client::ReadBody(nghttp2_session*, int32_t, uint8_t* out,
                           size_t bytes_max, uint32_t* flags,
                           nghttp2_data_source* source, void*) {
  auto* self = static_cast<H2Client*>(source->ptr);
  const size_t bytes =
      std::min(bytes_max, self->body_.size() - self->body_sent_bytes_);
  std::memcpy(out, self->body_.data() + self->body_sent_bytes_, bytes);
  self->body_sent_bytes_ += bytes;
  if (self->body_sent_bytes_ == self->body_.size()) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
  }
  return static_cast<ssize_t>(bytes);
}

void H2Client::OnBytes(absl::string_view bytes) {
  if (is_over_) return;
  const ssize_t taken = nghttp2_session_mem_recv(
      session_.get(), reinterpret_cast<const uint8_t*>(bytes.data()),
      bytes.size());
  // Outside nghttp2's callbacks: these may do what they like.
  if (has_pong_ && !is_over_) {
    is_over_ = true;
    callbacks_.on_pong();
  } else if (has_answer_ && !is_over_) {
    is_over_ = true;
    callbacks_.on_answer(answer_);
  } else if (taken < 0) {
    Push();  // GOAWAY
    Fail(has_settings_ ? absl::StrCat("http2: ",
                                      nghttp2_strerror(static_cast<int>(taken)))
                       : "connection closed");
  }
  if (is_over_) return;
  Push();
  // After a GOAWAY, of either side.
  if (nghttp2_session_want_read(session_.get()) == 0 &&
      nghttp2_session_want_write(session_.get()) == 0) {
    Fail("connection closed");
  }
}

void H2Client::Push() {
  const uint8_t* data = nullptr;
  ssize_t bytes = 0;
  while ((bytes = nghttp2_session_mem_send(session_.get(), &data)) > 0) {
    stream_.Write(
        {reinterpret_cast<const char*>(data), static_cast<size_t>(bytes)});
  }
}

void H2Client::Fail(const std::string& error) {
  if (is_over_) return;
  is_over_ = true;
  callbacks_.on_error(error);
}

int H2Client::OnFrame(nghttp2_session*, const nghttp2_frame* frame,
                      void* user) {
  auto* self = static_cast<H2Client*>(user);
  if (frame->hd.type == NGHTTP2_SETTINGS) self->has_settings_ = true;
  if (frame->hd.type == NGHTTP2_PING &&
      (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) {
    self->has_pong_ = true;
  }
  return 0;
}

int H2Client::OnHeader(nghttp2_session*, const nghttp2_frame*,
                       const uint8_t* name, size_t name_bytes,
                       const uint8_t* value, size_t value_bytes, uint8_t,
                       void* user) {
  auto* self = static_cast<H2Client*>(user);
  self->header_bytes_ += name_bytes + value_bytes;
  if (self->header_bytes_ > kH2HeaderBytesMax) return 0;
  self->answer_
      .headers[std::string(reinterpret_cast<const char*>(name), name_bytes)] =
      std::string(reinterpret_cast<const char*>(value), value_bytes);
  return 0;
}

int H2Client::OnData(nghttp2_session*, uint8_t, int32_t, const uint8_t* data,
                     size_t bytes, void* user) {
  std::string& kept = static_cast<H2Client*>(user)->answer_.data;
  kept.append(reinterpret_cast<const char*>(data),
              std::min(bytes, kH2DataBytesMax - kept.size()));
  return 0;
}

int H2Client::OnClose(nghttp2_session*, int32_t id, uint32_t error,
                      void* user) {
  auto* self = static_cast<H2Client*>(user);
  if (id != self->stream_id_) return 0;
  self->answer_.error_code = error;
  self->has_answer_ = true;
  return 0;
}

}  // namespace dnsd
