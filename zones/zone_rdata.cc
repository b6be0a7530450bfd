#include "zones/zone_rdata.h"

#include <ldns/ldns.h>

#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

constexpr uint16_t kTypeSvcb = 64;
constexpr uint16_t kTypeHttps = 65;
constexpr size_t kRdataBytesMax = 65535;
// ldns cuts a record's text at LDNS_MAX_PACKETLEN without a word.
constexpr size_t kTextBytesMax = LDNS_MAX_PACKETLEN - 16;

struct RrFree {
  void operator()(ldns_rr* rr) const { ldns_rr_free(rr); }
};
struct RdfFree {
  void operator()(ldns_rdf* rdf) const { ldns_rdf_deep_free(rdf); }
};
struct BufferFree {
  void operator()(ldns_buffer* buffer) const { ldns_buffer_free(buffer); }
};
using RrPtr = std::unique_ptr<ldns_rr, RrFree>;
using RdfPtr = std::unique_ptr<ldns_rdf, RdfFree>;
using BufferPtr = std::unique_ptr<ldns_buffer, BufferFree>;

// nullptr when ldns does not know the type.
const ldns_rr_descriptor* DescriptorOf(uint16_t type) {
  const ldns_rr_descriptor* descriptor = ldns_rr_descript(type);
  // For an unknown type ldns answers with the one of type 0.
  return descriptor != nullptr && descriptor->_type == type ? descriptor
                                                            : nullptr;
}

ldns_rdf_type FieldType(const ldns_rr_descriptor& descriptor, size_t index) {
  // ldns asserts this: what is beyond the last field is found out later.
  if (index >= ldns_rr_descriptor_maximum(&descriptor) &&
      descriptor._variable == LDNS_RDF_TYPE_NONE) {
    return LDNS_RDF_TYPE_NONE;
  }
  return ldns_rr_descriptor_field_type(&descriptor, index);
}

bool Serialise(const ldns_rr* rr, std::string* wire) {
  BufferPtr buffer(ldns_buffer_new(512));
  if (buffer == nullptr ||
      ldns_rr_rdata2buffer_wire(buffer.get(), rr) != LDNS_STATUS_OK) {
    return false;
  }
  wire->assign(reinterpret_cast<const char*>(ldns_buffer_begin(buffer.get())),
               ldns_buffer_position(buffer.get()));
  return true;
}

// The number a field holds at most, 0 if it is not a plain number.
uint64_t NumberMax(ldns_rdf_type type) {
  switch (type) {
    case LDNS_RDF_TYPE_INT8:
      return 0xff;
    case LDNS_RDF_TYPE_INT16:
      return 0xffff;
    case LDNS_RDF_TYPE_INT32:
      return 0xffffffff;
    default:
      return 0;
  }
}

bool TakesQuotes(ldns_rdf_type type) {
  return type == LDNS_RDF_TYPE_STR || type == LDNS_RDF_TYPE_LONG_STR;
}

// Whether the name's first label is "@" without being the token "@": ldns
// would take it for the origin.
bool LooksLikeOrigin(const ZoneToken& token) {
  return absl::StartsWith(token.text, "@.") || token.text == "\\064" ||
         absl::StartsWith(token.text, "\\064.");
}

// What ldns takes in silence and should not; "" if nothing.
std::string CheckField(ldns_rdf_type field, const ZoneToken& token) {
  if (uint64_t max = NumberMax(field); max != 0) {
    uint64_t value = 0;
    bool digits =
        !token.text.empty() &&
        absl::ascii_isdigit(static_cast<unsigned char>(token.text[0]));
    if (!digits || !absl::SimpleAtoi(token.text, &value) || value > max) {
      return absl::StrCat("\"", token.text, "\" is not a number from 0 to ",
                          max);
    }
  }
  uint32_t seconds = 0;
  if (field == LDNS_RDF_TYPE_PERIOD &&
      !ParseZonePeriod(token.text, UINT32_MAX, &seconds)) {
    return absl::StrCat("\"", token.text, "\" is not a time in seconds");
  }
  if (field == LDNS_RDF_TYPE_DNAME && LooksLikeOrigin(token)) {
    return "a name in record data cannot begin with the label \"@\"";
  }
  return "";
}

// The record as one line for ldns.
std::string BuildLine(uint16_t type, const ldns_rr_descriptor& descriptor,
                      absl::Span<const ZoneToken> tokens, std::string* line) {
  *line = absl::StrCat(". 1 IN TYPE", type);
  bool svcb = type == kTypeSvcb || type == kTypeHttps;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const ZoneToken& token = tokens[i];
    ldns_rdf_type field = FieldType(descriptor, i);
    if (token.generic) return "\"\\#\" belongs right after the type";
    std::string error = CheckField(field, token);
    if (!error.empty()) return error;
    if ((token.quoted && !TakesQuotes(field)) || (token.inner_quote && !svcb)) {
      return absl::StrCat("quotes where none belong: ", token.text);
    }
    // RFC 8659 4.1.1 and RFC 7553 4.4 allow what ldns does not: no quotes.
    bool quote = token.quoted || field == LDNS_RDF_TYPE_LONG_STR;
    absl::StrAppend(line, " ", quote ? "\"" : "", token.text,
                    quote ? "\"" : "");
  }
  if (line->size() > kTextBytesMax) return "the record is too long";
  return "";
}

std::string ParseText(uint16_t type, const ldns_rr_descriptor& descriptor,
                      absl::Span<const ZoneToken> tokens,
                      const std::string& origin, RrPtr* result) {
  std::string line;
  std::string error = BuildLine(type, descriptor, tokens, &line);
  if (!error.empty()) return error;
  RdfPtr origin_rdf(
      ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, origin.size(), origin.data()));
  ldns_rr* rr = nullptr;
  ldns_status status =
      ldns_rr_new_frm_str(&rr, line.c_str(), 1, origin_rdf.get(), nullptr);
  if (status != LDNS_STATUS_OK) return ldns_get_errorstr_by_id(status);
  result->reset(rr);
  for (size_t i = 0; i < ldns_rr_rd_count(rr); ++i) {
    const ldns_rdf* rdf = ldns_rr_rdf(rr, i);
    if (ldns_rdf_get_type(rdf) == LDNS_RDF_TYPE_DNAME &&
        ldns_rdf_size(rdf) > kNameBytesMax) {
      return "a name is longer than 255 bytes";
    }
  }
  return "";
}

// RFC 3597 5: \# SIZE HEX...
std::string ParseGeneric(absl::Span<const ZoneToken> tokens,
                         std::string* wire) {
  uint32_t size = 0;
  if (tokens.size() < 2 || !absl::SimpleAtoi(tokens[1].text, &size) ||
      size > kRdataBytesMax) {
    return "\"\\#\" needs a size from 0 to 65535";
  }
  std::string hex;
  for (const ZoneToken& token : tokens.subspan(2)) hex += token.text;
  for (char c : hex) {
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) {
      return "\"\\#\" needs hexadecimal digits";
    }
  }
  if (hex.size() != 2 * size_t{size}) {
    return absl::StrCat("\"\\#\" says ", size, " bytes, but ", hex.size(),
                        " hexadecimal digits follow");
  }
  *wire = absl::HexStringToBytes(hex);
  return "";
}

// Reads wire rdata of a known type; false if it is not exactly one.
bool ParseWire(uint16_t type, const ldns_rr_descriptor& descriptor,
               const std::string& rdata, RrPtr* result) {
  std::string packet(11, '\0');  // root, type, class, TTL, size
  auto* head = reinterpret_cast<uint8_t*>(packet.data());
  Store16(head + 1, type);
  Store16(head + 3, kClassIn);
  Store16(head + 9, static_cast<uint32_t>(rdata.size()));
  packet += rdata;
  ldns_rr* rr = nullptr;
  size_t at = 0;
  if (ldns_wire2rr(&rr, reinterpret_cast<const uint8_t*>(packet.data()),
                   packet.size(), &at, LDNS_SECTION_ANSWER) != LDNS_STATUS_OK) {
    return false;
  }
  result->reset(rr);
  std::string again;
  // Compared, because ldns would also follow compression pointers.
  return at == packet.size() &&
         ldns_rr_rd_count(rr) >= ldns_rr_descriptor_minimum(&descriptor) &&
         Serialise(rr, &again) && again == rdata;
}

}  // namespace

std::string TypeText(uint16_t type) {
  const ldns_rr_descriptor* descriptor = DescriptorOf(type);
  return descriptor == nullptr || descriptor->_name == nullptr
             ? absl::StrCat("TYPE", type)
             : descriptor->_name;
}

bool ParseZoneType(absl::string_view text, uint16_t* type) {
  // ldns would take TYPE70000 for TYPE4464, and cuts what is longer than 15.
  uint32_t value = 0;
  if (absl::StartsWithIgnoreCase(text, "TYPE")) {
    if (text.size() < 5 ||
        !absl::ascii_isdigit(static_cast<unsigned char>(text[4])) ||
        !absl::SimpleAtoi(text.substr(4), &value) || value > 0xffff) {
      return false;
    }
  } else {
    value = ldns_get_rr_type_by_name(std::string(text).c_str());
  }
  *type = static_cast<uint16_t>(value);
  return value != 0 && value != kTypeOpt && (value < 128 || value > 255);
}

bool ParseZoneName(const ZoneToken& token, const std::string& origin,
                   std::string* wire) {
  if (token.quoted || token.inner_quote || token.generic) return false;
  if (token.text == "@") {
    *wire = origin;
    return true;
  }
  if (token.text.empty()) return false;
  RdfPtr name(ldns_dname_new_frm_str(token.text.c_str()));
  if (name == nullptr || ldns_rdf_size(name.get()) == 0) return false;
  wire->assign(reinterpret_cast<const char*>(ldns_rdf_data(name.get())),
               ldns_rdf_size(name.get()));
  // A dot that does not separate is a decimal escape here.
  if (token.text.back() != '.') {
    wire->pop_back();
    wire->append(origin);
  }
  return wire->size() <= kNameBytesMax;
}

std::string ParseZoneRdata(uint16_t type, absl::Span<const ZoneToken> tokens,
                           const std::string& origin, ZoneRdata* rdata) {
  const ldns_rr_descriptor* descriptor = DescriptorOf(type);
  RrPtr rr;
  if (!tokens.empty() && tokens[0].generic) {
    std::string error = ParseGeneric(tokens, &rdata->wire);
    if (!error.empty() || descriptor == nullptr) return error;
    if (!ParseWire(type, *descriptor, rdata->wire, &rr)) {
      return "these bytes are no record of this type";
    }
  } else if (descriptor == nullptr) {
    return "data of an unknown type is written \\# SIZE HEX (RFC 3597)";
  } else {
    std::string error = ParseText(type, *descriptor, tokens, origin, &rr);
    if (!error.empty()) return error;
    if (!Serialise(rr.get(), &rdata->wire)) return "cannot be put on the wire";
  }
  if (rdata->wire.size() > kRdataBytesMax) return "the record is too long";
  ldns_rr2canonical(rr.get());
  if (!Serialise(rr.get(), &rdata->canonical)) {
    return "has no canonical form";
  }
  if (rdata->canonical == rdata->wire) rdata->canonical.clear();
  return "";
}

}  // namespace dnsd
