// What a message costs to pass on beyond reading it: its text, validation, Routes, tokens, branches.
// Instruction counts by callgrind compare better than times on a busy machine.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdlib>
#include <string>

#include "ringweir/proxy/record_route.h"
#include "ringweir/proxy/request_validation.h"
#include "ringweir/proxy/route_set.h"
#include "ringweir/proxy/via_branch.h"
#include "ringweir/sip/forward.h"

namespace {

using namespace ringweir;
using namespace ringweir::proxy;

constexpr Key128 kKey{1, 2};
const Endpoint kSource = *parse_endpoint("198.51.100.7:40312");
const RouteToken kSides{{0, kSource}, {0, *parse_endpoint("10.0.0.11:5060")}};

const std::string kSdp =
    "v=0\r\no=alice 2890844526 2890844526 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n"
    "m=audio 49172 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n";

// About 900 octets with its SDP.
std::string invite() {
  return "INVITE sip:102@example.com SIP/2.0\r\n"
         "Via: SIP/2.0/UDP 192.0.2.20:5062;rport;branch=z9hG4bKnashds8\r\n"
         "Max-Forwards: 70\r\n"
         "From: \"Alice\" <sip:101@example.com>;tag=1928301774\r\n"
         "To: <sip:102@example.com>\r\n"
         "Call-ID: a84b4c76e66710@pc33.example.com\r\n"
         "CSeq: 314159 INVITE\r\n"
         "Contact: <sip:101@198.51.100.7:40312;transport=udp>\r\n"
         "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO\r\n"
         "Supported: replaces, 100rel, timer\r\n"
         "User-Agent: Softphone 5.1\r\n"
         "Content-Type: application/sdp\r\n"
         "Content-Length: " +
         std::to_string(kSdp.size()) + "\r\n\r\n" + kSdp;
}

std::string token() {
  std::array<char, kRouteTokenCharsMax> out;
  return std::string(
      write_route_token(kKey, kSides, "a84b4c76e66710@pc33.example.com", "1928301774", out.data()));
}

std::string bye() {
  return "BYE sip:102@10.0.0.11:5060 SIP/2.0\r\n"
         "Via: SIP/2.0/UDP 192.0.2.20:5062;rport;branch=z9hG4bKnashds9\r\n"
         "Route: <sip:edge.example.com;lr;rw=" +
         token() +
         ">\r\n"
         "Max-Forwards: 70\r\n"
         "From: \"Alice\" <sip:101@example.com>;tag=1928301774\r\n"
         "To: <sip:102@example.com>;tag=a6c85cf\r\n"
         "Call-ID: a84b4c76e66710@pc33.example.com\r\n"
         "CSeq: 314160 BYE\r\nContent-Length: 0\r\n\r\n";
}

std::string ringing() {
  return "SIP/2.0 180 Ringing\r\n"
         "Via: SIP/2.0/UDP edge.example.com;branch=z9hG4bKfAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n"
         "Via: SIP/2.0/UDP 192.0.2.20:5062;rport=40312;branch=z9hG4bKnashds8;received=198.51.100.7\r\n"
         "Record-Route: <sip:edge.example.com;lr;rw=" +
         token() +
         ">\r\n"
         "From: \"Alice\" <sip:101@example.com>;tag=1928301774\r\n"
         "To: <sip:102@example.com>;tag=a6c85cf\r\n"
         "Call-ID: a84b4c76e66710@pc33.example.com\r\n"
         "CSeq: 314159 INVITE\r\n"
         "Contact: <sip:102@10.0.0.11:5060>\r\nContent-Length: 0\r\n\r\n";
}

struct Received {
  explicit Received(std::string bytes) : text(std::move(bytes)) {
    const bool good =
        sip::parse(text, sip::Framing::datagram, message).completeness == sip::Completeness::complete &&
        (message.is_request() ? sip::validate_request(message, read) : sip::validate_response(message, read))
                .fault == sip::Fault::none;
    if (!good) std::abort();
    if (message.is_request()) uri = *sip::parse_uri(message.request_uri());
  }
  std::string text;
  sip::Message message;
  sip::Essentials read;
  sip::Uri uri;
};

const DomainSet& ours() {
  static const DomainSet set = [] {
    const std::string names[] = {"example.com", "edge.example.com"};
    const Endpoint endpoints[] = {*parse_endpoint("192.0.2.1:5060")};
    return DomainSet(names, endpoints);
  }();
  return set;
}

void forward_invite(benchmark::State& state) {
  const Received in(invite());
  const std::string record_route = "<sip:edge.example.com;lr;rw=" + token() + ">";
  std::array<char, 2048> buffer;
  std::size_t size = 0;
  for (auto _ : state) {
    sip::RequestEdits edits;
    edits.request_uri = "sip:102@10.0.0.11:5060";
    edits.via = "SIP/2.0/UDP edge.example.com;branch=z9hG4bKfAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    edits.source = kSource;
    edits.record_routes[0] = record_route;
    Writer out(buffer.data(), buffer.size());
    sip::write_request(out, in.message, in.read, edits);
    benchmark::DoNotOptimize(buffer);
    size = out.size();
  }
  state.counters["octets_in"] = static_cast<double>(in.text.size());
  state.counters["octets_out"] = static_cast<double>(size);
}
BENCHMARK(forward_invite);

void forward_response(benchmark::State& state) {
  const Received in(ringing());
  std::array<char, 2048> buffer;
  for (auto _ : state) {
    Writer out(buffer.data(), buffer.size());
    sip::write_response(out, in.message, in.read);
    benchmark::DoNotOptimize(buffer);
  }
}
BENCHMARK(forward_response);

void way_of_a_response(benchmark::State& state) {
  const Received in(ringing());
  for (auto _ : state) {
    const auto below = sip::via_below(in.message, in.read);
    benchmark::DoNotOptimize(sip::response_destination(*below));
  }
}
BENCHMARK(way_of_a_response);

void check_invite(benchmark::State& state) {
  const Received in(invite());
  const KeyedHash hash(kKey);
  for (auto _ : state) {
    benchmark::DoNotOptimize(check_request(in.message, in.read, in.uri, ours(), hash));
  }
}
BENCHMARK(check_invite);

void follow_route_of_bye(benchmark::State& state) {
  const Received in(bye());
  for (auto _ : state) {
    const RouteSet routes = read_route_set(in.message, in.read, in.uri, ours(), 5060);
    const auto followed = follow_route_token(kKey, routes.token, in.message.value(sip::HeaderId::call_id),
                                             *sip::tag(in.read.from), *sip::tag(in.read.to));
    if (!followed) std::abort();
    benchmark::DoNotOptimize(followed);
  }
}
BENCHMARK(follow_route_of_bye);

void sign_record_route(benchmark::State& state) {
  std::array<char, kRouteTokenCharsMax> out;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        write_route_token(kKey, kSides, "a84b4c76e66710@pc33.example.com", "1928301774", out.data()));
  }
}
BENCHMARK(sign_record_route);

void stateful_branch(benchmark::State& state) {
  std::array<char, kBranchCharsMax> out;
  for (auto _ : state) {
    const auto text = write_branch(StatefulBranch{1, 2, 3, 4, 5}, out.data());
    benchmark::DoNotOptimize(parse_stateful_branch(text));
  }
}
BENCHMARK(stateful_branch);

void stateless_branch_of_invite(benchmark::State& state) {
  const Received in(invite());
  std::array<char, kBranchCharsMax> out;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        write_branch(stateless_branch(kKey, in.message, in.read, kSource, 7), out.data()));
  }
}
BENCHMARK(stateless_branch_of_invite);

}  // namespace
