// What transactions are kept in, against standard containers.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <new>
#include <string>
#include <vector>

#include "ringweir/transaction/key_table.h"
#include "ringweir/transaction/text_pool.h"

namespace ringweir::transaction {
namespace {

struct Region {
  explicit Region(std::size_t chunks)
      : size(chunks * TextPool::kChunkBytes),
        at(static_cast<std::byte*>(::operator new (size + 1, std::align_val_t{64}))) {}
  ~Region() { ::operator delete (at, std::align_val_t{64}); }
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;
  std::span<std::byte> span() const { return {at, size}; }
  std::size_t size;
  std::byte* at;
};

std::string any_octets() {
  const std::size_t size =
      *rc::gen::oneOf(rc::gen::inRange<std::size_t>(0, 2'200),
                      rc::gen::element<std::size_t>(248, 249, 4'088, 4'089, 16'376, 65'535),
                      rc::gen::inRange<std::size_t>(0, 65'536));
  return std::string(size, static_cast<char>(*rc::gen::inRange('a', static_cast<char>('z' + 1))));
}

struct Kept {
  Text text;
  std::string octets;
  std::uint32_t owners;
};

void one_step(TextPool& pool, std::vector<Kept>& kept) {
  const bool none = kept.empty();
  const std::size_t i = none ? 0 : *rc::gen::inRange<std::size_t>(0, kept.size());
  switch (*rc::gen::weightedElement<int>({{6, 0}, {3, 1}, {2, 2}, {2, 3}})) {
    case 0: {
      const std::string octets = any_octets();
      if (const Text text = pool.keep(octets)) kept.push_back({text, octets, 1});
      break;
    }
    case 1: {
      if (none) break;
      Text text = kept[i].text;
      pool.give(text);
      RC_ASSERT(!text);
      if (--kept[i].owners == 0) kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(i));
      break;
    }
    case 2:
      if (none) break;
      RC_ASSERT(pool.share(kept[i].text).at == kept[i].text.at);
      ++kept[i].owners;
      break;
    default: {
      if (none) break;
      const std::string octets = any_octets();
      Text text = kept[i].text;
      const bool done = pool.replace(text, octets);
      RC_ASSERT(done == static_cast<bool>(text));
      if (--kept[i].owners == 0) kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(i));
      if (done) kept.push_back({text, octets, 1});
    }
  }
}

RC_GTEST_PROP(TextPoolProperty, KeepsWhatItWasGivenUntilTheLastOwnerGoes, ()) {
  const Region region(*rc::gen::inRange<std::size_t>(1, 5));
  TextPool pool(region.span());
  std::vector<Kept> kept;
  const auto steps = *rc::gen::inRange(1, 120);
  for (int i = 0; i < steps; ++i) {
    one_step(pool, kept);
    std::size_t octets = 0;
    for (const Kept& one : kept) {
      RC_ASSERT(pool.view(one.text) == one.octets);
      octets += one.octets.size();
    }
    RC_ASSERT(pool.counters().texts.read() == kept.size());
    RC_ASSERT(pool.counters().bytes.read() >= octets);
    RC_ASSERT(pool.counters().chunks.read() * TextPool::kChunkBytes <= pool.capacity_bytes());
  }
  for (Kept& one : kept) {
    while (one.owners-- > 0) {
      Text text = one.text;
      pool.give(text);
    }
  }
  RC_ASSERT(pool.counters().texts.read() == 0u);
  RC_ASSERT(pool.counters().bytes.read() == 0u);
  RC_ASSERT(pool.counters().chunks.read() == 0u);
}

struct Entry {
  std::uint64_t key = 0;
  Entry* next_in_bucket = nullptr;
};

RC_GTEST_PROP(KeyTableProperty, FindsWhatAMapFinds, ()) {
  KeyTable<Entry> table(*rc::gen::element(1u, 8u, 64u));
  std::vector<Entry> entries(64);
  std::map<std::uint64_t, Entry*> naive;
  const auto steps = *rc::gen::inRange(1, 200);
  for (int i = 0; i < steps; ++i) {
    Entry& entry = entries[*rc::gen::inRange<std::size_t>(0, entries.size())];
    const auto held = naive.find(entry.key);
    if (entry.key != 0 && held != naive.end() && held->second == &entry) {
      table.erase(entry);
      naive.erase(held);
      entry.key = 0;
    } else {
      const std::uint64_t key = *rc::gen::inRange<std::uint64_t>(1, 100) << *rc::gen::element(0, 16, 40);
      if (naive.contains(key)) continue;
      entry.key = key;
      table.insert(entry);
      naive[key] = &entry;
    }
    RC_ASSERT(table.size() == naive.size());
    for (std::uint64_t k = 1; k < 100; ++k) {
      for (const int shift : {0, 16, 40}) {
        const auto at = naive.find(k << shift);
        RC_ASSERT(table.find(k << shift) == (at == naive.end() ? nullptr : at->second));
      }
    }
  }
}

}  // namespace
}  // namespace ringweir::transaction
