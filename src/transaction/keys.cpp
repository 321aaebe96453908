#include "ringweir/transaction/keys.h"

#include <algorithm>
#include <array>
#include <bit>

namespace ringweir::transaction {
namespace {

// Fields are hashed one by one and their hashes together: no two lists of fields have the same octets.
template <std::size_t N>
std::uint64_t combine(const std::array<std::uint64_t, N>& fields, const KeyedHash& hash) noexcept {
  return hash({reinterpret_cast<const char*>(fields.data()), sizeof fields});
}

std::uint64_t method_field(sip::Method method, std::string_view text, const KeyedHash& hash) noexcept {
  return method == sip::Method::unknown ? hash(text) : static_cast<std::uint64_t>(method);
}

// A host is as long as a header line at most, a few octets in practice.
std::uint64_t host_field(std::string_view host, const KeyedHash& hash) noexcept {
  std::array<char, 64> lower;
  std::uint64_t sum = host.size();
  do {
    const std::size_t size = std::min(host.size(), lower.size());
    std::transform(host.begin(), host.begin() + static_cast<std::ptrdiff_t>(size), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    sum = std::rotl(sum, 23) * 0x9e3779b97f4a7c15ull ^ hash({lower.data(), size});
    host.remove_prefix(size);
  } while (!host.empty());
  return sum;
}

// RFC 3261 20.42: 5060 goes without saying, 5061 over TLS.
std::uint64_t port_field(const sip::Via& via) noexcept {
  if (via.port != 0) return via.port;
  return via.transport.size() >= 3 && (via.transport[1] | 0x20) == 'l' ? 5061 : 5060;
}

enum class Rules : std::uint64_t { rfc3261 = 1, rfc2543 = 2, client = 3 };
constexpr std::uint64_t first_field(Rules rules) noexcept {
  return static_cast<std::uint64_t>(rules);
}

}  // namespace

bool is_old_style(const sip::Via& top) noexcept {
  return !top.has_magic_cookie() || top.branch.size() == 7;
}

// Branches and tags are compared octet by octet: who repeats a request repeats them so, and folding their
// case would match what a peer that counts in base 64 meant to be two.
std::uint64_t server_key(const sip::Message& request, const sip::Essentials& read, sip::Method as,
                         const KeyedHash& hash) noexcept {
  const std::uint64_t method = method_field(as, request.method_text(), hash);
  if (!is_old_style(read.via)) {
    return combine(std::array{first_field(Rules::rfc3261), hash(read.via.branch),
                              host_field(read.via.host, hash), port_field(read.via), method},
                   hash);
  }
  const bool to_tag_too = as != sip::Method::invite;
  return combine(std::array{first_field(Rules::rfc2543), hash(request.request_uri()),
                            hash(tag(read.from).value_or("")), hash(request.value(sip::HeaderId::call_id)),
                            std::uint64_t{read.cseq.number}, hash(read.via.text), method,
                            to_tag_too ? std::uint64_t{to_tag_hash(read.to, hash)} : std::uint64_t{0}},
                 hash);
}

std::uint32_t to_tag_hash(const sip::NameAddr& to, const KeyedHash& hash) noexcept {
  const auto text = tag(to);
  return text ? tag_hash(*text, hash) : 0;
}

std::uint32_t tag_hash(std::string_view tag, const KeyedHash& hash) noexcept {
  const auto bits = static_cast<std::uint32_t>(hash(tag) >> 32);
  return bits != 0 ? bits : 1;
}

std::uint64_t client_key(std::string_view branch, sip::Method method, std::string_view method_text,
                         const KeyedHash& hash) noexcept {
  return combine(
      std::array{first_field(Rules::client), hash(branch), method_field(method, method_text, hash)}, hash);
}

}  // namespace ringweir::transaction
