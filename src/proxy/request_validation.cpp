#include "ringweir/proxy/request_validation.h"

#include <algorithm>

#include "ringweir/proxy/via_branch.h"
#include "ringweir/sip/token_list.h"

namespace ringweir::proxy {
namespace {

bool is_loop(const sip::Via& via, const DomainSet& ours, std::uint32_t loop) noexcept {
  const auto then = loop_hash_in(via.branch);
  return then && *then == loop && ours.is_local(via.host, via.port);
}

// A Via of ours whose request was routed by just what this one has is a loop. One with another hash is a
// spiral: the request has changed since and may go round again (RFC 5393 4.2.2).
bool has_been_here(const sip::Message& request, const sip::Essentials& read, const DomainSet& ours,
                   std::uint32_t loop) noexcept {
  if (is_loop(read.via, ours, loop)) return true;
  std::string_view rest = request.value(sip::HeaderId::via);
  const sip::HeaderField* field = request.first(sip::HeaderId::via);
  if (read.via.text.size() == rest.size() && request.next(*field) == nullptr)
    return false;  // the usual one Via
  for (; field != nullptr; field = request.next(*field)) {
    rest = request.value(*field);
    while (!rest.empty()) {
      const auto via = sip::parse_via(rest, rest);
      if (!via) break;  // read.via would not be there
      if (is_loop(*via, ours, loop)) return true;
    }
  }
  return false;
}

bool asks_of_proxies(const sip::Message& request) noexcept {
  for (const auto* field = request.first(sip::HeaderId::proxy_require); field; field = request.next(*field)) {
    std::string_view list = request.value(*field);
    if (!sip::next_token(list).empty()) return true;
  }
  return false;
}

}  // namespace

RequestCheck check_request(const sip::Message& request, const sip::Essentials& read, const sip::Uri& uri,
                           const DomainSet& ours, const KeyedHash& hash, std::uint32_t max_breadth) noexcept {
  RequestCheck out;
  out.max_breadth = max_breadth;
  const auto refuse = [&](std::uint16_t status, sip::Fault fault = sip::Fault::none) {
    out.status = status;
    out.fault = fault;
    return out;
  };
  // 16.3 step 1: what sip::validate_request has not looked at
  if (request.has(sip::HeaderId::max_breadth)) {
    const auto breadth = sip::parse_number(request.value(sip::HeaderId::max_breadth));
    if (!breadth) return refuse(400, sip::Fault::bad_header);
    out.max_breadth = std::min(max_breadth, *breadth);
  }
  // 16.3 step 2
  if (uri.scheme != sip::Scheme::sip && uri.scheme != sip::Scheme::sips) return refuse(416);
  // 16.3 step 3
  if (request.has(sip::HeaderId::max_forwards)) {
    const auto hops = sip::parse_number(request.value(sip::HeaderId::max_forwards));
    if (!hops || *hops > 255) return refuse(400, sip::Fault::bad_max_forwards);
    out.max_forwards = static_cast<std::uint8_t>(*hops);
    if (out.max_forwards == 0) return refuse(483);
  }
  // 16.3 step 4, RFC 5393 4.2
  out.loop = loop_hash(hash, request, read);
  if (has_been_here(request, read, ours, out.loop)) return refuse(482);
  // 16.3 step 5
  if (asks_of_proxies(request)) return refuse(420);
  // RFC 5393 5.3.3: not even one branch is left
  if (out.max_breadth == 0) return refuse(440);
  return out;
}

void write_unsupported(Writer& out, const sip::Message& request) noexcept {
  bool first = true;
  for (const auto* field = request.first(sip::HeaderId::proxy_require); field; field = request.next(*field)) {
    std::string_view list = request.value(*field);
    for (auto token = sip::next_token(list); !token.empty(); token = sip::next_token(list)) {
      if (!first) out.put(", ");
      out.put(token);
      first = false;
    }
  }
}

}  // namespace ringweir::proxy
