// The SIP parser, alone and beside libosip2, sofia-sip and libre on the same messages to the same result. The
// claim is the ratio in one run: at least 4 times faster than the fastest of them. The messages are the
// seed's two requests and an INVITE.
#include <benchmark/benchmark.h>

#include <fstream>
#include <sstream>
#include <string>

#include "peers/sip_peers.h"
#include "ringweir/sip/essentials.h"
#include "ringweir/sip/credentials.h"
#include "ringweir/sip/cseq.h"
#include "ringweir/sip/name_addr.h"
#include "ringweir/sip/respond.h"
#include "ringweir/sip/scan.h"
#include "ringweir/sip/via.h"
#include "sip/marks.h"

namespace {

using namespace ringweir;
using namespace ringweir::sip;

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

const std::string kInvite =
    "INVITE sip:102@example.com SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.30:5060;branch=z9hG4bK2d4790.1\r\n"
    "Via: SIP/2.0/UDP 192.0.2.20:5062;branch=z9hG4bKnashds8;received=198.51.100.7;rport=40312\r\n"
    "Record-Route: <sip:192.0.2.30;lr>\r\n"
    "Max-Forwards: 69\r\n"
    "From: \"Alice\" <sip:101@example.com>;tag=1928301774\r\n"
    "To: <sip:102@example.com>\r\n"
    "Call-ID: a84b4c76e66710@pc33.example.com\r\n"
    "CSeq: 314159 INVITE\r\n"
    "Contact: <sip:101@198.51.100.7:40312;transport=udp>;expires=3600\r\n"
    "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO\r\n"
    "Supported: replaces, 100rel, timer\r\n"
    "User-Agent: Softphone 5.1\r\n"
    "Content-Type: application/sdp\r\n"
    "Content-Length: 137\r\n\r\n"
    "v=0\r\no=alice 2890844526 2890844526 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n"
    "m=audio 49172 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

const std::string& message(std::int64_t which) {
  static const std::string kSeed = std::string(RINGWEIR_VECTORS) + "/sip/seed/";
  static const std::string kMessages[] = {read_file(kSeed + "1-register.sip"),
                                          read_file(kSeed + "3-register-authorised.sip"), kInvite};
  return kMessages[which];
}
void each_message(benchmark::internal::Benchmark* b) {
  b->ArgName("message")->Arg(0)->Arg(1)->Arg(2);  // REGISTER, REGISTER with credentials, INVITE
}

// Everything the peers read, by our productions.
std::uint64_t read_with_ringweir(std::string_view text) {
  static Message m;
  if (parse(text, Framing::datagram, m).completeness != Completeness::complete) return 0;
  const auto request_uri = parse_uri(m.request_uri());
  if (!request_uri) return 0;
  std::uint64_t sum = request_uri->host.size();
  std::string_view rest;
  for (const HeaderField* f = m.first(HeaderId::via); f != nullptr; f = m.next(*f)) {
    rest = m.value(*f);
    do {
      const auto via = parse_via(rest, rest);
      if (!via) return 0;
      sum += via->host.size();
    } while (!rest.empty());
  }
  for (const HeaderId id : {HeaderId::from, HeaderId::to}) {
    const auto address = parse_name_addr(m.value(id), rest);
    if (!address) return 0;
    const auto uri = parse_uri(address->uri);
    if (!uri) return 0;
    sum += uri->host.size() + tag(*address).value_or("").size();
  }
  const auto cseq = parse_cseq(m.value(HeaderId::cseq));
  if (!cseq) return 0;
  sum += m.value(HeaderId::call_id).size() + cseq->number;
  for (const HeaderField* f = m.first(HeaderId::contact); f != nullptr; f = m.next(*f)) {
    rest = m.value(*f);
    do {
      const auto contact = parse_contact(rest, rest);
      if (!contact) return 0;
      const auto uri = parse_uri(contact->address.uri);
      if (!uri) return 0;
      sum += uri->host.size() + contact->expires_s.value_or(0);
    } while (!rest.empty());
  }
  if (m.has(HeaderId::proxy_authorization)) {
    const auto credentials = parse_digest_credentials(m.value(HeaderId::proxy_authorization));
    if (!credentials) return 0;
    sum += credentials->response.size();
  }
  for (const HeaderId id : {HeaderId::max_forwards, HeaderId::expires, HeaderId::content_length}) {
    if (m.has(id)) sum += parse_number(m.value(id)).value_or(0);
  }
  return sum;
}

template <std::uint64_t (*Read)(std::string_view)>
void full_parse(benchmark::State& state) {
  const std::string& text = message(state.range(0));
  if (Read(text) == 0) return state.SkipWithError("the message was refused");
  for (auto _ : state) benchmark::DoNotOptimize(Read(text));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK_TEMPLATE(full_parse, read_with_ringweir)->Name("full_parse/ringweir")->Apply(each_message);
BENCHMARK_TEMPLATE(full_parse, ringweir::bench::read_with_osip2)
    ->Name("full_parse/libosip2")
    ->Apply(each_message);
BENCHMARK_TEMPLATE(full_parse, ringweir::bench::read_with_sofia)
    ->Name("full_parse/sofia-sip")
    ->Apply(each_message);
BENCHMARK_TEMPLATE(full_parse, ringweir::bench::read_with_re)->Name("full_parse/libre")->Apply(each_message);

template <Glimpse (*Scan)(std::string_view) noexcept>
void scan(benchmark::State& state) {
  const std::string& text = message(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(Scan(text));
}
BENCHMARK_TEMPLATE(scan, glimpse)->Name("glimpse")->Apply(each_message);
BENCHMARK_TEMPLATE(scan, ringweir::sip::detail::glimpse_portable)
    ->Name("glimpse/portable")
    ->Apply(each_message);

void structural_parse(benchmark::State& state) {
  const std::string& text = message(state.range(0));
  Message m;
  for (auto _ : state) benchmark::DoNotOptimize(parse(text, Framing::datagram, m).consumed);
}
BENCHMARK(structural_parse)->Apply(each_message);

void mark_window(benchmark::State& state) {
  const std::string& text = message(state.range(0));
  for (auto _ : state) {
    ringweir::sip::detail::MarkCarry carry;
    ringweir::sip::detail::Marks marks;
    ringweir::sip::detail::mark(text.data(), text.size(), carry, marks);
    benchmark::DoNotOptimize(marks);
  }
}
BENCHMARK(mark_window)->Apply(each_message);

void validate(benchmark::State& state) {
  Message m;
  parse(message(state.range(0)), Framing::datagram, m);
  for (auto _ : state) benchmark::DoNotOptimize(validate_request(m));
}
BENCHMARK(validate)->Apply(each_message);

void respond(benchmark::State& state) {
  Message m;
  parse(message(state.range(0)), Framing::datagram, m);
  char buffer[2048];
  const Endpoint source{IpAddress::v4(192, 0, 2, 7), 40312};
  for (auto _ : state) {
    Writer out(buffer, sizeof buffer);
    begin_response(out, m, 200, "OK", "4d074db8", source);
    end_message(out);
    benchmark::DoNotOptimize(out.size());
  }
}
BENCHMARK(respond)->Apply(each_message);

}  // namespace
