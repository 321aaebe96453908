// A client that follows the trace: a chunked response with a line of JSON a message, until it leaves. Recording is on
// while one is there. At most one write is under way; a client that reads slower than phones talk loses messages, which is
// told by a line {"lost": n}.
#pragma once
#include <memory>
#include <string>

#include "control/admin_session.h"

namespace ringweir::control {

class AdminFollower : public std::enable_shared_from_this<AdminFollower> {
 public:
  AdminFollower(std::shared_ptr<AdminSession> session, beast::tcp_stream& stream, TraceQuery query,
                const TraceRings& rings, const AdminOptions& options, AdminLoad& load);
  ~AdminFollower() { --load_.followers; }
  AdminFollower(const AdminFollower&) = delete;
  AdminFollower& operator=(const AdminFollower&) = delete;

  void start();

 private:
  void watch();
  void nap();
  void poll();
  void write(std::string text);

  std::shared_ptr<AdminSession> session_;  // owns the stream
  beast::tcp_stream& stream_;
  TraceTap tap_;
  TraceFollower trace_;
  asio::steady_timer timer_;
  const AdminOptions& options_;
  AdminLoad& load_;
  std::string out_;
  char heard_ = 0;
  bool left_ = false;
};

}  // namespace ringweir::control
