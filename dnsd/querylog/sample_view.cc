#include "dnsd/querylog/sample_view.h"

#include <algorithm>
#include <cstring>

#include "zones/name.h"
#include "zones/wire.h"

namespace dnsd {

std::optional<SampleView> SampleView::Read(std::span<const uint8_t> record) {
  SampleView view;
  if (record.size() < sizeof(view.head)) return std::nullopt;
  std::memcpy(&view.head, record.data(), sizeof(view.head));
  record = record.subspan(sizeof(view.head));
  const size_t query_size = view.head.query_size;
  if (record.size() != query_size + view.head.response_size) {
    return std::nullopt;
  }
  view.query = record.first(query_size);
  view.response = record.subspan(query_size);
  return view;
}

std::string SampleView::Name(bool lower_case) const {
  const std::span<const uint8_t> message = question();
  const size_t end = QuestionEnd(message);
  if (end == 0) return "";
  const size_t size = end - 2 * sizeof(uint16_t) - kHeaderBytes;
  if (size > kNameBytesMax) return "";
  std::string name(reinterpret_cast<const char*>(message.data()) + kHeaderBytes,
                   size);
  if (lower_case) {
    std::transform(name.begin(), name.end(), name.begin(), [](char c) {
      return static_cast<char>(LowerByte(static_cast<uint8_t>(c)));
    });
  }
  return name;
}

}  // namespace dnsd
