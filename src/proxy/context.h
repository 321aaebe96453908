// A response context (RFC 3261 16.2): what is kept of one request while it is being forwarded. Private to src/proxy.
#pragma once
#include "ringweir/proxy/engine.h"
#include "ringweir/transaction/transaction.h"

namespace ringweir::proxy {

// The client transaction of one branch, or of the CANCEL of one.
struct Branch : transaction::ClientTransaction {
  Branch(transaction::Machine which, Context& whose) noexcept : transaction::ClientTransaction(which) { user = &whose; }
  Context& context() const noexcept { return *static_cast<Context*>(user); }
  Path way() const noexcept;

  Branch* next = nullptr;                  // of the context
  Branch* other = nullptr;                 // an INVITE's CANCEL, a CANCEL's INVITE
  balance::TargetState* target = nullptr;  // of an upstream
  Instant sent_at{};
  std::uint16_t target_index = 0;
  std::uint16_t status = 0;       // final, of the response or of what stands for one
  bool is_cancel = false;
  bool in_flight = false;         // counted by its target
  bool heard = false;             // any response
  bool over = false;              // it has had its final say
  bool cancel_wanted = false;     // at its first provisional response (9.1)
  bool cancel_sent = false;       // once (9.1)
  bool passed_over = false;       // another target is being tried: its silence is no longer waited for, and not in `pending`
};

struct Context : transaction::ServerTransaction {
  explicit Context(transaction::Machine which) noexcept : transaction::ServerTransaction(which) {}

  transaction::Text request;      // as received, until it is answered
  transaction::Text request_uri;  // of what is forwarded, where it is another
  transaction::Text best;         // the best final response so far (16.7 step 6)
  transaction::Text challenges;   // header lines of other branches' 401 and 407 (16.7 step 7)
  Branch* branches = nullptr;
  Context* older = nullptr;       // among the completed
  Context* newer = nullptr;
  std::uint64_t call_id_hash = 0;
  std::uint64_t upstream_hash = 0;  // of its name: the configuration may change meanwhile
  std::uint64_t generation = 0;
  balance::Keys keys;
  balance::Tried tried;
  sip::FieldSet credentials;
  Endpoint source;                // of the request; answers go to `peer`, as its Via says
  std::uint32_t cseq = 0;
  std::uint32_t loop = 0;
  std::uint32_t max_breadth = 0;
  std::uint16_t upstream = 0;
  std::uint16_t tries = 0;
  std::uint16_t q = 0;            // location: contacts from this one down have been tried
  std::uint16_t best_status = 0;
  std::uint16_t pending = 0;      // branches that have not had their final say
  sip::Method method = sip::Method::unknown;
  Plan::To to = Plan::To::side;
  bool record_route = false;
  bool in_dialog = false;
  bool counts_call = false;       // began a call at a target
  bool cancelled = false;
  bool no_more = false;           // a 6xx came, or nothing else is left: no further branch
  bool final_sent = false;
  bool completed = false;         // in the list of those that may be given up

  Path way_back() const noexcept { return {peer, socket, local, call_id_hash}; }
};

inline Path Branch::way() const noexcept { return {peer, socket, {}, context().call_id_hash}; }

static_assert(sizeof(Context) <= 448 && sizeof(Branch) <= 192, "an INVITE's pair stays well under 1.5 KiB without its texts");

}  // namespace ringweir::proxy
