// Which hosts are ours (RFC 3261 10.3 step 1, 16.4, 16.5): configured domains, advertised names, the
// listeners' addresses. Built once by control, then read by every shard: no lock, no allocation, no change.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ringweir/base/address.h"

namespace ringweir::proxy {

class DomainSet {
 public:
  DomainSet() = default;  // nothing is ours
  // `names` (DNS names or addresses) are ours on every port. An endpoint is ours without a port, as an
  // address of record is written, and on its own: another port of the same machine is somebody else, such as
  // a phone.
  DomainSet(std::span<const std::string> names, std::span<const Endpoint> endpoints);

  // Any case, with or without the root's dot; an IPv6 address in brackets in any of its spellings. `port` 0:
  // none given. Wait-free, any thread.
  bool is_local(std::string_view host, std::uint16_t port) const noexcept;
  std::size_t size() const noexcept { return entries_.size(); }

 private:
  static constexpr std::uint32_t kNone = ~0u;
  static constexpr std::size_t kHostBytesMax = 255;  // a DNS name has no more (RFC 1035 2.3.4)
  struct Entry {
    std::uint32_t text_at, text_size;
    std::uint64_t hash;
    bool every_port;
    std::vector<std::uint16_t> ports;
  };
  void add(std::string_view host, std::uint16_t port, bool every_port);
  void rebuild();
  const Entry* find(std::string_view lower_case) const noexcept;
  std::string_view text(const Entry& e) const noexcept {
    return std::string_view(text_).substr(e.text_at, e.text_size);
  }

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> slots_;  // a power of two, at most half full; kNone: empty
  std::string text_;
};

}  // namespace ringweir::proxy
