#include "ringweir/location/user_agents.h"

#include <cstring>
#include <new>

namespace ringweir::location {

std::uint16_t UserAgents::intern(std::string_view text, std::uint64_t hash, BlockPool& pool) noexcept {
  text = text.substr(0, kTextBytesMax);
  if (text.empty()) return 0;
  Text* fresh = nullptr;
  std::uint16_t id = 0;
  for (std::size_t probe = 0; probe < kProbes && id == 0; ++probe) {
    auto& slot = texts_[(hash + probe) % kTextsMax];
    const Text* there = slot.load(std::memory_order_acquire);
    if (!there) {
      if (!fresh) {
        void* block = pool.take(sizeof(Text));
        if (!block) return 0;
        fresh = ::new (block) Text;
        fresh->size = static_cast<std::uint8_t>(text.size());
        std::memcpy(fresh->bytes, text.data(), text.size());
      }
      if (slot.compare_exchange_strong(there, fresh, std::memory_order_acq_rel, std::memory_order_acquire)) {
        size_.fetch_add(1, std::memory_order_relaxed);
        there = fresh;
        fresh = nullptr;
      }
    }
    if (std::string_view(there->bytes, there->size) == text) {
      id = static_cast<std::uint16_t>((hash + probe) % kTextsMax + 1);
    }
  }
  if (fresh) pool.give(fresh, sizeof(Text));
  return id;
}

std::string_view UserAgents::text(std::uint16_t id) const noexcept {
  if (id == 0 || id > kTextsMax) return {};
  const Text* there = texts_[id - 1u].load(std::memory_order_acquire);
  return there ? std::string_view(there->bytes, there->size) : std::string_view();
}

}  // namespace ringweir::location
