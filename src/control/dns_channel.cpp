#include "control/dns_channel.h"

#include <arpa/nameser.h>
#include <netdb.h>

#include <algorithm>

#include "ringweir/io/sockaddr.h"

namespace ringweir::control {
namespace {

Asked asked_of(int status) noexcept {
  switch (status) {
    case ARES_SUCCESS: return Asked::answered;
    case ARES_ENODATA:
    case ARES_ENOTFOUND:
    case ARES_ENOTIMP:
    case ARES_EBADNAME: return Asked::nothing;
    case ARES_EDESTRUCTION:
    case ARES_ECANCELLED: return Asked::dropped;
    default: return Asked::failed;
  }
}

void on_records(void* done, int status, int, unsigned char* message, int size) {
  const std::unique_ptr<DnsChannel::Records> owner(static_cast<DnsChannel::Records*>(done));
  const bool has = message && size > 0;
  (*owner)(asked_of(status), has ? std::span<const unsigned char>(message, static_cast<std::size_t>(size))
                                 : std::span<const unsigned char>());
}

void on_addresses(void* done, int status, int, ares_addrinfo* list) {
  const std::unique_ptr<DnsChannel::Addresses> owner(static_cast<DnsChannel::Addresses*>(done));
  std::vector<IpAddress> addresses;
  std::uint32_t ttl_s = UINT32_MAX;
  for (const ares_addrinfo_node* each = list ? list->nodes : nullptr; each; each = each->ai_next) {
    const IpAddress ip =
        each->ai_family == AF_INET ? io::endpoint_v4(each->ai_addr).ip : io::endpoint_v6(each->ai_addr).ip;
    if (std::ranges::find(addresses, ip) == addresses.end()) addresses.push_back(ip);
    ttl_s = std::min(ttl_s, static_cast<std::uint32_t>(std::max(each->ai_ttl, 0)));
  }
  if (list) ares_freeaddrinfo(list);
  (*owner)(asked_of(status), std::move(addresses), ttl_s);
}

}  // namespace

std::unique_ptr<DnsChannel> DnsChannel::open(const Dns& dns, std::string& why_not) {
  std::unique_ptr<DnsChannel> made(new DnsChannel());
  ares_options options{};
  options.timeout = static_cast<int>(to_ms(dns.timeout));
  options.tries = static_cast<int>(dns.tries);
  options.sock_state_cb = &DnsChannel::on_socket;
  options.sock_state_cb_data = made.get();
  int status = ares_init_options(&made->channel_, &options,
                                 ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
  if (status == ARES_SUCCESS && !dns.servers.empty()) {
    std::string list;
    for (const Endpoint& each : dns.servers) list += (list.empty() ? "" : ",") + to_string(each);
    status = ares_set_servers_ports_csv(made->channel_, list.c_str());
  }
  if (status == ARES_SUCCESS) return made;
  why_not = ares_strerror(status);
  return nullptr;
}

DnsChannel::~DnsChannel() {
  if (channel_) ares_destroy(channel_);
}

void DnsChannel::ask(const std::string& name, int type, Records done) {
  ares_query(channel_, name.c_str(), C_IN, type, &on_records, new Records(std::move(done)));
}

void DnsChannel::ask_addresses(const std::string& name, int family, Addresses done) {
  ares_addrinfo_hints hints{};
  hints.ai_family = family;
  hints.ai_flags = ARES_AI_NOSORT;  // the order of targets is ours
  ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, &on_addresses, new Addresses(std::move(done)));
}

void DnsChannel::on_socket(void* self, ares_socket_t socket, int readable, int writable) {
  auto& sockets = static_cast<DnsChannel*>(self)->sockets_;
  if (!readable && !writable) {
    sockets.erase(socket);
  } else {
    sockets[socket] = static_cast<short>((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
  }
}

void DnsChannel::add_sockets(std::vector<pollfd>& to) const {
  for (const auto& [socket, events] : sockets_) to.push_back({socket, events, 0});
}

Duration DnsChannel::wait(Duration longest) const {
  timeval room{};
  const timeval* wanted = ares_timeout(channel_, nullptr, &room);
  if (!wanted) return longest;
  return std::min<Duration>(
      longest, std::chrono::seconds(wanted->tv_sec) + std::chrono::microseconds(wanted->tv_usec));
}

void DnsChannel::process(std::span<const pollfd> ready) {
  for (const pollfd& each : ready) {
    if (each.revents == 0) continue;
    const bool reads = (each.revents & (POLLIN | POLLERR | POLLHUP)) != 0;
    ares_process_fd(channel_, reads ? each.fd : ARES_SOCKET_BAD,
                    (each.revents & POLLOUT) != 0 ? each.fd : ARES_SOCKET_BAD);
  }
  ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // what timed out
}

}  // namespace ringweir::control
