// Reverse names: in-addr.arpa and ip6.arpa. HOT PATH
#include <cstring>

#include "zones/answer.h"

namespace dnsd {
namespace {

enum class Reverse : uint8_t { kNone, kPartial, kAddress };

// A decimal label 0..255 without leading zeros, or -1.
int DecimalLabel(const Name& name, size_t label) {
  size_t size = name.LabelSize(label);
  const uint8_t* bytes = name.LabelBytes(label);
  if (size == 0 || size > 3 || (size > 1 && bytes[0] == '0')) return -1;
  int value = 0;
  for (size_t i = 0; i < size; ++i) {
    if (bytes[i] < '0' || bytes[i] > '9') return -1;
    value = value * 10 + (bytes[i] - '0');
  }
  return value <= 255 ? value : -1;
}

int NibbleLabel(const Name& name, size_t label) {
  if (name.LabelSize(label) != 1) return -1;
  uint8_t c = *name.LabelBytes(label);
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// Reads the address a reverse name stands for; its labels run backwards.
Reverse ParseReverse(const Name& name, uint8_t* address, size_t* size) {
  size_t count = name.label_count;
  if (count < 2) return Reverse::kPartial;
  count -= 2;
  bool v6 = name.LabelIs(count, "ip6", 3);
  if (!v6 && !name.LabelIs(count, "in-addr", 7)) return Reverse::kNone;
  size_t full = v6 ? 32 : 4;
  *size = v6 ? 16 : 4;
  if (count > full) return Reverse::kNone;
  std::memset(address, 0, 16);
  for (size_t i = 0; i < count; ++i) {
    size_t label = count - 1 - i;
    int value = v6 ? NibbleLabel(name, label) : DecimalLabel(name, label);
    if (value < 0) return Reverse::kNone;
    if (v6) {
      address[i / 2] = static_cast<uint8_t>(address[i / 2] |
                                            (i % 2 == 0 ? value << 4 : value));
    } else {
      address[i] = static_cast<uint8_t>(value);
    }
  }
  return count == full ? Reverse::kAddress : Reverse::kPartial;
}

}  // namespace

void AnswerReverse(Answer* answer) {
  const View& view = answer->view;
  uint8_t address[16];
  size_t size = 0;
  Reverse reverse = ParseReverse(answer->query.qname, address, &size);
  // Addresses that the catalog does not know are others' to name, and so is
  // the tree above them.
  if (reverse != Reverse::kAddress && answer->Forward()) return;
  // Names above an address may have addresses below (RFC 8020).
  answer->counts_for_zone = reverse == Reverse::kPartial;
  if (reverse == Reverse::kPartial && view.rfc()) return answer->Nodata();
  if (reverse != Reverse::kAddress) return answer->Nxdomain();
  if (!answer->HasCatalog(0)) return;
  const Entry* entry = view.Find(EntryKind::kReverse, 0, {address, size});
  if (entry == nullptr) {
    if (answer->Forward()) return;
    return answer->Nxdomain();
  }
  uint16_t qtype = answer->query.qtype;
  if (view.rfc() && qtype != kTypePtr && qtype != kTypeAny) {
    return answer->Nodata();
  }
  // Consul answers every type with the PTR.
  const RrList list = entry->List(kListTxt);
  answer->message.Add(Message::kAnswer,
                      *entry->At<RrRecord>(*entry->Index(list)));
  if (qtype == kTypeSoa) {
    answer->message.AddSoa(Message::kAuthority, answer->soa_serial(),
                           view.negative_ttl);
  }
}

}  // namespace dnsd
