// One shard's side of the location service: it alone creates, orders, refreshes and expires the bindings made
// under the Call-IDs it owns (RFC 3261 10.3). One thread; its Participant is online while it calls.
#pragma once
#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>

#include "ringweir/base/counters.h"
#include "ringweir/base/timer_wheel.h"
#include "ringweir/location/directory.h"
#include "ringweir/location/lease.h"
#include "ringweir/sip/uri.h"

namespace ringweir::location {

struct ContactUpdate {
  std::string_view text;  // to be kept and sent back as it is: name-addr and parameters, without expires
  sip::Uri uri;           // its URI, parsed
  std::uint16_t q_thousandths;
  std::uint32_t expires_s;  // 0 removes
};

// One REGISTER that was authenticated, bounded (423) and is no retransmission.
struct Registration {
  std::string_view aor;  // canonical
  std::uint64_t aor_hash;
  std::string_view call_id;
  std::uint32_t cseq;
  bool star;                                // Contact: * with Expires: 0; contacts is empty
  std::span<const ContactUpdate> contacts;  // empty and no star: a query
  Endpoint source;
  std::uint16_t socket;
  std::string_view user_agent;
  Instant now;
  std::uint32_t contacts_max;
};

class Plan;

enum class Outcome : std::uint8_t {
  done,
  out_of_order,       // RFC 3261 10.3 steps 6 and 7: same Call-ID, CSeq not higher
  too_many_contacts,  // more than contacts_max would be alive
  too_long,           // a text over its limit (limits::kContactBytesMax, kCallIdBytesMax, kAorBytesMax)
  no_memory,          // region or bindings_max used up
};

class Registrations {
 public:
  Registrations(Directory& directory, std::uint32_t shard, Instant now);

  // All contacts of the request apply or, unless done, none. `result` is the whole set afterwards (or as it
  // is), null when empty, good until this thread's next quiescent(). A contact named twice in one request
  // counts once: the last wins. A refresh that changes only CSeq and expiry, of one or of every contact,
  // writes one word a binding.
  Outcome apply(const Registration& request, const BindingSet*& result);

  // Removes what has expired, at most so many timers; false when more wait.
  bool expire(Instant now, std::uint32_t most);
  // When expire() may next have something to do; Instant::max() when nothing is registered here.
  Instant next_expiry() const noexcept;
  // Once a turn, after quiescent(): takes in what other shards took over, gives back what no reader holds.
  void turn() noexcept;
  // Something of this shard's waits for other threads' quiescent states: turn() again, soon.
  bool unsettled() const noexcept;

  std::size_t live() const noexcept { return live_; }  // bindings this shard holds a timer for
  // Blocks taken less given by this shard. Summed over all shards, what is out: sets, bindings, User-Agent
  // texts.
  std::int64_t blocks() const noexcept { return pool_.balance(); }
  std::uint64_t races() const noexcept { return races_.read(); }  // compare-and-swaps lost and repeated
  std::uint64_t taken_over() const noexcept { return taken_over_.read(); }  // bindings other shards removed

 private:
  struct Draft;
  bool draft(const Plan& plan, const Registration& request, const BindingSet* old, Draft& out) noexcept;
  void discard(Draft& draft) noexcept;
  void settle(const Plan& plan, const Registration& request, const BindingSet* old,
              const Draft& draft) noexcept;
  Binding* make(const ContactUpdate& contact, const Registration& request, Tick registered,
                std::uint16_t agent) noexcept;
  void refresh(Binding& binding, std::uint32_t cseq, Tick expires) noexcept;
  void unlinked(Binding& binding) noexcept;
  void let_go(Binding& binding) noexcept;
  void expired(Binding& binding, Tick now) noexcept;
  void count(std::int64_t bindings, std::int64_t aors) noexcept;

  Directory& directory_;
  const std::uint8_t shard_;
  BlockPool pool_;
  Limbo limbo_;
  TimerWheel wheel_;
  std::size_t live_ = 0;
  Counter races_, taken_over_;
};

}  // namespace ringweir::location
