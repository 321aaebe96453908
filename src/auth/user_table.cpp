#include <algorithm>
#include <cstring>

#include "ringweir/auth/credentials.h"
#include "ringweir/base/check.h"

namespace ringweir::auth {
namespace {

// A record: line 4, name's size 1, known 1, the digests of the configured hashes, the name.
constexpr std::uint32_t kLineAt = 0, kNameSizeAt = 4, kKnownAt = 5, kDigestsAt = 6;
constexpr std::size_t kSlotsMin = 16;

std::size_t slots_for(std::size_t users) noexcept {
  return std::max(kSlotsMin, users + users / 2 + 1);
}

}  // namespace

UserTable::UserTable(HashKindSet kinds, const Key128& key) : kinds_(kinds), hash_(key) {
  for (std::size_t i = 0; i < kHashKinds; ++i) {
    const auto kind = static_cast<HashKind>(i);
    digest_at_[i] = digests_bytes_;
    if (kinds & bit(kind)) digests_bytes_ += static_cast<std::uint32_t>(digest_size(kind));
  }
  slots_.resize(kSlotsMin);
}

UserTable::Slot* UserTable::probe(std::string_view username, std::uint64_t hash) const noexcept {
  const auto tag = static_cast<std::uint32_t>(hash);
  auto* slots = const_cast<Slot*>(slots_.data());
  // The high bits place, the low bits tag: they do not repeat each other.
  for (std::size_t at = reduce(hash, static_cast<std::uint32_t>(slots_.size()));;
       at = at + 1 == slots_.size() ? 0 : at + 1) {
    Slot& slot = slots[at];
    if (slot.record == kNone) return &slot;
    if (slot.tag != tag) continue;
    const char* record = arena_.data() + slot.record;
    if (static_cast<std::uint8_t>(record[kNameSizeAt]) == username.size() &&
        std::memcmp(record + kDigestsAt + digests_bytes_, username.data(), username.size()) == 0) {
      return &slot;
    }
  }
}

std::uint32_t UserTable::find(std::string_view username, std::uint64_t hash) const noexcept {
  return probe(username, hash)->record;
}

std::uint32_t UserTable::find_or_add(std::string_view username, std::uint32_t line) {
  check(username.size() <= kUsernameBytesMax, "size of a user name");
  if ((users_ + 1) * 4 > slots_.size() * 3) resize(slots_.size() * 2);
  const std::uint64_t hash = hash_(username);
  Slot* slot = probe(username, hash);
  if (slot->record != kNone) return slot->record;
  const std::size_t at = arena_.size(), size = kDigestsAt + digests_bytes_ + username.size();
  if (at + size >= kNone) return kNone;
  arena_.resize(at + size);
  char* record = arena_.data() + at;
  std::memcpy(record + kLineAt, &line, sizeof line);
  record[kNameSizeAt] = static_cast<char>(username.size());
  std::memcpy(record + kDigestsAt + digests_bytes_, username.data(), username.size());
  *slot = {static_cast<std::uint32_t>(hash), static_cast<std::uint32_t>(at)};
  ++users_;
  return static_cast<std::uint32_t>(at);
}

bool UserTable::knows(std::uint32_t record, HashKind kind) const noexcept {
  return (static_cast<HashKindSet>(arena_[record + kKnownAt]) & bit(kind)) != 0;
}

void UserTable::put(std::uint32_t record, HashKind kind, const Digest& ha1) noexcept {
  arena_[record + kKnownAt] = static_cast<char>(arena_[record + kKnownAt] | bit(kind));
  if (!(kinds_ & bit(kind))) return;  // known, but of no use under this configuration
  std::memcpy(&arena_[record + kDigestsAt + digest_at_[static_cast<std::size_t>(kind)]], ha1.octets.data(),
              ha1.size);
}

Digest UserTable::get(std::uint32_t record, HashKind kind) const noexcept {
  Digest digest;
  digest.size = static_cast<std::uint8_t>(digest_size(kind));
  std::memcpy(digest.octets.data(), &arena_[record + kDigestsAt + digest_at_[static_cast<std::size_t>(kind)]],
              digest.size);
  return digest;
}

User UserTable::user(std::uint32_t record) const noexcept {
  const char* at = arena_.data() + record;
  User user{{at + kDigestsAt + digests_bytes_, static_cast<std::uint8_t>(at[kNameSizeAt])},
            static_cast<HashKindSet>(at[kKnownAt]),
            0};
  std::memcpy(&user.line, at + kLineAt, sizeof user.line);
  return user;
}

std::uint32_t UserTable::after(std::uint32_t record) const noexcept {
  return record + kDigestsAt + digests_bytes_ + static_cast<std::uint8_t>(arena_[record + kNameSizeAt]);
}

void UserTable::reserve(std::size_t users, std::size_t name_bytes) {
  arena_.reserve(arena_.size() + users * (kDigestsAt + digests_bytes_) + name_bytes);
  if (slots_for(users_ + users) > slots_.size()) resize(slots_for(users_ + users));
}

void UserTable::shrink() {
  if (slots_for(users_) < slots_.size()) resize(slots_for(users_));
  arena_.shrink_to_fit();
}

void UserTable::resize(std::size_t slots) {
  check(slots < kNone, "slots of a user table");
  slots_ = std::vector<Slot>(slots);
  for (std::uint32_t at = 0; at < arena_.size(); at = after(at)) {
    const std::string_view username = user(at).username;
    const std::uint64_t hash = hash_(username);
    *probe(username, hash) = {static_cast<std::uint32_t>(hash), at};
  }
}

std::size_t UserTable::memory_bytes() const noexcept {
  return arena_.capacity() + slots_.capacity() * sizeof(Slot) + sizeof(UserTable);
}

std::optional<Digest> Credentials::ha1(std::string_view username, std::uint64_t hash, HashKind kind) const noexcept {
  const std::uint32_t record = table_.find(username, hash);
  if (record == UserTable::kNone || !(table_.kinds() & bit(kind)) || !table_.knows(record, kind))
    return std::nullopt;
  return table_.get(record, kind);
}

}  // namespace ringweir::auth
