// Garbage at a fixed rate: what a server must bear beside its phones. Nothing is awaited; answers are counted
// by status.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "drive.h"
#include "options.h"
#include "outcome.h"
#include "peers.h"

namespace ringweir::load {

// A message with places for a number in hexadecimal and for a user's name.
class Pattern {
 public:
  Pattern() = default;
  // In `text`, kTokenMark stands for 16 hex digits and each run of '#' for a user name of as many digits.
  explicit Pattern(std::string text);
  static constexpr std::string_view kTokenMark = "@@@@@@@@@@@@@@@@";

  std::size_t size() const noexcept { return text_.size(); }
  void render(std::uint64_t token, std::uint64_t user, char* to) const noexcept;

 private:
  struct Place {
    std::size_t at, width;
    bool is_token;
  };
  std::string text_;
  std::vector<Place> places_;
};

class Flood {
 public:
  Flood(const Options& options, Peers& peers);
  Outcome run(const Phase& phase);

  // What Drive asks. A unit is a datagram, and over when it was sent.
  bool room() const noexcept { return false; }
  bool begin(Workload workload, std::int64_t due_ns, std::int64_t now);
  void take(std::uint32_t peer, std::string_view message, std::int64_t now);
  void run_timers(std::int64_t) noexcept {}
  std::uint32_t in_flight() const noexcept { return 0; }
  std::int64_t patience_ns() const noexcept { return 0; }
  bool& counting() noexcept { return counting_; }

 private:
  struct Source {  // one socket
    std::array<Pattern, kGarbageKinds> patterns;
    std::int64_t nonce_taken_ns = 0;  // 0: digest asks for a challenge first
  };
  Pattern digest(std::uint32_t peer, std::string_view nonce, std::string_view realm) const;

  const Options& options_;
  Peers& peers_;
  std::vector<Source> sources_;
  std::string noise_;
  std::uint64_t sent_ = 0, random_state_;
  bool counting_ = false;
  Outcome outcome_;
};

}  // namespace ringweir::load
