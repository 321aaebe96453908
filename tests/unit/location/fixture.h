// A directory on ordinary memory, and REGISTERs short enough to read in a test.
#pragma once
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "ringweir/base/check.h"
#include "ringweir/location/directory.h"
#include "ringweir/location/registrations.h"

namespace ringweir::location::testing {

struct Freed {
  void operator()(std::byte* bytes) const noexcept { std::free(bytes); }
};

class Region {
 public:
  explicit Region(std::size_t bytes) : size_((bytes + 4095) & ~std::size_t{4095}) {
    bytes_.reset(static_cast<std::byte*>(std::aligned_alloc(4096, size_)));
    std::memset(bytes_.get(), 0, size_);
  }
  std::span<std::byte> span() const { return {bytes_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<std::byte, Freed> bytes_;
};

inline constexpr Instant kStart{1'000s};

struct Contact {
  std::string uri;
  std::uint32_t expires_s = 3600;
  std::uint16_t q = 1000;
};

struct Request {
  std::string aor = "100@example.com";
  std::string call_id = "call-1";
  std::uint32_t cseq = 1;
  std::vector<Contact> contacts{};
  bool star = false;
  Instant now = kStart;
  std::uint32_t contacts_max = 10;
  Endpoint source{IpAddress::v4(192, 0, 2, 1), 5060};
  std::string user_agent = "phone/1";
};

inline Outcome apply_to(Directory& directory, Registrations& shard, const Request& request,
                        const BindingSet*& result) {
  std::vector<std::string> texts;
  std::vector<ContactUpdate> updates;
  for (const Contact& contact : request.contacts) texts.push_back("<" + contact.uri + ">");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto uri = sip::parse_uri(request.contacts[i].uri);
    check(uri.has_value(), "a test's own URI");
    updates.push_back({texts[i], *uri, request.contacts[i].q, request.contacts[i].expires_s});
  }
  return shard.apply({.aor = request.aor,
                      .aor_hash = directory.hash(request.aor),
                      .call_id = request.call_id,
                      .cseq = request.cseq,
                      .star = request.star,
                      .contacts = updates,
                      .source = request.source,
                      .socket = 3,
                      .user_agent = request.user_agent,
                      .now = request.now,
                      .contacts_max = request.contacts_max},
                     result);
}

// The directory, its shards and their readers, driven from one thread.
class World {
 public:
  explicit World(Config config, std::size_t region_bytes = 0)
      : region_(region_bytes ? region_bytes : Directory::region_bytes(config)),
        directory(std::make_unique<Directory>(config, region_.span())) {
    for (std::uint32_t i = 0; i < config.shards; ++i) {
      readers.push_back(std::make_unique<Participant>(directory->grace()));
      shards.push_back(std::make_unique<Registrations>(*directory, i, kStart));
    }
  }

  Outcome apply(std::uint32_t shard, const Request& request) {
    return apply_to(*directory, *shards[shard], request, result);
  }
  const BindingSet* find(const std::string& aor = "100@example.com") const {
    return directory->find(aor, directory->hash(aor));
  }
  // Sorted contacts alive at `now`, one string.
  std::string listed(Instant now = kStart, const std::string& aor = "100@example.com") const {
    return listed(find(aor), now);
  }
  static std::string listed(const BindingSet* set, Instant now = kStart) {
    std::vector<std::string> contacts;
    for (std::size_t i = 0; set && i < set->size(); ++i) {
      if (set->view(i).alive(now)) contacts.emplace_back(set->view(i).contact);
    }
    std::sort(contacts.begin(), contacts.end());
    std::string all;
    for (const auto& contact : contacts) all += (all.empty() ? "" : " ") + contact;
    return all;
  }
  void turn_all(int times = 1) {
    for (; times > 0; --times) {
      for (std::size_t i = 0; i < shards.size(); ++i) {
        readers[i]->quiescent();
        shards[i]->turn();
      }
    }
  }
  void expire_all(Instant now) {
    for (auto& shard : shards) {
      while (!shard->expire(now, 100)) {
      }
    }
  }
  // Blocks out of the pools but for the texts that are kept for ever.
  std::int64_t blocks() const {
    std::int64_t out = 0;
    for (const auto& shard : shards) out += shard->blocks();
    return out - static_cast<std::int64_t>(directory->user_agents());
  }

 private:
  Region region_;

 public:
  std::unique_ptr<Directory> directory;
  std::vector<std::unique_ptr<Participant>> readers;
  std::vector<std::unique_ptr<Registrations>> shards;
  const BindingSet* result = nullptr;
};

}  // namespace ringweir::location::testing
