#include "zones/name.h"

#include <cstdio>

namespace dnsd {

size_t ParseName(std::span<const uint8_t> bytes, Name* name) {
  const uint8_t* in = bytes.data();
  size_t limit = bytes.size() < kNameBytesMax ? bytes.size() : kNameBytesMax;
  size_t at = 0;
  size_t labels = 0;
  while (at < limit) {
    size_t size = in[at];
    // A byte above 63 is a compression pointer or a reserved label type;
    // neither belongs in a question.
    if (size > kLabelBytesMax) return 0;
    name->label[labels] = static_cast<uint8_t>(at);
    name->lower[at] = in[at];
    ++at;
    if (size == 0) {
      name->label_count = static_cast<uint8_t>(labels);
      name->size = static_cast<uint16_t>(at);
      return at;
    }
    if (size >= limit - at) return 0;
    for (size_t end = at + size; at < end; ++at) {
      name->lower[at] = LowerByte(in[at]);
    }
    ++labels;
  }
  return 0;
}

bool LabelsToWire(const std::string& text, std::string* wire) {
  wire->clear();
  size_t begin = 0;
  while (begin <= text.size()) {
    size_t end = text.find('.', begin);
    if (end == std::string::npos) end = text.size();
    size_t size = end - begin;
    if (size == 0 || size > kLabelBytesMax) return false;
    wire->push_back(static_cast<char>(size));
    wire->append(text, begin, size);
    begin = end + 1;
  }
  return wire->size() < kNameBytesMax;
}

bool NameToWire(const std::string& text, std::string* wire) {
  std::string labels = text;
  if (!labels.empty() && labels.back() == '.') labels.pop_back();
  wire->clear();
  if (!labels.empty() && !LabelsToWire(labels, wire)) return false;
  wire->push_back('\0');
  return true;
}

std::string NameToText(std::span<const uint8_t> wire) {
  std::string text;
  size_t at = 0;
  while (at < wire.size() && wire[at] != 0) {
    size_t end = at + 1 + wire[at];
    for (size_t i = at + 1; i < end && i < wire.size(); ++i) {
      uint8_t byte = wire[i];
      if (byte <= ' ' || byte > '~') {
        char escaped[5];
        std::snprintf(escaped, sizeof(escaped), "\\%03u", byte);
        text += escaped;
      } else {
        if (byte == '.' || byte == '\\' || byte == '"') text += '\\';
        text += static_cast<char>(byte);
      }
    }
    text += '.';
    at = end;
  }
  return text.empty() ? "." : text;
}

}  // namespace dnsd
