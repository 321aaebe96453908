// A c-ares channel and the sockets it waits on. One thread.
#pragma once
#include <ares.h>
#include <poll.h>

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ringweir/base/address.h"
#include "ringweir/control/config.h"

namespace ringweir::control {

// What became of a question.
enum class Asked : std::uint8_t {
  answered,
  nothing,  // the name or the record type is not there
  failed,   // nobody said so: a timeout, a server in trouble
  dropped,  // the channel went away; whoever asked may be gone too
};

class DnsChannel {
 public:
  using Records = std::function<void(Asked, std::span<const unsigned char> message)>;
  using Addresses = std::function<void(Asked, std::vector<IpAddress>, std::uint32_t ttl_s)>;

  // nullptr when c-ares cannot be had, with a sentence.
  static std::unique_ptr<DnsChannel> open(const Dns& dns, std::string& why_not);
  ~DnsChannel();  // tells every asker `dropped`
  DnsChannel(const DnsChannel&) = delete;
  DnsChannel& operator=(const DnsChannel&) = delete;

  // Each may call back before it returns.
  void ask(const std::string& name, int type, Records done);
  // The hosts file is read too, as everybody expects of a name.
  void ask_addresses(const std::string& name, int family, Addresses done);

  void add_sockets(std::vector<pollfd>& to) const;
  Duration wait(Duration longest) const;  // until it wants process()
  void process(std::span<const pollfd> ready);

 private:
  DnsChannel() = default;
  static void on_socket(void* self, ares_socket_t socket, int readable, int writable);

  ares_channel channel_ = nullptr;
  std::map<ares_socket_t, short> sockets_;
};

}  // namespace ringweir::control
