// What is signed: pieces one after the other, each with its length, so that no octet can move from one to the
// next. A long piece stands in as its own MAC. Private to src/proxy.
#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "ringweir/base/address.h"
#include "ringweir/base/check.h"
#include "ringweir/base/hash.h"

namespace ringweir::proxy {

class SignedText {
 public:
  static constexpr std::size_t kPiecesMax = 6;

  explicit SignedText(const Key128& key) noexcept : key_(key) {}
  void add(std::string_view piece) noexcept {
    check(size_ + 1 + kPieceBytesMax <= bytes_.size(), "pieces of a signed text");
    if (piece.size() <= kPieceBytesMax) [[likely]] {
      bytes_[size_++] = static_cast<char>(piece.size());
      if (!piece.empty()) std::memcpy(bytes_.data() + size_, piece.data(), piece.size());
      size_ += piece.size();
    } else {
      const Hash128 hash = siphash128(key_, piece);
      bytes_[size_++] = static_cast<char>(0x80);
      std::memcpy(bytes_.data() + size_, &hash, sizeof hash);
      size_ += sizeof hash;
    }
  }
  std::uint64_t mac() const noexcept { return siphash128(key_, {bytes_.data(), size_}).low; }

 private:
  static constexpr std::size_t kPieceBytesMax = 0x7f;
  const Key128& key_;
  std::size_t size_ = 0;
  std::array<char, kPiecesMax*(1 + kPieceBytesMax)> bytes_;
};

}  // namespace ringweir::proxy
