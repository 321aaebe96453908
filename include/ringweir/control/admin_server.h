// The admin interface over HTTP/1.1, on one thread of its own. It answers anyone who can reach it: there are no passwords,
// so it listens on loopback unless told otherwise.
//
// Bounded everywhere: connections, followers of the trace, octets of a request, seconds a client may take.
#pragma once
#include <chrono>
#include <memory>

#include "ringweir/base/address.h"
#include "ringweir/control/process.h"
#include "ringweir/io/open_error.h"

namespace ringweir::control {

struct AdminOptions {
  std::size_t connections_max = 64;                     // the next one is closed at once
  std::size_t followers_max = 8;                        // the next one gets 503
  std::uint32_t header_bytes_max = 16 * 1024;           // 431
  std::uint32_t body_bytes_max = 64 * 1024;             // 413
  std::chrono::milliseconds request_timeout{15'000};    // from the end of the last answer to the end of a request
  std::chrono::milliseconds response_timeout{15'000};   // for a client to take an answer, or a follower its next lines
  std::chrono::milliseconds follow_pace{50};            // how often a follower's rings are read
};

class AdminServer {
 public:
  // `process` outlives this.
  explicit AdminServer(ProcessView& process, const AdminOptions& options = {});
  ~AdminServer();  // stops
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  // Binds (port 0: any), then serves on its own thread. Once.
  io::Opened start(const Endpoint& bind);
  // Closes every connection and joins the thread. Does nothing when it is not running.
  void stop() noexcept;
  // Where it listens; after start().
  Endpoint endpoint() const noexcept;

 private:
  struct Running;
  ProcessView& process_;
  AdminOptions options_;
  std::unique_ptr<Running> running_;
};

}  // namespace ringweir::control
