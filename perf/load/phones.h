// The users the load plays: what each phone remembers between its registrations.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "digest.h"
#include "message.h"
#include "options.h"

namespace ringweir::load {

struct Phone {
  std::uint32_t cseq = kCSeqFirst;
  std::uint32_t nc = 0;
  bool busy = false;  // a REGISTER is in flight; no second one until it ends (RFC 3261 10.2)
  bool has_ha1 = false;
  std::uint8_t nonce_bytes = 0;  // 0: never challenged
  Hex32 ha1{};
  char nonce[kNonceBytesMax];

  std::string_view nonce_text() const noexcept { return {nonce, nonce_bytes}; }
};

class Phones {
 public:
  explicit Phones(const Options& options);

  Phone& at(std::uint32_t index) noexcept { return phones_[index]; }
  std::uint64_t name(std::uint32_t index) const noexcept { return base_ + index; }

  // Visits every phone once before any twice, in an order that the seed makes.
  std::uint32_t next() noexcept {
    position_ = static_cast<std::uint32_t>((position_ + std::uint64_t{stride_}) % phones_.size());
    return position_;
  }
  // The next one that is not busy; false when all of 64 tries are.
  bool next_idle(std::uint32_t& index) noexcept;

  // Takes a challenge's nonce: the count begins anew (RFC 7616 3.4).
  void take_nonce(Phone& phone, std::string_view nonce) noexcept;
  // H(A1), made at the first use for this realm.
  const Hex32& ha1_of(std::uint32_t index, const std::string& realm);

 private:
  std::vector<Phone> phones_;
  std::uint64_t base_;
  std::optional<std::string> password_;
  std::string realm_;
  std::uint32_t position_ = 0, stride_ = 1;
};

}  // namespace ringweir::load
