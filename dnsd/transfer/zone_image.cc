#include "dnsd/transfer/zone_image.h"

#include <algorithm>
#include <span>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "dnsd/transfer/tsig.h"
#include "zones/catalog_zone.h"
#include "zones/name.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

constexpr size_t kRecordHeadBytes = 10;  // type, class, TTL, rdlength
constexpr size_t kOptBytes = 11;
constexpr size_t kMessageBytesMax = 65535 - kTsigBytesMax - kOptBytes;

class ImageWriter {
 public:
  ImageWriter(std::string apex, uint32_t serial, size_t bytes_max)
      : bytes_max_(bytes_max), image_(std::make_shared<ZoneImage>()) {
    image_->apex = std::move(apex);
    image_->serial = serial;
    Begin();
    message_ += image_->apex;
    Append16(kTypeAxfr);
    Append16(kClassIn);
    Head()[5] = 1;  // QDCOUNT
    NoteName(image_->apex, kHeaderBytes);
  }

  void Add(const ZoneRecordView& record) {
    if (failed_) return;
    const size_t size =
        record.owner.size() + kRecordHeadBytes + record.rdata.size();
    if (record_count_ > 0 && message_.size() + size > kImageMessageBytes) {
      Flush();
      Begin();
    }
    if (message_.size() + size > kMessageBytesMax) {
      failed_ = true;
      return;
    }
    AppendOwner({reinterpret_cast<const char*>(record.owner.data()),
                 record.owner.size()});
    Append16(record.type);
    Append16(kClassIn);
    Append16(record.ttl >> 16);
    Append16(record.ttl);
    Append16(static_cast<uint32_t>(record.rdata.size()));
    message_.append(reinterpret_cast<const char*>(record.rdata.data()),
                    record.rdata.size());
    ++record_count_;
  }

  std::shared_ptr<const ZoneImage> Finish() {
    Flush();
    if (failed_) return nullptr;
    return std::move(image_);
  }

 private:
  uint8_t* Head() { return reinterpret_cast<uint8_t*>(message_.data()); }

  void Begin() {
    names_.clear();
    record_count_ = 0;
    message_.assign(kHeaderBytes, '\0');
    Store16(Head() + 2, kFlagQr | kFlagAa);
  }

  void Flush() {
    Store16(Head() + 6, static_cast<uint32_t>(record_count_));
    image_->record_count += record_count_;
    image_->bytes += message_.size();
    image_->messages.emplace_back(message_);
    failed_ = failed_ || image_->bytes > bytes_max_;
  }

  void Append16(uint32_t value) {
    message_.push_back(static_cast<char>(value >> 8 & 0xff));
    message_.push_back(static_cast<char>(value & 0xff));
  }

  // Notes where the name and those above it begin (RFC 1035 4.1.4).
  void NoteName(absl::string_view name, size_t at) {
    while (name[0] != 0 && at <= kPointerMax &&
           names_.try_emplace(std::string(name), at).second) {
      const size_t label = 1u + static_cast<uint8_t>(name[0]);
      name.remove_prefix(label);
      at += label;
    }
  }

  void AppendOwner(absl::string_view owner) {
    const size_t at = message_.size();
    absl::string_view rest = owner;
    while (rest[0] != 0) {
      const auto known = names_.find(rest);
      if (known != names_.end()) {
        message_.append(owner.data(), owner.size() - rest.size());
        Append16(static_cast<uint32_t>(0xc000 | known->second));
        NoteName(owner, at);
        return;
      }
      rest.remove_prefix(1u + static_cast<uint8_t>(rest[0]));
    }
    message_.append(owner.data(), owner.size());
    NoteName(owner, at);
  }

  size_t bytes_max_;
  std::shared_ptr<ZoneImage> image_;
  std::string message_;
  size_t record_count_ = 0;                         // of the message
  absl::flat_hash_map<std::string, size_t> names_;  // of the message
  bool failed_ = false;
};

}  // namespace

std::shared_ptr<const ZoneImage> MakeFileImage(const ZoneData& zone,
                                               size_t bytes_max) {
  const ZoneRrset* soa = zone.nodes.at(zone.apex).Find(kTypeSoa);
  const ZoneRecordView ends{WireBytes(zone.apex), kTypeSoa, soa->ttl,
                            WireBytes(soa->rdata[0])};
  ImageWriter writer(zone.apex, zone.serial, bytes_max);
  writer.Add(ends);
  // In order, so that a version has one image.
  std::vector<absl::string_view> owners;
  owners.reserve(zone.nodes.size());
  for (const auto& [owner, node] : zone.nodes) owners.push_back(owner);
  std::sort(owners.begin(), owners.end());
  for (const absl::string_view owner : owners) {
    const auto node = zone.nodes.find(owner);
    for (const ZoneRrset& rrset : node->second.rrsets) {
      if (&rrset == soa) continue;
      for (const std::string& rdata : rrset.rdata) {
        writer.Add(
            {WireBytes(node->first), rrset.type, rrset.ttl, WireBytes(rdata)});
      }
    }
  }
  writer.Add(ends);
  return writer.Finish();
}

std::shared_ptr<const ZoneImage> MakeCatalogImage(const View& view,
                                                  const Domain& domain,
                                                  size_t bytes_max) {
  const std::string soa = CatalogSoa(view, domain);
  const ZoneRecordView ends{WireBytes(domain.wire), kTypeSoa, view.negative_ttl,
                            WireBytes(soa)};
  ImageWriter writer(domain.wire, view.serial, bytes_max);
  writer.Add(ends);
  ForEachCatalogRecord(view, domain, [&writer](const ZoneRecordView& record) {
    writer.Add(record);
  });
  writer.Add(ends);
  return writer.Finish();
}

}  // namespace dnsd
