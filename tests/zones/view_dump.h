// A View's table as plain values, to compare two views that were made in
// different ways: their hashes and datacenter indexes may differ.
//
// Threads: pure functions.
#ifndef DNSD_TESTS_ZONES_VIEW_DUMP_H_
#define DNSD_TESTS_ZONES_VIEW_DUMP_H_

#include <cstring>
#include <map>
#include <string>

#include "catalog/published.h"
#include "catalog/qsbr.h"
#include "zones/name.h"
#include "zones/view.h"
#include "zones/view_builder.h"

namespace dnsd::testing {

// "kind dc key" to the entry's bytes without hash and datacenter.
inline std::map<std::string, std::string> Dump(const View& view) {
  std::map<std::string, std::string> dump;
  view.table.ForEach([&](const Entry& entry) {
    std::string name = std::to_string(static_cast<int>(entry.kind)) + " ";
    name += view.datacenters.at(entry.datacenter) + " ";
    if (entry.kind == EntryKind::kReverse) {
      for (size_t i = 0; i < entry.key_size; ++i) {
        name += std::to_string(entry.key()[i]) + ".";
      }
    } else {
      std::string key(reinterpret_cast<const char*>(entry.key()),
                      entry.key_size);
      key += '\0';
      name += NameToText(
          {reinterpret_cast<const uint8_t*>(key.data()), key.size()});
    }
    std::string bytes(reinterpret_cast<const char*>(&entry), entry.size);
    std::memset(bytes.data() + offsetof(Entry, hash), 0, sizeof(entry.hash));
    bytes[offsetof(Entry, datacenter)] = 0;
    dump[name] = bytes;
  });
  return dump;
}

// A line of views as the server publishes them, without the server.
class ViewLine {
 public:
  ViewLine() : published_(&qsbr_), builder_(0x5eed, &qsbr_) {}
  ~ViewLine() { builder_.FinishLine(); }
  ViewLine(const ViewLine&) = delete;
  ViewLine& operator=(const ViewLine&) = delete;

  const View& Publish(const State& state, const Dirty& dirty) {
    published_.Exchange(builder_.Build(state, dirty, ++serial_));
    qsbr_.Reclaim();
    return *published_.current();
  }

  [[nodiscard]] ViewBuilder& builder() { return builder_; }
  [[nodiscard]] Qsbr& qsbr() { return qsbr_; }
  [[nodiscard]] const Published<View>& published() const { return published_; }
  [[nodiscard]] const View& view() const { return *published_.current(); }

 private:
  Qsbr qsbr_;
  Published<View> published_;
  ViewBuilder builder_;
  uint32_t serial_ = 0;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_ZONES_VIEW_DUMP_H_
