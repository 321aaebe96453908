#include "ringweir/proxy/domain_set.h"

#include <algorithm>
#include <array>

namespace ringweir::proxy {
namespace {

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

// FNV-1a. The names are the operator's: nobody else can make them collide, so no key is needed.
std::uint64_t hash_of(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  return hash ^ hash >> 32;
}

}  // namespace

DomainSet::DomainSet(std::span<const std::string> names, std::span<const Endpoint> endpoints) {
  std::array<char, kEndpointTextMax> host;
  for (const std::string& name : names) {
    if (const auto ip = parse_ip(name)) {
      add({host.data(), format_host(*ip, host.data())}, 0, true);
      continue;
    }
    std::string canonical = name;
    std::ranges::transform(canonical, canonical.begin(), lower);
    if (canonical.ends_with('.')) canonical.pop_back();
    if (!canonical.empty()) add(canonical, 0, true);
  }
  for (const Endpoint& endpoint : endpoints) {
    add({host.data(), format_host(endpoint.ip, host.data())}, endpoint.port, false);
  }
  rebuild();
}

void DomainSet::add(std::string_view host, std::uint16_t port, bool every_port) {
  auto entry = std::ranges::find_if(entries_, [&](const Entry& e) { return text(e) == host; });
  if (entry == entries_.end()) {
    entries_.push_back({static_cast<std::uint32_t>(text_.size()),
                        static_cast<std::uint32_t>(host.size()),
                        hash_of(host),
                        every_port,
                        {}});
    text_ += host;
    entry = entries_.end() - 1;
  }
  entry->every_port |= every_port;
  if (!every_port) entry->ports.push_back(port);
}

void DomainSet::rebuild() {
  std::size_t size = 4;
  while (size < 2 * entries_.size()) size *= 2;
  slots_.assign(size, kNone);
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    std::size_t at = entries_[i].hash & (size - 1);
    while (slots_[at] != kNone) at = (at + 1) & (size - 1);
    slots_[at] = i;
  }
}

const DomainSet::Entry* DomainSet::find(std::string_view lower_case) const noexcept {
  const std::uint64_t hash = hash_of(lower_case);
  for (std::size_t at = hash & (slots_.size() - 1); slots_[at] != kNone;
       at = (at + 1) & (slots_.size() - 1)) {
    const Entry& entry = entries_[slots_[at]];
    if (entry.hash == hash && text(entry) == lower_case) return &entry;
  }
  return nullptr;
}

bool DomainSet::is_local(std::string_view host, std::uint16_t port) const noexcept {
  if (host.ends_with('.')) host.remove_suffix(1);
  if (entries_.empty() || host.empty() || host.size() > kHostBytesMax) return false;
  // PERF: most edges have one domain, written in lower case; hashing would cost ten times the comparison.
  if (const Entry& first = entries_.front(); first.every_port && text(first) == host) return true;
  std::array<char, kHostBytesMax> folded;
  for (std::size_t i = 0; i < host.size(); ++i) folded[i] = lower(host[i]);
  const Entry* entry = find({folded.data(), host.size()});
  // A dotted quad has one spelling, an IPv6 address has many (RFC 5952): those not written as we do are read.
  if (!entry && host.front() == '[') {
    const auto ip = parse_ip(host);
    if (!ip) return false;
    entry = find({folded.data(), format_host(*ip, folded.data())});
  }
  if (!entry) return false;
  return entry->every_port || port == 0 || std::ranges::find(entry->ports, port) != entry->ports.end();
}

}  // namespace ringweir::proxy
