// A peer that means harm: it hears what phones send and makes garbage, cut, altered, replayed and oversized messages of it.
#pragma once
#include <string>
#include <vector>

#include "ringweir/base/random.h"
#include "sim/event_queue.h"
#include "sim/oracle.h"

namespace ringweir::sim {

class Hostile {
 public:
  struct Attack {
    std::string bytes;
    Endpoint from;
    std::string branch;  // of the request that is repeated as it was; empty otherwise
  };
  Hostile(std::uint64_t seed, Endpoint address) : random_(seed), address_(address) {}

  // One more message on the wire.
  void hears(const std::string& bytes, const std::string& branch, const Endpoint& from);
  Attack attack(const Oracle& oracle);

 private:
  struct Heard {
    std::string bytes, branch;
    Endpoint from;
  };
  std::string garbage();
  std::string altered(const Heard& heard);
  Random random_;
  Endpoint address_;
  std::vector<Heard> heard_;  // a ring
  std::size_t next_ = 0;
  std::uint64_t branches_ = 0;
};

}  // namespace ringweir::sim
