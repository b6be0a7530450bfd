// Records and messages as plain values that tests can compare and print:
// names and rdata in wire form, text through ldns.
//
// Threads: plain values and pure functions.
// Errors:  ParseMessage() and the text readers say what is wrong; a builder
//          that is given a malformed name aborts the test program.
// Names:   letter case is kept. Text names are master-file text with the
//          final dot; "\." and "\DDD" escapes work.
#ifndef DNSD_TESTS_TESTING_RR_TEXT_H_
#define DNSD_TESTS_TESTING_RR_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace dnsd::testing {

struct Rr {
  std::string owner;  // wire
  uint16_t type = 0;
  uint16_t rclass = 1;
  uint32_t ttl = 0;
  std::string rdata;  // wire, names in it uncompressed

  bool operator==(const Rr&) const = default;
};

// What an OPT record says, apart from being there.
struct Opt {
  uint16_t udp_size = 0;
  uint8_t extended_rcode = 0;
  uint8_t version = 0;
  bool dnssec_ok = false;
  std::string options;  // wire

  bool operator==(const Opt&) const = default;
};

// A parsed message. OPT is taken out of `additional`.
struct Message {
  uint16_t id = 0;
  uint16_t flags = 0;
  bool has_question = false;
  std::string qname;  // wire, as it came
  uint16_t qtype = 0;
  uint16_t qclass = 0;
  std::vector<Rr> answer;
  std::vector<Rr> authority;
  std::vector<Rr> additional;
  std::optional<Opt> opt;
  bool opt_is_last = false;
  size_t size = 0;        // of the packet
  size_t answer_end = 0;  // offset after the answer section

  [[nodiscard]] uint16_t rcode() const {
    return static_cast<uint16_t>((flags & 0xf) |
                                 (opt ? opt->extended_rcode << 4 : 0));
  }
};

// Reads a whole packet through ldns. Returns "" or what is wrong with it:
// a record cut short, a count that lies, bytes left over, two OPTs.
[[nodiscard]] std::string ParseMessage(std::span<const uint8_t> packet,
                                       Message* message);

struct EdnsOptions {
  uint16_t udp_size = 1232;
  uint8_t version = 0;
  bool dnssec_ok = false;
  std::string options;  // wire
};

struct QueryOptions {
  uint16_t id = 0x1234;
  uint16_t qclass = 1;
  uint8_t opcode = 0;
  bool rd = true;
  bool ad = false;
  bool cd = false;
  std::optional<EdnsOptions> edns;
};

// A query packet for a name in text.
[[nodiscard]] std::string BuildQuery(const std::string& qname, uint16_t qtype,
                                     const QueryOptions& options);

// An EDNS option, and the client subnet one (RFC 7871) for an IPv4 prefix.
[[nodiscard]] std::string EdnsOption(uint16_t code, const std::string& data);
[[nodiscard]] std::string EcsOption(const std::string& ipv4,
                                    uint8_t source_bits, uint8_t scope_bits);

[[nodiscard]] std::string WireName(const std::string& text);
// "" when the text is no name.
[[nodiscard]] std::string TryWireName(const std::string& text);
// Text of a wire name, escaped as miekg/dns does it, which is how Consul sees
// names: it decides which of them can match a catalog name.
[[nodiscard]] std::string NameText(const std::string& wire);
[[nodiscard]] std::string LowerName(const std::string& wire);

// "web.service.consul. 0 IN A 10.0.0.1" to a record; "" or what is wrong.
[[nodiscard]] std::string ParseRr(const std::string& text, Rr* rr);
[[nodiscard]] std::string RrText(const Rr& rr);
[[nodiscard]] std::string RrListText(const std::vector<Rr>& rrs);

// "A" to 1 and back; TYPE65 forms work. 0 when unknown.
[[nodiscard]] uint16_t TypeFromText(const std::string& text);
[[nodiscard]] std::string TypeText(uint16_t type);
[[nodiscard]] std::string RcodeText(uint16_t rcode);

// The whole message for a failure report: flags, question, sections.
[[nodiscard]] std::string MessageText(const Message& message);

// A SOA with its serial set to 0 and its names in lower case: it may be
// spelled as asked or as configured. Other records as they are.
[[nodiscard]] Rr MaskSerial(const Rr& rr);
[[nodiscard]] std::vector<Rr> MaskSerials(const std::vector<Rr>& rrs);

// Sorted texts, for comparing sections without order.
[[nodiscard]] std::vector<std::string> SortedTexts(const std::vector<Rr>& rrs);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_RR_TEXT_H_
