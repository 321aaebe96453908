// What the tests of both socket drivers share: a phone (a plain socket), handlers, and turning until
// something holds.
#pragma once
#include <gtest/gtest.h>
#include <poll.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ringweir/io/clock.h"
#include "ringweir/io/epoll.h"
#include "ringweir/io/uring.h"

namespace ringweir::io {

inline constexpr Duration kPatience = 10s;  // of a test that waits for what must come

inline UdpSocket opened(const char* bind, bool v6_only = false) {
  UdpOptions options;
  options.bind = *parse_endpoint(bind);
  options.v6_only = v6_only;
  auto socket = open_udp(options);
  if (!socket) ADD_FAILURE() << socket.error().what;
  return std::move(*socket);
}

struct Letter {
  std::string text;
  Endpoint from;
};

// The far end of a datagram.
class Phone {
 public:
  explicit Phone(const char* bind) : socket_(opened(bind)) {}
  void send(std::string_view text, const Endpoint& to) {
    SocketName name;
    const socklen_t size = name_of(to, socket_.is_v6(), name);
    ASSERT_EQ(::sendto(socket_.fd(), text.data(), text.size(), 0, &name.any, size),
              static_cast<ssize_t>(text.size()));
  }
  // Nothing when nothing waits.
  std::optional<Letter> look() {
    std::string text(65'536, '\0');
    SocketName name;
    socklen_t size = sizeof name;
    const ssize_t got = ::recvfrom(socket_.fd(), text.data(), text.size(), 0, &name.any, &size);
    if (got < 0) return std::nullopt;
    text.resize(static_cast<std::size_t>(got));
    return Letter{std::move(text), socket_.is_v6() ? endpoint_v6(&name) : endpoint_v4(&name)};
  }
  const Endpoint& at() const { return socket_.bound(); }

 private:
  UdpSocket socket_;
};

template <class D>
std::unique_ptr<D> driver_on(std::vector<UdpSocket> sockets, const typename D::Options& options = {}) {
  auto driver = D::open(sockets, options);
  if (!driver) {
    ADD_FAILURE() << driver.error().what;
    return nullptr;
  }
  return std::move(*driver);
}

template <class D>
std::unique_ptr<D> driver_on(const char* bind, const typename D::Options& options = {}) {
  std::vector<UdpSocket> sockets;
  sockets.push_back(opened(bind));
  auto driver = driver_on<D>(std::move(sockets), options);
  if (auto started = driver->start(); !started) ADD_FAILURE() << started.error().what;
  return driver;
}

template <class D>
Endpoint address_of(const D& driver, std::size_t socket = 0) {
  return driver.sockets()[socket].bound();
}

// Keeps what came.
struct Inbox {
  std::vector<std::string> texts;
  std::vector<Endpoint> peers;
  std::vector<IpAddress> locals;
  std::vector<SocketIndex> sockets;
  std::vector<bool> truncated;
  std::vector<Unreachable> unreachable;
  void on_unreachable(const Endpoint& peer, SocketIndex socket) { unreachable.push_back({peer, socket}); }
  void on_batch_end() {}
  void on_datagram(const Received& in) {
    texts.emplace_back(in.bytes);
    peers.push_back(in.peer);
    locals.push_back(in.local);
    sockets.push_back(in.socket);
    truncated.push_back(in.truncated);
  }
};

// Sends back what came, from where it came to.
template <class D>
struct Echo {
  D& driver;
  std::size_t count = 0, shed = 0;
  void on_unreachable(const Endpoint&, SocketIndex) {}
  void on_batch_end() {}
  void on_datagram(const Received& in) {
    ++count;
    const auto size = static_cast<std::uint32_t>(in.bytes.size());
    const SendBuffer buffer = driver.take_buffer(size);
    if (!buffer.data) {
      ++shed;
      return;
    }
    std::memcpy(buffer.data, in.bytes.data(), size);
    driver.send(buffer, size, in.socket, in.peer, in.local);
  }
};

template <class D, class H>
bool turn_until(D& driver, H& handler, const std::function<bool()>& holds) {
  const Instant limit = monotonic_now() + kPatience;
  while (!holds()) {
    if (monotonic_now() > limit) return false;
    driver.turn(handler, driver.now() + 5ms);
  }
  return true;
}

template <class D>
void send_text(D& driver, std::string_view text, const Endpoint& to, SocketIndex socket = 0, const IpAddress& from = {}) {
  const SendBuffer buffer = driver.take_buffer(static_cast<std::uint32_t>(text.size()));
  ASSERT_NE(buffer.data, nullptr);
  std::memcpy(buffer.data, text.data(), text.size());
  driver.send(buffer, static_cast<std::uint32_t>(text.size()), socket, to, from);
}

// One message there and back: one turn reads and decides, the next sends.
template <class D>
std::optional<Letter> ask(D& driver, Phone& phone, std::string_view text, const Endpoint& to) {
  Echo<D> echo{driver};
  phone.send(text, to);
  std::optional<Letter> answer;
  turn_until(driver, echo, [&] {
    driver.turn(echo, driver.now());
    driver.turn(echo, driver.now());
    return (answer = phone.look()).has_value();
  });
  return answer;
}

template <class D>
class DriverTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if constexpr (std::is_same_v<D, Uring>) {
      if (auto usable = probe_uring(); !usable) GTEST_SKIP() << usable.error().what;
    }
  }
};
using SocketDrivers = ::testing::Types<Uring, Epoll>;

}  // namespace ringweir::io
