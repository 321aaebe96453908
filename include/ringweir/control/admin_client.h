// The command line's side of the admin interface: small, blocking, one connection a request.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "ringweir/base/result.h"

namespace ringweir::control {

struct AdminReply {
  unsigned status = 0;
  std::string body;
};

// Percent-encodes what may not stand in a path segment or a query value as it is.
std::string encode_component(std::string_view text);

class AdminClient {
 public:
  // HOST:PORT; a name is resolved.
  explicit AdminClient(std::string address, std::chrono::milliseconds timeout = std::chrono::seconds(30))
      : address_(std::move(address)), timeout_(timeout) {}

  // Errors are sentences that name the address.
  Result<AdminReply, std::string> get(const std::string& target) const { return ask("GET", target); }
  Result<AdminReply, std::string> post(const std::string& target) const { return ask("POST", target); }
  // Gives each line as it comes, until `line` returns false or the server ends the answer. The timeout is for the answer
  // to begin. A status other than 200 is an error.
  Result<void, std::string> follow(const std::string& target, const std::function<bool(std::string_view line)>& line) const;

  const std::string& address() const noexcept { return address_; }

 private:
  Result<AdminReply, std::string> ask(const char* method, const std::string& target) const;

  std::string address_;
  std::chrono::milliseconds timeout_;
};

}  // namespace ringweir::control
