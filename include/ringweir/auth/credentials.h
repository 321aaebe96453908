// The users as an immutable snapshot: built once (start, reload), then read by every shard without a lock or
// a write. What is kept of a password is its HA1 for each configured algorithm (RFC 7616 3.4.2), so that a
// request costs no hash of it.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ringweir/auth/algorithm.h"
#include "ringweir/base/hash.h"
#include "ringweir/base/prefetch.h"

namespace ringweir::auth {

struct CsvField;

inline constexpr std::size_t kUsernameBytesMax = 255;

// One bit a HashKind.
using HashKindSet = std::uint8_t;
constexpr HashKindSet bit(HashKind kind) noexcept {
  return static_cast<HashKindSet>(1u << static_cast<unsigned>(kind));
}

struct User {
  std::string_view username;  // into the snapshot
  HashKindSet known;          // for which hashes there is an HA1
  std::uint32_t line;         // of the CSV text it came from; 0: none
};

// Where users stand: records in one arena, found through one open-addressing table. PERF: 16 octets and the
// name a record with one MD5 HA1, 6 octets of head, 8 a table slot of which two thirds are used: about 45
// octets a user.
class UserTable {
 public:
  UserTable(HashKindSet kinds, const Key128& key);
  UserTable(UserTable&&) noexcept = default;
  UserTable& operator=(UserTable&&) noexcept = default;

  static constexpr std::uint32_t kNone = ~0u;  // no such record
  std::uint32_t find(std::string_view username) const noexcept { return find(username, hash(username)); }
  // The same in three steps, for who has other work to do while memory answers: hash, prefetch the slot, prefetch the record.
  std::uint64_t hash(std::string_view username) const noexcept { return hash_(username); }
  void prefetch_slot(std::uint64_t hash) const noexcept {
    prefetch_to_read(&slots_[reduce(hash, static_cast<std::uint32_t>(slots_.size()))]);
  }
  void prefetch_record(std::uint64_t hash) const noexcept {
    // The first with the tag, so that what stands between, a third of the time, is not fetched instead.
    const auto tag = static_cast<std::uint32_t>(hash);
    std::size_t at = reduce(hash, static_cast<std::uint32_t>(slots_.size()));
    while (slots_[at].record != kNone && slots_[at].tag != tag) at = at + 1 == slots_.size() ? 0 : at + 1;
    if (slots_[at].record == kNone) return;
    const char* const record = arena_.data() + slots_[at].record;
    prefetch_to_read(record);
    prefetch_to_read(record + 63);
  }
  std::uint32_t find(std::string_view username, std::uint64_t hash) const noexcept;
  // The record of `username`, made when there is none; kNone when the arena is full (4 GiB).
  std::uint32_t find_or_add(std::string_view username, std::uint32_t line);
  bool knows(std::uint32_t record, HashKind kind) const noexcept;
  void put(std::uint32_t record, HashKind kind, const Digest& ha1) noexcept;
  Digest get(std::uint32_t record, HashKind kind) const noexcept;
  User user(std::uint32_t record) const noexcept;
  std::uint32_t after(std::uint32_t record) const noexcept;  // of the next record, or arena_size()

  void reserve(std::size_t users, std::size_t name_bytes);
  void shrink();
  std::size_t size() const noexcept { return users_; }
  std::size_t arena_size() const noexcept { return arena_.size(); }
  std::size_t memory_bytes() const noexcept;
  std::array<std::span<const std::byte>, 2> memory() const noexcept {
    return {std::as_bytes(std::span(slots_)), std::as_bytes(std::span(arena_))};
  }
  HashKindSet kinds() const noexcept { return kinds_; }

 private:
  struct Slot {
    std::uint32_t tag = 0;         // of the hash: spares nearly every look at a wrong record
    std::uint32_t record = kNone;  // into the arena
  };
  static_assert(sizeof(Slot) == 8);
  Slot* probe(std::string_view username, std::uint64_t hash) const noexcept;
  void resize(std::size_t slots);

  HashKindSet kinds_;
  std::uint32_t digests_bytes_ = 0;
  std::uint32_t digest_at_[kHashKinds]{};  // from the record's digests
  KeyedHash hash_;
  std::vector<char> arena_;
  std::vector<Slot> slots_;
  std::size_t users_ = 0;
};

class Credentials {
 public:
  explicit Credentials(UserTable table) noexcept : table_(std::move(table)) {}

  // Wait-free; any thread. nullopt: no such user, or known only by the HA1 of another hash.
  std::optional<Digest> ha1(std::string_view username, HashKind kind) const noexcept {
    return ha1(username, table_.hash(username), kind);
  }
  // PERF: among 100,000 users the slot and the record are two cache misses; see UserTable.
  std::uint64_t hash(std::string_view username) const noexcept { return table_.hash(username); }
  void prefetch_slot(std::uint64_t hash) const noexcept { table_.prefetch_slot(hash); }
  void prefetch_record(std::uint64_t hash) const noexcept { table_.prefetch_record(hash); }
  std::optional<Digest> ha1(std::string_view username, std::uint64_t hash, HashKind kind) const noexcept;
  std::size_t size() const noexcept { return table_.size(); }
  std::size_t memory_bytes() const noexcept { return table_.memory_bytes(); }
  std::array<std::span<const std::byte>, 2> memory() const noexcept { return table_.memory(); }

  // In the order in which they were added.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (std::uint32_t at = 0; at < table_.arena_size(); at = table_.after(at)) visit(table_.user(at));
  }

 private:
  UserTable table_;
};

struct CredentialsError {
  std::uint32_t line, column;  // from 1, in octets; 0, 0 for a user that came from no text
  std::string message;         // never contains what may be a secret
};

// Cold: allocates, may throw bad_alloc.
class CredentialsBuilder {
 public:
  // HA1s are made for `realm` and the hashes of `algorithms`; `key` only places users in the table.
  CredentialsBuilder(std::string realm, std::span<const Algorithm> algorithms, const Key128& key);

  // A user may be added by password, or by one HA1 an algorithm. What is wrong is returned, nothing is then
  // added.
  std::optional<std::string> add_password(std::string_view username, std::string_view password,
                                          std::uint32_t line = 0);
  // An HA1 for an algorithm that is not configured makes the user known, but not able to answer.
  std::optional<std::string> add_ha1(std::string_view username, Algorithm algorithm, std::string_view hex,
                                     std::uint32_t line = 0);
  // CSV text (RFC 4180, one record a line): `username,password` or `username,algorithm,ha1`, an optional
  // header line with just these names, empty lines, comments from '#' in the first column. Fields are
  // trimmed; a quoted one is kept as it is. Every wrong line is reported, every right one added.
  std::vector<CredentialsError> add_csv(std::string_view text);

  std::size_t size() const noexcept { return table_.size(); }
  std::shared_ptr<const Credentials> build() &&;

 private:
  struct Refused {
    std::size_t field;  // which of the record's, from 0
    std::string message;
  };
  std::optional<Refused> take_password(std::string_view username, std::string_view password,
                                       std::uint32_t line);
  std::optional<Refused> take_ha1(std::string_view username, Algorithm algorithm, std::string_view hex,
                                  std::uint32_t line);
  std::optional<Refused> take_record(std::span<const CsvField> fields, std::uint32_t line);

  std::string realm_;
  UserTable table_;
};

}  // namespace ringweir::auth
