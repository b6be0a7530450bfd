#include "tests/integration/consul_rfc_comparison.h"

#include <chrono>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/testing/consul_rfc_udp.h"
#include "tests/testing/consul_trim.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

// As in consul_comparison.cc.
constexpr int kPicksMax = 200;
constexpr int kSampledPicksMax = 400;
constexpr std::chrono::milliseconds kSilence{400};

std::string SerialOf(const std::vector<Rr>& rrs) {
  constexpr size_t kFromEnd = 20;
  for (const Rr& rr : rrs) {
    if (rr.type == kTypeSoa && rr.rdata.size() > kFromEnd) {
      return rr.rdata.substr(rr.rdata.size() - kFromEnd, 4);
    }
  }
  return "";
}

}  // namespace

RfcComparison::RfcComparison(const DnsServer& consul, const DnsServer& dnsd,
                             const RfcConfig& config, const RfcCatalog& catalog)
    : newest_(consul, config.release),
      dnsd_(dnsd),
      config_(config),
      oracle_(config, catalog, newest_.soa(),
              [this](const std::string& qname, uint16_t qtype) {
                DiffQuestion question;
                question.name = qname;
                question.type = qtype;
                return newest_.Ask(question).message;
              }) {
  if (newest_.soa().owner.empty()) failures_.push_back("Consul has no SOA");
}

void RfcComparison::Fail(const std::string& what, const Message& consul,
                         const Message& expected, const Message& got) {
  failures_.push_back(absl::StrCat(
      what, "\n-- Consul --\n", MessageText(consul), "-- expected --\n",
      MessageText(expected), "-- got --\n", MessageText(got)));
}

bool RfcComparison::AskBoth(const DiffQuestion& question, Replies* replies) {
  QueryOptions options = question.options;
  options.id = static_cast<uint16_t>(asked_);
  const std::string packet = BuildQuery(question.name, question.type, options);
  newest_.peer().SendTcp(packet);
  dnsd_.SendTcp(packet);
  dnsd_.SendUdp(packet);
  *replies = {newest_.peer().ReceiveTcp(), dnsd_.ReceiveTcp(),
              dnsd_.ReceiveUdp(kReplyPatience)};
  for (const auto& [reply, who] :
       {std::pair{&replies->consul, ": Consul: "},
        std::pair{&replies->dnsd_tcp, ": over TCP: "},
        std::pair{&replies->dnsd_udp, ": over UDP: "}}) {
    if (reply->error.empty()) continue;
    Fail(absl::StrCat(question.Text(), who, reply->error),
         replies->consul.message, Message(), replies->dnsd_tcp.message);
    return false;
  }
  return true;
}

void RfcComparison::Compare2(const DiffQuestion& question,
                             const Replies& replies, SeenRecords* seen,
                             Verdicts* verdicts) {
  RowCounts releases;
  RfcCounts rows;
  const Message newest =
      newest_.Modern(question, replies.consul.message, &releases);
  Message tcp = oracle_.OverTcp(question.name, question.type, question.options,
                                newest, &rows);
  Message full = tcp;
  if (question.sampled) {
    Remember(tcp, seen);
    full = Resample(tcp, replies.dnsd_udp.message, *seen);
    tcp = LikeSample(tcp, replies.dnsd_tcp.message, *seen);
  }
  if (!verdicts->tcp.error.empty()) {
    verdicts->tcp.expected = tcp;
    verdicts->tcp.error = Compare(tcp, replies.dnsd_tcp.message);
    if (verdicts->tcp.error.empty()) {
      verdicts->rows = rows;
      verdicts->newest = newest;
    }
  }
  if (!verdicts->udp.error.empty()) {
    const RecordSizes sizes =
        ReadRecordSizes(replies.dnsd_tcp.wire, replies.dnsd_tcp.message);
    verdicts->udp.expected = full;
    verdicts->udp.error = CheckRfcUdp(config_, question.options, full, sizes,
                                      replies.dnsd_udp.message);
  }
}

void RfcComparison::CountUdpRows(const DiffQuestion& question,
                                 const Message& newest, const Message& full,
                                 const Message& udp) {
  const std::optional<Message> consul =
      TrimForUdp(config_.release, Release::kNewest, newest, Message(), true);
  if (!consul || newest.answer.size() != full.answer.size()) return;
  if (consul->answer.size() != udp.answer.size()) {
    ++rows_[question.options.edns ? RfcRow::kUdpEdns : RfcRow::kUdpPlain];
  }
  if ((udp.flags & kFlagTc) != 0 && (consul->flags & kFlagTc) == 0) {
    ++rows_[RfcRow::kTc];
  }
  if (consul->answer.size() < newest.answer.size() &&
      udp.answer.size() < full.answer.size() && udp.opt && !consul->opt) {
    ++rows_[RfcRow::kOptOfTrimmed];
  }
}

void RfcComparison::CountRows(const DiffQuestion& question,
                              const Replies& replies,
                              const Verdicts& verdicts) {
  for (const auto& [row, count] : verdicts.rows) rows_[row] += count;
  const Message& dnsd = replies.dnsd_tcp.message;
  for (const auto& [consul, ours] :
       {std::pair{&verdicts.newest.answer, &dnsd.answer},
        std::pair{&verdicts.newest.authority, &dnsd.authority}}) {
    const std::string serial = SerialOf(*ours);
    if (serial.empty() || SerialOf(*consul).empty()) continue;
    if (serial != SerialOf(*consul)) ++rows_[RfcRow::kSoaSerial];
  }
  CountUdpRows(question, verdicts.newest, verdicts.tcp.expected,
               replies.dnsd_udp.message);
}

void RfcComparison::Ask(const DiffQuestion& question) {
  if (failures_.size() >= kFailuresMax) return;
  ++asked_;
  Replies replies;
  if (!AskBoth(question, &replies)) return;
  SeenRecords seen;
  Verdicts verdicts;
  const int picks_max = question.sampled ? kSampledPicksMax : kPicksMax;
  for (int i = 0; i < picks_max; ++i) {
    if (i > 0) {
      replies.consul = newest_.peer().AskTcp(
          BuildQuery(question.name, question.type, question.options));
      if (!replies.consul.error.empty()) break;
    }
    Compare2(question, replies, &seen, &verdicts);
    if (verdicts.tcp.error.empty() && verdicts.udp.error.empty()) {
      return CountRows(question, replies, verdicts);
    }
  }
  for (const auto& [verdict, reply, what] :
       {std::tuple{&verdicts.tcp, &replies.dnsd_tcp, ": over TCP: "},
        std::tuple{&verdicts.udp, &replies.dnsd_udp, ": over UDP: "}}) {
    if (verdict->error.empty()) continue;
    return Fail(absl::StrCat(question.Text(), what, verdict->error),
                replies.consul.message, verdict->expected, reply->message);
  }
}

void RfcComparison::SendRaw(const std::string& what, const std::string& packet,
                            Raw raw) {
  ++asked_;
  newest_.peer().SendUdp(packet);
  dnsd_.SendUdp(packet);
  const Reply consul = newest_.peer().ReceiveUdp(kSilence);
  const Reply dnsd = dnsd_.ReceiveUdp(kSilence);
  std::string error;
  if (raw != Raw::kSame) {
    const bool as_expected =
        consul.error.empty() && consul.message.rcode() != kFormErr &&
        dnsd.error.empty() && dnsd.message.rcode() == kFormErr &&
        dnsd.message.size == kHeaderBytes;
    if (!as_expected) error = "not FORMERR of ours alone";
    if (as_expected && raw == Raw::kBytesLeft) ++rows_[RfcRow::kBytesLeft];
  } else if (consul.error != dnsd.error) {
    error = "errors differ";
  } else if (consul.error.empty()) {
    error = Compare(consul.message, dnsd.message);
  }
  if (error.empty()) return;
  Fail(absl::StrCat(what, ": ", error, "; Consul: '", consul.error,
                    "', dnsd: '", dnsd.error, "'"),
       consul.message, Message(), dnsd.message);
}

}  // namespace dnsd::testing
