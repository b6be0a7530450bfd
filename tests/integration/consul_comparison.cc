#include "tests/integration/consul_comparison.h"

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/testing/consul_trim.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

// How often Consul may pick something else than dnsd before that means
// something. The rarest pick has one chance in eight: which TXT comes first.
constexpr int kPicksMax = 200;
// Until every record of the largest service was seen, five at a time.
constexpr int kSampledPicksMax = 400;
// Long enough for an answer; silence is waited for no longer.
constexpr std::chrono::milliseconds kSilence{400};

std::span<const uint8_t> Bytes8(const std::string& packet) {
  return {reinterpret_cast<const uint8_t*>(packet.data()), packet.size()};
}

DnsReply NotSent() {
  DnsReply reply;
  reply.error = "not sent";
  return reply;
}

// Records of a random choice replaced by those of another one, if there are
// as many and all of them are known.
Message LikeSample(const Message& sample, const Message& got,
                   const std::set<std::string>& seen) {
  Message like = sample;
  for (auto [mine, theirs] : {std::pair{&like.answer, &got.answer},
                              std::pair{&like.additional, &got.additional}}) {
    const bool fits =
        mine->size() == theirs->size() &&
        std::all_of(theirs->begin(), theirs->end(),
                    [&](const Rr& rr) { return seen.contains(RrText(rr)); });
    if (fits) *mine = *theirs;
  }
  return like;
}

// `full`, a random choice, as if it had been the one that `udp` was cut from.
Message Resample(const Message& full, const Message& udp,
                 const std::set<std::string>& seen) {
  Message result = full;
  // ADDITIONAL of a single answer is never cut.
  if (full.answer.size() == 1) {
    result.additional = LikeSample(full, udp, seen).additional;
  }
  const bool known =
      udp.answer.size() <= full.answer.size() &&
      std::all_of(udp.answer.begin(), udp.answer.end(),
                  [&](const Rr& rr) { return seen.contains(RrText(rr)); });
  if (!known) return result;
  std::vector<Rr> rest = full.answer;
  for (const Rr& rr : udp.answer) {
    const auto same = std::find(rest.begin(), rest.end(), rr);
    rest.erase(same == rest.end() ? rest.end() - 1 : same);
  }
  result.answer = udp.answer;
  result.answer.insert(result.answer.end(), rest.begin(), rest.end());
  return result;
}

void CompareUdp(const ReleaseConfig& config, Release release,
                const Message& full, const Message& got, std::string* error,
                Message* expected) {
  for (const bool large_first : {true, false}) {
    const std::optional<Message> trimmed =
        TrimForUdp(config, release, full, got, large_first);
    *expected = trimmed.value_or(full);
    *error =
        trimmed ? Compare(*trimmed, got) : "answers that TCP does not give";
    if (error->empty()) return;
  }
}

void Remember(const Message& message, std::set<std::string>* seen) {
  for (const auto* section : {&message.answer, &message.additional}) {
    for (const Rr& rr : *section) seen->insert(RrText(rr));
  }
}

}  // namespace

Peer::Peer(const DnsServer& server)
    : server_(server), udp_(DnsSocket::Udp(server)) {}

void Peer::SendUdp(const std::string& packet) {
  udp_packet_ = packet;
  udp_sent_ = udp_.Send(Bytes8(packet));
}

Reply Peer::ReceiveUdp(std::chrono::milliseconds timeout) {
  return Read(udp_sent_ ? udp_.Receive(timeout) : NotSent(), udp_packet_);
}

void Peer::SendTcp(const std::string& packet) {
  tcp_packet_ = packet;
  if (!tcp_) tcp_.emplace(DnsSocket::Tcp(server_));
  if (!SendFrame()) tcp_.reset();
}

Reply Peer::ReceiveTcp() {
  DnsReply reply = tcp_ ? tcp_->Receive() : NotSent();
  if (!reply.error.empty()) {
    tcp_.reset();
    tcp_.emplace(DnsSocket::Tcp(server_));
    reply = SendFrame() ? tcp_->Receive() : NotSent();
  }
  if (!reply.error.empty()) tcp_.reset();
  return Read(reply, tcp_packet_);
}

Reply Peer::AskTcp(const std::string& packet) {
  SendTcp(packet);
  return ReceiveTcp();
}

bool Peer::SendFrame() const { return tcp_->SendFrame(Bytes8(tcp_packet_)); }

Reply Peer::Read(const DnsReply& raw, const std::string& packet) {
  Reply reply;
  reply.error = raw.error;
  if (!reply.error.empty()) return reply;
  reply.error = ParseMessage(raw.wire, &reply.message);
  if (reply.error.empty() &&
      packet.compare(0, 2,
                     {static_cast<char>(raw.wire[0]),
                      static_cast<char>(raw.wire[1])}) != 0) {
    reply.error = "a reply to another question";
  }
  return reply;
}

std::string DiffQuestion::Text() const {
  std::string text = absl::StrCat(name, " ", TypeText(type));
  if (!options.rd) text += " +nord";
  if (options.cd) text += " +cd";
  if (options.ad) text += " +ad";
  if (options.opcode != 0) absl::StrAppend(&text, " opcode=", options.opcode);
  if (options.qclass != 1) absl::StrAppend(&text, " class=", options.qclass);
  if (!options.edns) return text;
  absl::StrAppend(&text, " edns=", options.edns->udp_size,
                  " version=", options.edns->version,
                  options.edns->dnssec_ok ? " do" : "",
                  options.edns->options.empty() ? "" : " with options");
  return text;
}

Comparison::Comparison(const DnsServer& consul, const DnsServer& dnsd,
                       const ReleaseConfig& config)
    : consul_(consul), dnsd_(dnsd), config_(config) {
  const Reply reply =
      consul_.AskTcp(BuildQuery(config.domain, kTypeSoa, QueryOptions()));
  if (!reply.error.empty() || reply.message.answer.empty()) {
    failures_.push_back("Consul has no SOA: " + reply.error);
    return;
  }
  soa_ = reply.message.answer[0];
}

void Comparison::Fail(const std::string& what, const Message& expected,
                      const Message& got) {
  failures_.push_back(absl::StrCat(what, "\n-- expected --\n",
                                   MessageText(expected), "-- got --\n",
                                   MessageText(got)));
}

bool Comparison::AskBoth(const DiffQuestion& question, Replies* replies) {
  QueryOptions options = question.options;
  options.id = static_cast<uint16_t>(asked_);
  const std::string packet = BuildQuery(question.name, question.type, options);
  consul_.SendTcp(packet);
  dnsd_.SendTcp(packet);
  consul_.SendUdp(packet);
  dnsd_.SendUdp(packet);
  *replies = {consul_.ReceiveTcp(), consul_.ReceiveUdp(kReplyPatience),
              dnsd_.ReceiveTcp(), dnsd_.ReceiveUdp(kReplyPatience)};
  for (const auto& [reply, who] :
       {std::pair{&replies->consul_tcp, ": Consul over TCP: "},
        std::pair{&replies->consul_udp, ": Consul over UDP: "},
        std::pair{&replies->dnsd_tcp, ": dnsd over TCP: "},
        std::pair{&replies->dnsd_udp, ": dnsd over UDP: "}}) {
    if (reply->error.empty()) continue;
    Fail(absl::StrCat(question.Text(), who, reply->error),
         replies->consul_tcp.message, replies->dnsd_tcp.message);
    return false;
  }
  return true;
}

Message Comparison::Newest(const DiffQuestion& question,
                           const Message& consul_tcp, RowCounts* counts) {
  const AskAny ask_any = [this](const std::string& qname) {
    QueryOptions options;
    options.edns.emplace();
    const Reply any = consul_.AskTcp(BuildQuery(qname, kTypeAny, options));
    return any.error.empty() ? any.message.answer : std::vector<Rr>();
  };
  const std::optional<std::string> name =
      NameIn187(config_, question.name, question.type);
  if (!name) {
    return Modernize(config_, question.name, soa_, consul_tcp, ask_any, counts);
  }
  const Reply reply =
      consul_.AskTcp(BuildQuery(*name, question.type, question.options));
  if (!reply.error.empty()) return consul_tcp;  // which does not fit
  return Modernize(config_, question.name, soa_, reply.message, ask_any,
                   counts);
}

void Comparison::Compare3(const DiffQuestion& question, const Replies& replies,
                          std::set<std::string>* seen, Verdicts* verdicts) {
  const Message& consul_tcp = replies.consul_tcp.message;
  const Message& consul_udp = replies.consul_udp.message;
  const Message& dnsd_udp = replies.dnsd_udp.message;
  RowCounts rows;
  Message newest = Newest(question, consul_tcp, &rows);
  Message consul_full = consul_tcp;
  Message newest_full = newest;
  if (question.sampled) {
    Remember(consul_tcp, seen);
    Remember(newest, seen);
    consul_full = Resample(consul_tcp, consul_udp, *seen);
    newest_full = Resample(newest, dnsd_udp, *seen);
    newest = LikeSample(newest, replies.dnsd_tcp.message, *seen);
  }
  Verdict& tcp = verdicts->tcp;
  if (!tcp.error.empty()) {
    tcp.expected = newest;
    tcp.error = Compare(newest, replies.dnsd_tcp.message);
    if (tcp.error.empty()) verdicts->rows = rows;
  }
  Verdict& old_udp = verdicts->consul_udp;
  if (!old_udp.error.empty()) {
    CompareUdp(config_, Release::k187, consul_full, consul_udp, &old_udp.error,
               &old_udp.expected);
  }
  Verdict& new_udp = verdicts->dnsd_udp;
  if (!new_udp.error.empty()) {
    CompareUdp(config_, Release::kNewest, newest_full, dnsd_udp, &new_udp.error,
               &new_udp.expected);
  }
}

void Comparison::CountTrimRows(const Replies& replies,
                               const Verdicts& verdicts) {
  const Message& consul = replies.consul_udp.message;
  const Message& dnsd = replies.dnsd_udp.message;
  if (consul.opt && !dnsd.opt) ++rows_[ReleaseRow::kOptLost];
  const Message& full = verdicts.tcp.expected;
  if (dnsd.answer.size() == full.answer.size()) return;
  if (!IsTrimmedBy187(config_, full)) ++rows_[ReleaseRow::kTrimAll];
  const std::optional<Message> longer =
      TrimForUdp(config_, Release::kNewestBut187Header, full, Message(), true);
  if (longer && longer->answer.size() > dnsd.answer.size()) {
    ++rows_[ReleaseRow::kUdpHeader];
  }
  const bool text_kept =
      std::any_of(consul.additional.begin(), consul.additional.end(),
                  [](const Rr& rr) { return rr.type == kTypeTxt; });
  if (text_kept && consul.answer.size() < full.answer.size()) {
    ++rows_[ReleaseRow::kAddressKept];
  }
}

void Comparison::Ask(const DiffQuestion& question) {
  if (failures_.size() >= kFailuresMax) return;
  ++asked_;
  Replies replies;
  if (!AskBoth(question, &replies)) return;
  std::set<std::string> seen;
  Verdicts verdicts;
  const int picks_max = question.sampled ? kSampledPicksMax : kPicksMax;
  for (int i = 0; i < picks_max; ++i) {
    if (i > 0) {
      replies.consul_tcp = consul_.AskTcp(
          BuildQuery(question.name, question.type, question.options));
      if (!replies.consul_tcp.error.empty()) break;
    }
    Compare3(question, replies, &seen, &verdicts);
    if (verdicts.tcp.error.empty() && verdicts.consul_udp.error.empty() &&
        verdicts.dnsd_udp.error.empty()) {
      for (const auto& [row, count] : verdicts.rows) rows_[row] += count;
      return CountTrimRows(replies, verdicts);
    }
  }
  for (const auto& [verdict, reply, what] :
       {std::tuple{&verdicts.tcp, &replies.dnsd_tcp, ": over TCP: "},
        std::tuple{&verdicts.consul_udp, &replies.consul_udp,
                   ": Consul itself over UDP: "},
        std::tuple{&verdicts.dnsd_udp, &replies.dnsd_udp, ": over UDP: "}}) {
    if (verdict->error.empty()) continue;
    return Fail(absl::StrCat(question.Text(), what, verdict->error),
                verdict->expected, reply->message);
  }
}

void Comparison::SendToBoth(const std::string& packet, Reply* consul,
                            Reply* dnsd) {
  ++asked_;
  consul_.SendUdp(packet);
  dnsd_.SendUdp(packet);
  *consul = consul_.ReceiveUdp(kSilence);
  *dnsd = dnsd_.ReceiveUdp(kSilence);
}

void Comparison::SendRaw(const std::string& what, const std::string& packet) {
  Reply consul;
  Reply dnsd;
  SendToBoth(packet, &consul, &dnsd);
  std::string error;
  if (consul.error != dnsd.error) {
    error =
        absl::StrCat("Consul: '", consul.error, "', dnsd: '", dnsd.error, "'");
  } else if (consul.error.empty()) {
    error = Compare(consul.message, dnsd.message);
  }
  if (error.empty()) return;
  Fail(absl::StrCat(what, ": ", error), consul.message, dnsd.message);
}

void Comparison::SendBroken(const std::string& what,
                            const std::string& packet) {
  Reply consul;
  Reply dnsd;
  SendToBoth(packet, &consul, &dnsd);
  const bool as_expected =
      consul.error.empty() && consul.message.rcode() != kFormErr &&
      dnsd.error.empty() && dnsd.message.rcode() == kFormErr &&
      dnsd.message.size == kHeaderBytes;
  if (as_expected) return;
  Fail(absl::StrCat(what, ": not FORMERR of ours alone; Consul: '",
                    consul.error, "', dnsd: '", dnsd.error, "'"),
       consul.message, dnsd.message);
}

}  // namespace dnsd::testing
