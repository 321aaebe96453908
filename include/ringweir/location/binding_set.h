// What a reader sees of an address of record: an immutable set of pointers to bindings. The bindings' leases
// move (their owner shard refreshes them in place), everything else about them is fixed.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ringweir/base/address.h"
#include "ringweir/base/prefetch.h"
#include "ringweir/base/time.h"

namespace ringweir::location {

struct Binding;

// One binding as it was when it was looked at. The texts live until the reading thread's next quiescent().
struct BindingView {
  std::string_view contact;  // as the phone sent it, without expires
  std::string_view call_id;
  std::uint32_t cseq;
  std::uint16_t q_thousandths;
  std::uint16_t user_agent;  // Directory::user_agent() has its text; of the request that made the binding
  std::uint16_t socket;      // that the REGISTER came in by
  std::uint16_t owner;       // shard
  Endpoint source;
  Instant expires_at;
  Instant registered_at;

  bool alive(Instant now) const noexcept { return expires_at > now; }
  // Rounded up, so that a phone told 3600 is told 3600 again at once; 0 when it has expired.
  std::uint32_t remaining_s(Instant now) const noexcept {
    return alive(now) ? static_cast<std::uint32_t>((expires_at - now + 1s - 1ns) / 1s) : 0;
  }
};

// A set may hold members whose lease has run out and whose owner has not removed them yet: readers ask
// alive(now).
class BindingSet {
 public:
  BindingSet(const BindingSet&) = delete;
  BindingSet& operator=(const BindingSet&) = delete;
  std::size_t size() const noexcept { return count_; }
  BindingView view(std::size_t i) const noexcept;
  std::string_view aor() const noexcept { return {text(), aor_size_}; }
  std::uint64_t hash() const noexcept { return hash_; }
  std::size_t alive(Instant now) const noexcept;

 private:
  friend class AorTable;
  friend class Limbo;
  friend class Directory;
  friend class Registrations;
  friend class Plan;
  BindingSet(std::uint64_t hash, std::string_view aor, std::size_t count) noexcept;  // members follow
  BindingSet(const BindingSet& original, const BindingSet* retired) noexcept;

  static constexpr std::size_t bytes(std::size_t aor_size, std::size_t count) noexcept {
    return members_at(aor_size) + count * sizeof(Binding*);
  }
  static constexpr std::size_t members_at(std::size_t aor_size) noexcept {
    return (kHeader + aor_size + 7) & ~std::size_t{7};
  }
  std::size_t bytes() const noexcept { return bytes(aor_size_, count_); }
  const char* text() const noexcept { return reinterpret_cast<const char*>(this) + kHeader; }
  Binding** members() noexcept {
    return reinterpret_cast<Binding**>(reinterpret_cast<std::byte*>(this) + members_at(aor_size_));
  }
  Binding* const* members() const noexcept { return const_cast<BindingSet*>(this)->members(); }
  bool contains(const Binding* binding) const noexcept;
  void prefetch() const noexcept {
    prefetch_to_read(this);
    prefetch_to_read(reinterpret_cast<const char*>(this) + 64);
  }
  // The first member: most users have one phone.
  void prefetch_member() const noexcept {
    if (count_ == 0) return;
    const char* const binding = reinterpret_cast<const char*>(members()[0]);
    for (int line = 0; line < 3; ++line) prefetch_to_write(binding + 64 * line);
  }

  static constexpr std::size_t kHeader =
      26;                                // the AOR's text begins in the padding: one cache line for 30 octets
  const BindingSet* next_ = nullptr;     // in the bucket; fixed once published
  const BindingSet* retired_ = nullptr;  // in the limbo, where readers may still follow next_
  std::uint64_t hash_;
  std::uint8_t count_;
  std::uint8_t aor_size_;
};

}  // namespace ringweir::location
