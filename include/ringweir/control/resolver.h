// Names of targets, kept up to date by DNS (RFC 3263 4) on a thread of its own: NAPTR, then SRV, then
// addresses; a name with a port goes to its addresses at once (4.2). An answer is asked for again when its
// TTL is over, floored and ceiled by the configuration. A failure, or an answer without any address, keeps
// the last good one and is counted; only an SRV record that denies the service empties a name.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "ringweir/control/config.h"
#include "ringweir/control/name_book.h"
#include "ringweir/io/open_error.h"

namespace ringweir::control {

// The address families that some listener of ours speaks: a target of another one could not be reached.
struct Families {
  bool v4 = true, v6 = true;
  friend bool operator==(const Families&, const Families&) = default;
};
Families families_of(const Config& config);

class Resolver {
 public:
  struct Tallies {
    std::uint64_t answered = 0, failed = 0, changed = 0;
  };

  Resolver();
  ~Resolver();  // stops
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // `on_change` is called on the resolver's thread whenever book() has changed; it may call anything here but
  // stop().
  io::Opened start(std::function<void()> on_change);
  void stop() noexcept;

  // Any thread.
  // From now on these names and no others; one that was there keeps its answer and its turn.
  void watch(const std::vector<Name>& names, const Dns& dns, Families families);
  // Until each name watched was asked for once, at most this long. The names that have no answer then.
  std::vector<Name> wait_for_first(Duration longest) const;
  NameBook book() const;
  Tallies tallies() const;

 private:
  struct Running;
  std::unique_ptr<Running> running_;
};

}  // namespace ringweir::control
