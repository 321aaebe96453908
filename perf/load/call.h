// The calls in flight: both ends of each, the caller's and the callee's, in one place.
#pragma once
#include <sys/mman.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <vector>

namespace ringweir::load {

inline constexpr unsigned kCallIndexBits = 20;
inline constexpr std::uint32_t kCallsMax = 1u << kCallIndexBits;
inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

enum class CallStep : std::uint8_t { free, inviting, ringing, talking, ending };
enum class CalleeStep : std::uint8_t { unreached, ringing, answered, confirmed, ended };

// A stretch of text kept in an array of its own.
template <std::size_t Size>
struct Kept {
  std::uint16_t used = 0;
  std::array<char, Size> octets;

  std::string_view view() const noexcept { return {octets.data(), used}; }
  bool append(std::string_view text) noexcept {
    if (used + text.size() > Size) return false;
    text.copy(octets.data() + used, text.size());
    used = static_cast<std::uint16_t>(used + text.size());
    return true;
  }
};

struct Call {
  std::uint64_t token;
  std::int64_t started_ns;  // or was due, in an open loop
  std::int64_t sent_ns;     // the request under way: when it was sent first
  std::int64_t resend_ns;   // Timer A or E; when talking: the time to hang up
  std::int64_t interval_ns;
  std::int64_t wake_ns;  // the earliest wake-up that is under way
  std::int64_t callee_since_ns, callee_resend_ns, callee_interval_ns;  // of the 200, until its ACK
  std::uint32_t caller, callee;                                        // users
  std::uint32_t cseq;
  std::uint32_t callee_peer;
  CallStep step;
  CalleeStep callee_step;
  std::uint8_t challenged;
  std::uint8_t answers;  // times the 200 was sent, up to 255
  bool heard, rang, acknowledged;
};

// What a caller keeps of the dialog (RFC 3261 12.1.2): its remote target, route set and the To with its tag.
struct Dialog {
  Kept<120> target;
  Kept<760> routes;       // as lines
  Kept<120> to;           // the header's value
  Kept<600> credentials;  // of an INVITE that was challenged, a line
};

// What a callee repeats in each response to the INVITE: Via, Record-Route, From, To, Call-ID, CSeq.
using Repeated = Kept<1'200>;

// Memory that is there when it is touched: a closed loop of a hundred calls stays in the cache, a hundred
// thousand that ring have their room.
template <class T>
class LazyArray {
 public:
  explicit LazyArray(std::size_t count) : octets_(count * sizeof(T)) {
    void* at =
        mmap(nullptr, octets_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) std::abort();
    items_ = static_cast<T*>(at);
  }
  ~LazyArray() { munmap(items_, octets_); }
  LazyArray(const LazyArray&) = delete;
  LazyArray& operator=(const LazyArray&) = delete;
  T& operator[](std::size_t index) noexcept { return items_[index]; }

 private:
  std::size_t octets_;
  T* items_;
};

class CallTable {
 public:
  CallTable() : calls_(kCallsMax), dialogs_(kCallsMax), repeated_(kCallsMax) {}

  std::uint32_t open_count() const noexcept { return open_; }

  // Null when kCallsMax are open. The token is new; all else is zero.
  Call* open() {
    std::uint32_t index = fresh_;
    if (!free_.empty()) {
      index = free_.back();
      free_.pop_back();
    } else if (fresh_ == kCallsMax) {
      return nullptr;
    } else {
      ++fresh_;
    }
    Call& call = calls_[index];
    call = {};
    call.token = ++generation_ << kCallIndexBits | index;
    ++open_;
    return &call;
  }
  void close(Call& call) {
    free_.push_back(index_of(call.token));
    call.step = CallStep::free;
    call.token = 0;
    --open_;
  }
  // Null when it is over.
  Call* find(std::uint64_t token) noexcept {
    Call& call = calls_[index_of(token)];
    return token != 0 && call.token == token ? &call : nullptr;
  }
  bool issued(std::uint64_t token) const noexcept {
    return token != 0 && token >> kCallIndexBits <= generation_;
  }
  Dialog& dialog(const Call& call) noexcept { return dialogs_[index_of(call.token)]; }
  Repeated& repeated(const Call& call) noexcept { return repeated_[index_of(call.token)]; }

 private:
  static std::uint32_t index_of(std::uint64_t token) noexcept {
    return static_cast<std::uint32_t>(token & (kCallsMax - 1));
  }

  LazyArray<Call> calls_;
  LazyArray<Dialog> dialogs_;
  LazyArray<Repeated> repeated_;
  std::vector<std::uint32_t> free_;
  std::uint64_t generation_ = 0;
  std::uint32_t fresh_ = 0, open_ = 0;
};

}  // namespace ringweir::load
