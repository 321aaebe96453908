// Boost.Beast and Asio as this code uses them. Boost 1.74's awaitable.hpp needs <utility> to come first.
#pragma once
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "ringweir/base/address.h"

namespace ringweir::control {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = boost::asio::ip::tcp;

inline asio::ip::address to_asio(const IpAddress& ip) {
  if (ip.is_v4()) return asio::ip::address_v4({ip.octets[12], ip.octets[13], ip.octets[14], ip.octets[15]});
  return asio::ip::address_v6(ip.octets);
}
inline tcp::endpoint to_asio(const Endpoint& endpoint) { return {to_asio(endpoint.ip), endpoint.port}; }

inline Endpoint from_asio(const tcp::endpoint& endpoint) {
  Endpoint out;
  out.port = endpoint.port();
  if (endpoint.address().is_v4()) {
    const auto octets = endpoint.address().to_v4().to_bytes();
    out.ip = IpAddress::v4(octets[0], octets[1], octets[2], octets[3]);
  } else {
    out.ip.octets = endpoint.address().to_v6().to_bytes();
  }
  return out;
}

}  // namespace ringweir::control
