// One connection of the admin interface: read a request, answer it, again. All on the admin thread; kept alive by the
// operation that is under way.
#pragma once
#include <array>
#include <memory>
#include <optional>

#include "control/admin_beast.h"
#include "ringweir/control/admin_api.h"
#include "ringweir/control/admin_server.h"

namespace ringweir::control {

struct AdminLoad {  // of one server; its thread only
  std::size_t connections = 0;
  std::size_t followers = 0;
};

class AdminSession : public std::enable_shared_from_this<AdminSession> {
 public:
  // `slow` runs what takes long, one thing at a time.
  AdminSession(tcp::socket socket, AdminApi& api, const AdminOptions& options, AdminLoad& load, asio::thread_pool& slow);
  ~AdminSession();
  AdminSession(const AdminSession&) = delete;
  AdminSession& operator=(const AdminSession&) = delete;

  void start() { read(); }

 private:
  using Parser = http::request_parser<http::string_body>;
  using Text = http::response<http::string_body>;

  void read();
  void on_read(beast::error_code error);
  void answer();
  void answer_slowly(AdminRequest request, bool keep_alive);
  void send(AdminResponse response, bool keep_alive, bool head);
  void drain();
  void refuse_reading(beast::error_code error);
  std::optional<AdminRequest> request() const;

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  AdminApi& api_;
  const AdminOptions& options_;
  AdminLoad& load_;
  asio::thread_pool& slow_;
  bool on_loopback_ = true;
  std::array<char, 4'096> discarded_;
  std::size_t drained_ = 0;
};

}  // namespace ringweir::control
