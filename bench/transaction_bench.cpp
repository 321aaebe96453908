// What transactions add to a message: finding, stepping, keeping. One core; octets as a call has them.
#include <benchmark/benchmark.h>

#include <new>
#include <string>

#include "ringweir/base/slab.h"
#include "ringweir/transaction/key_table.h"
#include "ringweir/transaction/keys.h"
#include "ringweir/transaction/transaction.h"

namespace ringweir::transaction {
namespace {

const KeyedHash kHash({1, 2});
constexpr std::string_view kInvite =
    "INVITE sip:101@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bK776asdhds\r\n"
    "Max-Forwards: 70\r\nFrom: <sip:100@example.com>;tag=a1\r\nTo: <sip:101@example.com>\r\n"
    "Call-ID: call-1@192.0.2.7\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n";

void server_key_of_an_invite(benchmark::State& state) {
  sip::Message message;
  sip::Essentials read;
  sip::parse(kInvite, sip::Framing::datagram, message);
  if (sip::validate_request(message, read).fault != sip::Fault::none) state.SkipWithError("not valid");
  for (auto _ : state) benchmark::DoNotOptimize(server_key(message, read, sip::Method::invite, kHash));
}
BENCHMARK(server_key_of_an_invite);

void client_key_of_a_branch(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        client_key("z9hG4bKf00112233445566778899aabb", sip::Method::invite, "INVITE", kHash));
  }
}
BENCHMARK(client_key_of_a_branch);

// A server and a client transaction of one call: 100, 180, 200, both given back when L and M have passed. The
// calls in flight are as many as 32 s of them.
void invite_pair(benchmark::State& state) {
  const auto in_flight = static_cast<std::uint32_t>(state.range(0));
  Slab<ServerTransaction> servers(in_flight + 64);
  Slab<ClientTransaction> clients(in_flight + 64);
  KeyTable<ServerTransaction> by_request(in_flight);
  KeyTable<ClientTransaction> by_response(in_flight);
  TimerWheel wheel;
  std::uint64_t key = 0, begun = 0;
  const auto finish = [&](TimerNode& node) {
    auto& t = static_cast<Transaction&>(node);
    if (is_server(t.machine)) {
      auto& server = static_cast<ServerTransaction&>(t);
      if (!has(server.fire(wheel.now(), wheel), Action::destroy)) return;
      by_request.erase(server);
      servers.give(&server);
    } else {
      auto& client = static_cast<ClientTransaction&>(t);
      if (!has(client.fire(wheel.now(), wheel), Action::destroy)) return;
      by_response.erase(client);
      clients.give(&client);
    }
  };
  for (auto _ : state) {
    const Tick now = ++begun * 32'000 / in_flight;  // as many calls in 32 s as may be in flight
    wheel.advance(now, 1'000'000, finish);
    ServerTransaction* server = servers.take(Machine::invite_server);
    ClientTransaction* client = clients.take(Machine::invite_client);
    if (!server || !client) return state.SkipWithError("a slab is used up");
    server->key = client->key = ++key * 0x9e3779b97f4a7c15ull;
    by_request.insert(*server);
    by_response.insert(*client);
    server->begin(invite_server::Trying::at_once, {}, now, wheel);
    client->begin({}, now, wheel);
    for (const std::uint16_t status : std::initializer_list<std::uint16_t>{100, 180, 200}) {
      ClientTransaction* found = by_response.find(client->key);
      const Action action = found->response(status, now, wheel);
      if (status != 100 && has(action, Action::pass_final | Action::pass_provisional)) {
        benchmark::DoNotOptimize(server->respond(status, now, wheel));
      }
    }
  }
  state.counters["octets a pair"] = sizeof(ServerTransaction) + sizeof(ClientTransaction);
}
BENCHMARK(invite_pair)->Arg(1 << 10)->Arg(200'000);

void text_kept_and_given(benchmark::State& state) {
  constexpr std::size_t kBytes = 64 * TextPool::kChunkBytes;
  auto* region = static_cast<std::byte*>(::operator new (kBytes, std::align_val_t{64}));
  {
    TextPool pool({region, kBytes});
    const std::string octets(static_cast<std::size_t>(state.range(0)), 'x');
    for (auto _ : state) {
      Text text = pool.keep(octets);
      benchmark::DoNotOptimize(text);
      pool.give(text);
    }
  }
  ::operator delete (region, std::align_val_t{64});
}
BENCHMARK(text_kept_and_given)->Arg(700)->Arg(1'500);

}  // namespace
}  // namespace ringweir::transaction
