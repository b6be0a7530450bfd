#include "tests/testing/rr_text.h"

#include <arpa/inet.h>
#include <ldns/ldns.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "catalog/types.h"

namespace dnsd::testing {
namespace {

constexpr uint16_t kOpt = 41;
constexpr uint16_t kSoa = 6;

struct RrFree {
  void operator()(ldns_rr* rr) const { ldns_rr_free(rr); }
};
using RrPointer = std::unique_ptr<ldns_rr, RrFree>;

struct RdfFree {
  void operator()(ldns_rdf* rdf) const { ldns_rdf_deep_free(rdf); }
};
using RdfPointer = std::unique_ptr<ldns_rdf, RdfFree>;

struct CharFree {
  void operator()(char* text) const { std::free(text); }
};
using TextPointer = std::unique_ptr<char, CharFree>;

void Put16(std::string* out, uint32_t value) {
  out->push_back(static_cast<char>(value >> 8 & 0xff));
  out->push_back(static_cast<char>(value & 0xff));
}

uint16_t Get16(std::span<const uint8_t> bytes, size_t at) {
  return static_cast<uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

std::string RdfBytes(const ldns_rdf& rdf) {
  return std::string(reinterpret_cast<const char*>(ldns_rdf_data(&rdf)),
                     ldns_rdf_size(&rdf));
}

Rr FromLdns(const ldns_rr& rr) {
  Rr result;
  result.owner = RdfBytes(*ldns_rr_owner(&rr));
  result.type = static_cast<uint16_t>(ldns_rr_get_type(&rr));
  result.rclass = static_cast<uint16_t>(ldns_rr_get_class(&rr));
  result.ttl = ldns_rr_ttl(&rr);
  for (size_t i = 0; i < ldns_rr_rd_count(&rr); ++i) {
    result.rdata += RdfBytes(*ldns_rr_rdf(&rr, i));
  }
  return result;
}

// Reads `count` records at *at into `rrs`; OPT records go to `opts`.
std::string ReadSection(std::span<const uint8_t> packet,
                        ldns_pkt_section section, size_t count, size_t* at,
                        std::vector<Rr>* rrs, std::vector<Rr>* opts,
                        bool* opt_is_last) {
  for (size_t i = 0; i < count; ++i) {
    ldns_rr* raw = nullptr;
    ldns_status status =
        ldns_wire2rr(&raw, packet.data(), packet.size(), at, section);
    if (status != LDNS_STATUS_OK) {
      return absl::StrCat("section ", static_cast<int>(section), " record ", i,
                          " of ", count, ": ", ldns_get_errorstr_by_id(status));
    }
    RrPointer rr(raw);
    Rr plain = FromLdns(*rr);
    // OPT is an ordinary type everywhere else (RFC 6891 6.1.1).
    bool is_opt = plain.type == kOpt && section == LDNS_SECTION_ADDITIONAL;
    *opt_is_last = is_opt;
    (is_opt ? opts : rrs)->push_back(std::move(plain));
  }
  return "";
}

Opt ReadOpt(const Rr& rr) {
  Opt opt;
  opt.udp_size = rr.rclass;
  opt.extended_rcode = static_cast<uint8_t>(rr.ttl >> 24);
  opt.version = static_cast<uint8_t>(rr.ttl >> 16);
  opt.dnssec_ok = (rr.ttl & 0x8000) != 0;
  opt.options = rr.rdata;
  return opt;
}

bool NeedsEscape(char c) {
  return std::string(".\\\"();@' ").find(c) != std::string::npos;
}

// For failure reports: a message may have thousands of records.
std::string Shortened(const std::vector<Rr>& rrs) {
  constexpr size_t kLinesMax = 40;
  if (rrs.size() <= kLinesMax) return RrListText(rrs);
  return absl::StrCat(RrListText({rrs.begin(), rrs.begin() + kLinesMax}),
                      "  ... ", rrs.size() - kLinesMax, " more\n");
}

}  // namespace

std::string ParseMessage(std::span<const uint8_t> packet, Message* message) {
  *message = Message();
  message->size = packet.size();
  if (packet.size() < 12) return "shorter than a header";
  message->id = Get16(packet, 0);
  message->flags = Get16(packet, 2);
  size_t at = 12;
  std::vector<Rr> opts;
  std::vector<Rr> questions;
  bool last = false;
  if (Get16(packet, 4) > 1) return "more than one question";
  std::string error =
      ReadSection(packet, LDNS_SECTION_QUESTION, Get16(packet, 4), &at,
                  &questions, &opts, &last);
  if (!error.empty()) return error;
  if (!questions.empty()) {
    message->has_question = true;
    message->qname = questions[0].owner;
    message->qtype = questions[0].type;
    message->qclass = questions[0].rclass;
  }
  error = ReadSection(packet, LDNS_SECTION_ANSWER, Get16(packet, 6), &at,
                      &message->answer, &opts, &last);
  message->answer_end = at;
  if (error.empty()) {
    error = ReadSection(packet, LDNS_SECTION_AUTHORITY, Get16(packet, 8), &at,
                        &message->authority, &opts, &last);
  }
  if (error.empty()) {
    error = ReadSection(packet, LDNS_SECTION_ADDITIONAL, Get16(packet, 10), &at,
                        &message->additional, &opts, &last);
  }
  if (!error.empty()) return error;
  if (at != packet.size()) {
    return absl::StrCat(packet.size() - at, " bytes left over");
  }
  if (opts.size() > 1) return "more than one OPT";
  if (!opts.empty()) {
    if (opts[0].owner != std::string(1, '\0')) return "OPT not at the root";
    message->opt = ReadOpt(opts[0]);
    message->opt_is_last = last;
  }
  return "";
}

std::string BuildQuery(const std::string& qname, uint16_t qtype,
                       const QueryOptions& options) {
  std::string packet;
  Put16(&packet, options.id);
  Put16(&packet, static_cast<uint32_t>(options.opcode << 11) |
                     (options.rd ? 0x100u : 0u) | (options.ad ? 0x20u : 0u) |
                     (options.cd ? 0x10u : 0u));
  Put16(&packet, 1);
  Put16(&packet, 0);
  Put16(&packet, 0);
  Put16(&packet, options.edns ? 1 : 0);
  packet += WireName(qname);
  Put16(&packet, qtype);
  Put16(&packet, options.qclass);
  if (options.edns) {
    const EdnsOptions& edns = *options.edns;
    packet.push_back('\0');
    Put16(&packet, kOpt);
    Put16(&packet, edns.udp_size);
    Put16(&packet, edns.version);
    Put16(&packet, edns.dnssec_ok ? 0x8000 : 0);
    Put16(&packet, static_cast<uint32_t>(edns.options.size()));
    packet += edns.options;
  }
  return packet;
}

std::string EdnsOption(uint16_t code, const std::string& data) {
  std::string option;
  Put16(&option, code);
  Put16(&option, static_cast<uint32_t>(data.size()));
  return option + data;
}

std::string EcsOption(const std::string& ipv4, uint8_t source_bits,
                      uint8_t scope_bits) {
  in_addr address{};
  if (inet_pton(AF_INET, ipv4.c_str(), &address) != 1) std::abort();
  std::string bytes(reinterpret_cast<const char*>(&address), 4);
  std::string data;
  Put16(&data, 1);  // IPv4
  data.push_back(static_cast<char>(source_bits));
  data.push_back(static_cast<char>(scope_bits));
  size_t size = (source_bits + 7u) / 8u;
  for (size_t i = 0; i < size; ++i) {
    int bits_left = source_bits - static_cast<int>(i) * 8;
    int mask = bits_left >= 8 ? 0xff : 0xff << (8 - bits_left) & 0xff;
    data.push_back(static_cast<char>(bytes[i] & mask));
  }
  return EdnsOption(8, data);
}

std::string TryWireName(const std::string& text) {
  ldns_rdf* raw = nullptr;
  if (ldns_str2rdf_dname(&raw, text.c_str()) != LDNS_STATUS_OK) return "";
  RdfPointer rdf(raw);
  return RdfBytes(*rdf);
}

std::string WireName(const std::string& text) {
  std::string wire = TryWireName(text);
  if (wire.empty()) {
    std::fprintf(stderr, "not a name: '%s'\n", text.c_str());
    std::abort();
  }
  return wire;
}

std::string NameText(const std::string& wire) {
  std::string text;
  size_t at = 0;
  while (at < wire.size() && wire[at] != '\0') {
    size_t size = static_cast<uint8_t>(wire[at]);
    for (char c : wire.substr(at + 1, size)) {
      if (NeedsEscape(c)) {
        absl::StrAppend(&text, "\\", std::string(1, c));
      } else if (c < ' ' || c > '~') {
        char number[8];
        std::snprintf(number, sizeof(number), "\\%03d",
                      static_cast<uint8_t>(c));
        text += number;
      } else {
        text.push_back(c);
      }
    }
    text.push_back('.');
    at += size + 1;
  }
  return text.empty() ? "." : text;
}

std::string LowerName(const std::string& wire) {
  // Length bytes are below 'A', so lowering all bytes is safe.
  return AsciiLower(wire);
}

std::string ParseRr(const std::string& text, Rr* rr) {
  ldns_rr* raw = nullptr;
  ldns_status status =
      ldns_rr_new_frm_str(&raw, text.c_str(), 0, nullptr, nullptr);
  if (status != LDNS_STATUS_OK) {
    return absl::StrCat("'", text, "': ", ldns_get_errorstr_by_id(status));
  }
  RrPointer owned(raw);
  *rr = FromLdns(*owned);
  return "";
}

std::string RrText(const Rr& rr) {
  std::string wire = rr.owner;
  Put16(&wire, rr.type);
  Put16(&wire, rr.rclass);
  Put16(&wire, rr.ttl >> 16);
  Put16(&wire, rr.ttl & 0xffff);
  Put16(&wire, static_cast<uint32_t>(rr.rdata.size()));
  wire += rr.rdata;
  ldns_rr* raw = nullptr;
  size_t at = 0;
  ldns_status status =
      ldns_wire2rr(&raw, reinterpret_cast<const uint8_t*>(wire.data()),
                   wire.size(), &at, LDNS_SECTION_ANSWER);
  if (status != LDNS_STATUS_OK) {
    return absl::StrCat(NameText(rr.owner), " TYPE", rr.type, " unreadable");
  }
  RrPointer owned(raw);
  TextPointer text(ldns_rr2str(owned.get()));
  std::string line(text.get());
  while (!line.empty() && line.back() == '\n') line.pop_back();
  std::replace(line.begin(), line.end(), '\t', ' ');
  return line;
}

std::string RrListText(const std::vector<Rr>& rrs) {
  return absl::StrJoin(rrs, "", [](std::string* out, const Rr& rr) {
    absl::StrAppend(out, "  ", RrText(rr), "\n");
  });
}

uint16_t TypeFromText(const std::string& text) {
  return static_cast<uint16_t>(ldns_get_rr_type_by_name(text.c_str()));
}

std::string TypeText(uint16_t type) {
  TextPointer text(ldns_rr_type2str(static_cast<ldns_rr_type>(type)));
  return text.get();
}

std::string RcodeText(uint16_t rcode) {
  constexpr const char* kNames[] = {"NOERROR",  "FORMERR", "SERVFAIL",
                                    "NXDOMAIN", "NOTIMP",  "REFUSED"};
  if (rcode == 16) return "BADVERS";
  return rcode < std::size(kNames) ? kNames[rcode]
                                   : absl::StrCat("RCODE", rcode);
}

std::string MessageText(const Message& message) {
  std::string text = absl::StrCat(
      "rcode ", RcodeText(message.rcode()), " flags 0x",
      absl::Hex(message.flags, absl::kZeroPad4), " size ", message.size, "\n");
  if (message.has_question) {
    absl::StrAppend(&text, "question ", NameText(message.qname), " ",
                    TypeText(message.qtype), " class ", message.qclass, "\n");
  }
  absl::StrAppend(&text, "answer\n", Shortened(message.answer), "authority\n",
                  Shortened(message.authority), "additional\n",
                  Shortened(message.additional));
  if (message.opt) {
    absl::StrAppend(&text, "opt size=", message.opt->udp_size,
                    " version=", message.opt->version,
                    message.opt->dnssec_ok ? " do" : "",
                    " options=", message.opt->options.size(), " bytes\n");
  }
  return text;
}

Rr MaskSerial(const Rr& rr) {
  Rr masked = rr;
  // RFC 1035 3.3.13: serial, refresh, retry, expire, minimum end the rdata.
  if (rr.type == kSoa && rr.rdata.size() >= 22) {
    size_t names = rr.rdata.size() - 20;
    masked.owner = LowerName(rr.owner);
    masked.rdata = LowerName(rr.rdata.substr(0, names)) + std::string(4, '\0') +
                   rr.rdata.substr(names + 4);
  }
  return masked;
}

std::vector<Rr> MaskSerials(const std::vector<Rr>& rrs) {
  std::vector<Rr> masked;
  for (const Rr& rr : rrs) masked.push_back(MaskSerial(rr));
  return masked;
}

std::vector<std::string> SortedTexts(const std::vector<Rr>& rrs) {
  std::vector<std::string> texts;
  for (const Rr& rr : rrs) texts.push_back(RrText(rr));
  std::sort(texts.begin(), texts.end());
  return texts;
}

}  // namespace dnsd::testing
