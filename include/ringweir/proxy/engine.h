// The forwarding engine of one shard: response contexts (RFC 3261 16.2), each a server transaction and the client transactions of its
// branches. The caller (shard::Edge) has decided whether and where a request may go; the engine carries it there, its responses
// back, and keeps both alive by their timers. Pure: bytes, state and time in, messages into an Outbox out. One thread.
#pragma once
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>

#include "ringweir/balance/choose.h"
#include "ringweir/base/hash.h"
#include "ringweir/base/random.h"
#include "ringweir/base/slab.h"
#include "ringweir/base/timer_wheel.h"
#include "ringweir/location/directory.h"
#include "ringweir/proxy/call_table.h"
#include "ringweir/proxy/counters.h"
#include "ringweir/proxy/domain_set.h"
#include "ringweir/proxy/outbox.h"
#include "ringweir/proxy/policy.h"
#include "ringweir/proxy/request_validation.h"
#include "ringweir/proxy/route_set.h"
#include "ringweir/sip/essentials.h"
#include "ringweir/sip/forward.h"
#include "ringweir/sip/message.h"
#include "ringweir/transaction/key_table.h"
#include "ringweir/transaction/keys.h"
#include "ringweir/transaction/text_pool.h"
#include "ringweir/transaction/transaction.h"

namespace ringweir::proxy {

struct Context;
struct Branch;

// The configuration, as the engine reads it; all of it outlives the adoption of the next one.
struct Setting {
  std::uint64_t generation = 0;
  const Policy* policy = nullptr;
  const DomainSet* domains = nullptr;
  std::span<const SocketFace> sockets;
  std::span<const balance::Upstream> upstreams;
  Key128 route_key{};
  std::string_view server;  // the Server header field of responses of our own; empty: none
};

// One message that was received, parsed and validated.
struct Arrival {
  const sip::Message& message;
  const sip::Essentials& read;
  Path path;                        // how it came
  std::uint64_t call_id_hash = 0;
  std::uint64_t key = 0;            // transaction::server_key, as the method of the transaction that is meant
};

struct Moment {
  Instant now;
  Outbox& out;
};

// Where a request goes and what becomes of it on the way.
struct Plan {
  enum class To : std::uint8_t { side, upstream, location };
  To to = To::side;
  Path side;                                    // side
  balance::TargetState* target = nullptr;       // side: of the call it belongs to, where one is known
  std::uint16_t upstream = 0;                   // upstream: its place in Setting::upstreams
  balance::Keys keys;
  const location::BindingSet* bindings = nullptr;  // location; not empty
  std::string_view request_uri;                 // instead of the one received; empty: as it is
  RouteSet routes;
  RequestCheck check;
  sip::FieldSet credentials;                    // for us: they go no further (RFC 3261 22.3)
  bool record_route = false;
  bool stateless = false;                       // 16.11
  bool in_dialog = false;
};

// Who wants to know why a request went where it did.
class Witness {
 public:
  enum class Kind : std::uint8_t {
    began,     // balance::choose, for what begins something
    by_table,  // the call table: where its call, or the same Call-ID before a challenge, went
    by_hash,   // inside a call that nobody remembers: balance::choose_again
    failover,  // the same request, to another target
    refused,   // nothing could be used
  };
  struct Decision {
    std::string_view call_id;
    std::uint16_t upstream;
    Kind kind;
    Endpoint target;     // not of refused
    balance::Why why{};  // of began, by_hash and failover
  };
  using Note = void (*)(void*, const Decision&) noexcept;
  Witness() noexcept = default;
  Witness(void* whose, Note take_note) noexcept : whose_(whose), note_(take_note) {}
  void note(const Decision& decision) const noexcept {
    if (note_) note_(whose_, decision);
  }

 private:
  void* whose_ = nullptr;
  Note note_ = nullptr;
};

struct EngineOptions {
  std::uint8_t shard = 0;
  std::uint32_t contexts = 1u << 20;  // requests being forwarded, or remembered for their retransmissions
  std::uint32_t branches = 1u << 20;  // and their branches, CANCELs included
  std::uint32_t calls = 1u << 18;
};

struct EngineParts {  // all outlive the engine
  const KeyedHash& hash;
  const location::Directory& directory;
  Counters& counters;
  std::span<Counter> responses_sent;  // by status
  std::span<std::byte> texts;         // for transaction::TextPool
  Witness witness;
};

class Engine {
 public:
  Engine(const EngineParts& parts, const EngineOptions& options, std::uint64_t seed, Instant now);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void adopt(const Setting& setting) noexcept { setting_ = setting; }

  // Hints that `in` will be asked about: what it will look up is far apart in memory.
  void prefetch(std::uint64_t key) const noexcept { table_.prefetch(key); }
  // A request that belongs to a transaction there is: again (17.2), or the ACK of an answer that was not 2xx. True: that was all.
  // `in.key` is of the method, an ACK's of INVITE.
  bool absorb(const Arrival& in, const Moment& at) noexcept;
  // RFC 3261 16.10: true when `in`, a CANCEL, was for an INVITE under way; the caller answers 200. `in.key` is the INVITE's.
  bool cancel(const Arrival& in, const Moment& at) noexcept;
  // 0: it is on its way. Else the status that the caller answers, nothing having been kept.
  std::uint16_t forward(const Arrival& in, const Plan& plan, const Moment& at) noexcept;
  // A response: `path` says how it came. False when it belongs to nothing (counted).
  bool respond(const sip::Message& message, const sip::Essentials& read, std::uint64_t call_id_hash, const Path& path,
               const Moment& at) noexcept;
  // The network said that nobody takes messages there: what waits for its first answer from it has failed (16.9).
  void unreachable(const Endpoint& peer, const Moment& at) noexcept;
  // Timers, at most `most` of them; false when more wait.
  bool advance(const Moment& at, std::uint32_t most) noexcept;
  Instant next_due() const noexcept;

  const CallTable& calls() const noexcept { return calls_; }
  CallTable& calls() noexcept { return calls_; }
  std::uint32_t contexts() const noexcept;   // alive, completed ones included
  std::uint32_t branches() const noexcept;
  std::uint32_t unanswered() const noexcept { return unanswered_; }  // requests that still owe their sender a final response
  const transaction::TextPool& texts() const noexcept { return texts_; }

 private:
  struct Candidate {
    Path path;
    std::string_view request_uri;  // empty: as received
    balance::TargetState* target = nullptr;
    std::uint16_t target_index = 0;
  };
  static constexpr std::size_t kForksMax = 32;
  struct Candidates {
    std::array<Candidate, kForksMax> list;
    std::size_t count = 0;
    std::uint16_t q = 1001;              // location: of those listed
    bool found_by_hash = false;          // upstream: and will be again
    std::array<char, 4 * limits::kContactBytesMax> texts;
    std::size_t texts_size = 0;
  };
  // What the branches of one request share, beside the request.
  struct Onward {
    const sip::Message& message;
    const sip::Essentials& read;
    Path came;
    sip::RequestEdits edits;
    std::uint32_t loop;
    bool record_route;
    bool stateless;
    bool strict;                          // the next hop is a strict router (16.6 step 6)
  };

  // engine_targets.cpp
  std::uint16_t find_candidates(const Arrival& in, const Plan& plan, Instant now) noexcept;
  std::uint16_t choose(const Arrival& in, const Plan& plan, Instant now) noexcept;
  bool choose_next(Context& context, std::string_view call_id, Instant now) noexcept;
  bool contacts_below(const location::BindingSet& set, std::uint16_t q, Instant now) noexcept;
  bool contacts_next(Context& context, const sip::Uri& uri, Instant now) noexcept;
  bool add_contact(const location::BindingView& binding) noexcept;
  bool add_target(const balance::Upstream& upstream, std::uint16_t index, std::uint16_t came_by, const IpAddress& local) noexcept;
  std::optional<std::uint16_t> socket_for(const Endpoint& to, std::uint16_t came_by) const noexcept;
  const balance::Upstream* upstream_of(const Context& context) const noexcept;
  const balance::Passive& passive_of(const Context& context) const noexcept;

  // engine_forward.cpp
  Context* begin(const Arrival& in, const Plan& plan, const Moment& at) noexcept;
  Onward onward(const Arrival& in, const Plan& plan) noexcept;
  bool add_branches(Context& context, const Onward& onward, const Moment& at) noexcept;
  bool add_branch(Context& context, const Onward& onward, const Candidate& to, const Moment& at) noexcept;
  bool add_more(Context& context, bool next_target, const Moment& at) noexcept;
  transaction::Text keep(std::string_view octets) noexcept;
  // False when it is counted there already.
  bool begin_call(std::uint64_t call_id_hash, balance::TargetState& target, const Endpoint& endpoint, Instant now) noexcept;
  bool write_and_send(const Onward& onward, const Candidate& to, std::string_view branch, const Moment& at,
                      transaction::Text* kept) noexcept;
  std::uint16_t forward_stateless(const Arrival& in, const Plan& plan, const Moment& at) noexcept;
  std::string_view write_via(std::uint16_t socket, std::string_view branch) noexcept;
  void write_record_routes(const Onward& onward, const Candidate& to, sip::RequestEdits& edits) noexcept;
  bool make_room() noexcept;

  // engine_answer.cpp
  void trying(Context& context, const Arrival& in, const Moment& at) noexcept;
  void answer(Context& context, std::uint16_t status, const Moment& at) noexcept;
  void answer_with(Context& context, const sip::Message& message, const sip::Essentials& read, const Moment& at) noexcept;
  void answer_best(Context& context, const Moment& at) noexcept;
  struct Room;
  Room room_for(std::size_t octets, const Moment& at) noexcept;
  void send_answer(Context& context, std::uint16_t status, std::string_view to_tag, Room& room, const Moment& at) noexcept;
  void answered(Context& context, std::uint16_t status, std::string_view text, Instant now) noexcept;
  void finish(Context& context, const sip::Message* message, const sip::Essentials* read, const Moment& at) noexcept;

  // engine_response.cpp
  Branch* branch_of(std::string_view text) noexcept;
  void on_response(Branch& branch, const sip::Message& message, const sip::Essentials& read, const Moment& at) noexcept;
  void on_final(Branch& branch, const sip::Message& message, const sip::Essentials& read, const Moment& at) noexcept;
  void settle(Branch& branch, std::uint16_t status, const sip::Message* message, const sip::Essentials* read,
              const Moment& at) noexcept;
  bool fails_over(const Context& context, const Branch& branch, std::uint16_t status, bool answered) const noexcept;
  void keep_best(Context& context, std::uint16_t status, const sip::Message* kept, const sip::Message* message) noexcept;
  void keep_text(Context& context, const sip::Message* message) noexcept;
  void keep_challenges(Context& context, const sip::Message& message) noexcept;
  bool respond_stateless(const sip::Message& message, const sip::Essentials& read, std::uint64_t call_id_hash, const Path& came,
                         const Moment& at) noexcept;
  void acknowledge(Branch& branch, const sip::Message& response, const Moment& at) noexcept;
  bool stray(Stray why) noexcept;

  // engine_cancel.cpp
  void cancel_branches(Context& context, const Branch* but, const Moment& at) noexcept;
  void cancel_branch(Branch& branch, const Moment& at) noexcept;

  // engine_timers.cpp
  void fire(TimerNode& node, const Moment& at) noexcept;
  void fire_server(Context& context, const Moment& at) noexcept;
  void fire_client(Branch& branch, const Moment& at) noexcept;
  bool give_up_waiting(Branch& branch, const Moment& at) noexcept;
  void look_again(Branch& branch, transaction::Tick now) noexcept;
  void say_trying(Branch& branch, const Moment& at) noexcept;
  void failed(Branch& branch, std::uint16_t status, const Moment& at) noexcept;

  // engine.cpp
  bool send_text(std::string_view text, const Path& path, const Moment& at) noexcept;
  Branch* take_branch(transaction::Machine machine, Context& context) noexcept;
  void remove(Branch& branch) noexcept;
  void remove_if_over(Context& context) noexcept;
  void remove(Context& context) noexcept;
  void over(Context& context) noexcept;

  EngineParts parts_;
  EngineOptions options_;
  Setting setting_;
  Random random_;
  TimerWheel wheel_;
  transaction::TextPool texts_;
  std::unique_ptr<Slab<Context>> contexts_;
  std::unique_ptr<Slab<Branch>> branches_;
  struct Free {
    void operator()(void* at) const noexcept { std::free(at); }
  };
  std::unique_ptr<std::uint64_t, Free> tags_;  // by branch slot: what its Via says; 0 while free. A late response finds nobody else
  transaction::KeyTable<transaction::ServerTransaction> table_;
  CallTable calls_;
  std::uint32_t unanswered_ = 0;
  Instant next_look_{};
  Context* oldest_ = nullptr;  // completed ones, in the order they were: the first to go when room is needed
  Context* newest_ = nullptr;

  // Scratch of one step.
  Candidates candidates_;
  sip::Message stored_;        // a text of ours, read again
  sip::Essentials stored_read_;
  std::array<char, 192> via_;
  std::array<std::array<char, 224>, 2> record_routes_;
  std::array<char, 1'024> uri_;
};

}  // namespace ringweir::proxy
