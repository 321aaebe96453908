#include "ringweir/transaction/text_pool.h"

#include <cstring>

#include "ringweir/base/check.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size) static_cast<void>(0)
#define ASAN_UNPOISON_MEMORY_REGION(at, size) static_cast<void>(0)
#endif

namespace ringweir::transaction {
namespace {

// Octets of a block, its header included. Steps of at most a third where SIP messages are (300 to 2,000
// octets).
constexpr std::array<std::uint32_t, 14> kBlockBytes{256,   384,   512,   640,   768,   1'024,  1'280,
                                                    1'536, 2'048, 3'072, 4'096, 8'192, 16'384, 65'600};
static_assert(kBlockBytes.back() >= TextPool::kBytesMax + 8 && kBlockBytes.back() <= TextPool::kChunkBytes);

constexpr std::size_t kSteps = 4'096 / 128;
constexpr std::array<std::uint8_t, kSteps + 1> kClassOfSteps = [] {
  std::array<std::uint8_t, kSteps + 1> table{};
  for (std::size_t steps = 0, size_class = 0; steps <= kSteps; ++steps) {
    while (kBlockBytes[size_class] < steps * 128) ++size_class;
    table[steps] = static_cast<std::uint8_t>(size_class);
  }
  return table;
}();

constexpr std::size_t class_of(std::size_t block_bytes) noexcept {
  const std::size_t steps = (block_bytes + 127) / 128;
  if (steps <= kSteps) return kClassOfSteps[steps];
  return block_bytes <= 8'192 ? 11 : block_bytes <= 16'384 ? 12 : 13;
}
static_assert(class_of(256) == 0 && class_of(257) == 1 && class_of(4'096) == 10 && class_of(4'097) == 11);

constexpr std::uint32_t blocks_in_chunk(std::size_t size_class) noexcept {
  return static_cast<std::uint32_t>(TextPool::kChunkBytes / kBlockBytes[size_class]);
}

}  // namespace

TextPool::TextPool(std::span<std::byte> region)
    : region_(region.data()),
      chunks_max_(region.size() / kChunkBytes),
      chunks_(std::make_unique<Chunk[]>(chunks_max_)) {
  static_assert(kBlockBytes.size() == kClasses);
  check(reinterpret_cast<std::uintptr_t>(region_) % kGrain == 0, "a region on a line's boundary");
  check(chunks_max_ <= limits::kTransactionTextBytesMax / kChunkBytes, "a region within the limits");
}

TextPool::~TextPool() {
  ASAN_UNPOISON_MEMORY_REGION(region_, chunks_begun_ * kChunkBytes);
}

TextPool::Header& TextPool::header(const Text& text) const noexcept {
  return *reinterpret_cast<Header*>(block_at(text));
}

void TextPool::link(std::uint32_t& list, std::uint32_t index) noexcept {
  chunks_[index].previous = 0;
  chunks_[index].next = list;
  if (list != 0) chunks_[list - 1].previous = index + 1;
  list = index + 1;
}

void TextPool::unlink(std::uint32_t& list, std::uint32_t index) noexcept {
  const Chunk& chunk = chunks_[index];
  (chunk.previous != 0 ? chunks_[chunk.previous - 1].next : list) = chunk.next;
  if (chunk.next != 0) chunks_[chunk.next - 1].previous = chunk.previous;
}

// Index plus one; 0 when the region is used up. A chunk that was used before goes first: its pages are
// resident.
std::uint32_t TextPool::chunk_with_room(std::size_t size_class) noexcept {
  std::uint32_t& list = with_room_[size_class];
  if (list != 0) return list;
  std::uint32_t index;
  if (free_chunks_ != 0) {
    index = free_chunks_ - 1;
    unlink(free_chunks_, index);
  } else if (chunks_begun_ < chunks_max_) {
    index = chunks_begun_++;
  } else {
    return 0;
  }
  chunks_[index] = Chunk{};
  chunks_[index].size_class = static_cast<std::uint8_t>(size_class);
  link(list, index);
  counters_.chunks.add();
  return list;
}

Text TextPool::take(std::size_t size) noexcept {
  check(size <= kBytesMax, "a text longer than the limits allow");
  const std::size_t size_class = class_of(size + sizeof(Header));
  const std::uint32_t found = chunk_with_room(size_class);
  if (found == 0) {
    counters_.exhausted.add();
    return {};
  }
  Chunk& chunk = chunks_[found - 1];
  const std::uint32_t block = chunk.free != 0 ? chunk.free - 1 : chunk.carved++;
  const std::size_t grain =
      ((found - 1) * kChunkBytes + std::size_t{block} * kBlockBytes[size_class]) / kGrain;
  const Text text{static_cast<std::uint32_t>(grain + 1), static_cast<std::uint32_t>(size)};
  ASAN_UNPOISON_MEMORY_REGION(block_at(text), kBlockBytes[size_class]);
  if (chunk.free != 0) chunk.free = header(text).next_free;
  ::new (static_cast<void*>(block_at(text))) Header{1, 0};
  if (++chunk.taken == blocks_in_chunk(size_class)) unlink(with_room_[size_class], found - 1);
  counters_.texts.add();
  counters_.bytes.add(kBlockBytes[size_class]);
  return text;
}

Text TextPool::keep(std::string_view octets) noexcept {
  const Text text = take(octets.size());
  if (text) std::memcpy(block_at(text) + sizeof(Header), octets.data(), octets.size());
  return text;
}

bool TextPool::replace(Text& text, std::string_view octets) noexcept {
  if (text && header(text).owners == 1) {
    const std::size_t size_class = chunks_[chunk_of(text)].size_class;
    if (class_of(octets.size() + sizeof(Header)) == size_class) {
      text.size = static_cast<std::uint32_t>(octets.size());
      std::memmove(block_at(text) + sizeof(Header), octets.data(), octets.size());
      return true;
    }
  }
  const Text kept = keep(octets);  // first: `octets` may be a part of `text`
  give(text);
  text = kept;
  return static_cast<bool>(kept);
}

Text TextPool::share(const Text& text) noexcept {
  if (text) ++header(text).owners;
  return text;
}

void TextPool::give(Text& text) noexcept {
  if (!text) return;
  Header& head = header(text);
  check(head.owners != 0, "a text that is kept");
  if (--head.owners == 0) {
    const auto index = static_cast<std::uint32_t>(chunk_of(text));
    Chunk& chunk = chunks_[index];
    const std::uint32_t block_bytes = kBlockBytes[chunk.size_class];
    const std::size_t offset = std::size_t{text.at - 1} * kGrain - index * kChunkBytes;
    head.next_free = chunk.free;
    chunk.free = static_cast<std::uint32_t>(offset / block_bytes) + 1;
    ASAN_POISON_MEMORY_REGION(block_at(text) + sizeof(Header), block_bytes - sizeof(Header));
    std::uint32_t& list = with_room_[chunk.size_class];
    if (chunk.taken-- == blocks_in_chunk(chunk.size_class)) link(list, index);
    if (chunk.taken == 0) {
      unlink(list, index);
      link(free_chunks_, index);
      counters_.chunks.set(counters_.chunks.read() - 1);
    }
    counters_.texts.set(counters_.texts.read() - 1);
    counters_.bytes.set(counters_.bytes.read() - block_bytes);
  }
  text = {};
}

std::span<char> TextPool::room(const Text& text) noexcept {
  if (!text) return {};
  check(header(text).owners == 1, "an only owner writes");
  return {reinterpret_cast<char*>(block_at(text) + sizeof(Header)), text.size};
}

std::string_view TextPool::view(const Text& text) const noexcept {
  if (!text) return {};
  return {reinterpret_cast<const char*>(block_at(text) + sizeof(Header)), text.size};
}

}  // namespace ringweir::transaction
