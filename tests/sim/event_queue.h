// What happens next: ordered by time, then by the order of being scheduled, so that a run has only one history.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "ringweir/base/address.h"
#include "ringweir/base/time.h"

namespace ringweir::sim {

enum class What : std::uint8_t {
  to_edge,      // a datagram reaches the edge's address
  to_phone,     // a datagram reaches `to`
  unreachable,  // shard `index` hears that nobody listens at `to`
  retransmit,   // phone `index`, transaction `token`: timer E
  give_up,      // phone `index`, transaction `token`: timer F
  wake,         // phone `index` wants something
  timer,        // party `index`, timer `token`
  turn,         // shard `index`
  stall_ends,   // shard `index`
  power,        // every phone comes back at once
  swap,         // the configuration is replaced
  probe,        // control looks at the targets
  mishap,       // something dies, comes back, is drained or undrained
};

struct Event {
  Instant at{};
  What what{};
  std::uint32_t index = 0;
  std::uint64_t token = 0;
  std::string bytes{};
  Endpoint from{}, to{};
  std::string branch{};  // of the request, where the sender knows it
};

class EventQueue {
 public:
  void push(Event event) {
    heap_.push_back({event.at, next_++, std::move(event)});
    std::push_heap(heap_.begin(), heap_.end());
  }
  Event pop() {
    std::pop_heap(heap_.begin(), heap_.end());
    Event event = std::move(heap_.back().event);
    heap_.pop_back();
    return event;
  }
  bool empty() const { return heap_.empty(); }
  Instant next_at() const { return heap_.front().at; }
  std::size_t size() const { return heap_.size(); }

 private:
  struct Entry {
    Instant at;
    std::uint64_t sequence;
    Event event;
    bool operator<(const Entry& other) const {
      return at != other.at ? at > other.at : sequence > other.sequence;
    }
  };
  std::vector<Entry> heap_;
  std::uint64_t next_ = 0;
};

}  // namespace ringweir::sim
