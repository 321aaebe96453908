#include "ringweir/control/admin_server.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <thread>

#include "control/admin_session.h"

namespace ringweir::control {

struct AdminServer::Running {
  Running(ProcessView& process, const AdminOptions& given) : options(given), api(process) {}

  io::Opened listen(const Endpoint& bind);
  void accept();
  void accept_soon();
  void run();

  const AdminOptions& options;
  AdminLoad load;
  AdminApi api;
  asio::io_context context{1};  // after what its handlers refer to: it destroys those that never ran
  tcp::acceptor acceptor{context};
  asio::steady_timer pause{context};
  Endpoint bound;
  asio::thread_pool slow{1};
  std::thread thread;
};

io::Opened AdminServer::Running::listen(const Endpoint& bind) {
  const tcp::endpoint endpoint = to_asio(bind);
  beast::error_code error;
  const auto attempt = [&](auto&& step) {
    if (!error) step();
  };
  acceptor.open(endpoint.protocol(), error);
  attempt([&] { acceptor.set_option(asio::socket_base::reuse_address(true), error); });
  attempt([&] { acceptor.bind(endpoint, error); });
  attempt([&] { acceptor.listen(asio::socket_base::max_listen_connections, error); });
  if (error) {
    return Unexpected<io::OpenError>({error.value(), "cannot listen on " + to_string(bind) + ": " + error.message()});
  }
  bound = from_asio(acceptor.local_endpoint(error));
  return {};
}

void AdminServer::Running::accept() {
  acceptor.async_accept([this](beast::error_code error, tcp::socket socket) {
    if (!acceptor.is_open()) return;
    if (error) return accept_soon();
    // Over the limit the socket closes as it goes out of scope.
    if (load.connections < options.connections_max) {
      std::make_shared<AdminSession>(std::move(socket), api, options, load, slow)->start();
    }
    accept();
  });
}

// Out of descriptors, most likely: trying again at once would only burn the core.
void AdminServer::Running::accept_soon() {
  pause.expires_after(std::chrono::milliseconds(100));
  pause.async_wait([this](beast::error_code error) {
    if (!error) accept();
  });
}

void AdminServer::Running::run() {
  pthread_setname_np(pthread_self(), "admin");
  while (true) {
    try {
      context.run();
      return;
    } catch (const std::exception& error) {  // one request's bad_alloc is not the process' end
      spdlog::error("admin: a request was given up: {}", error.what());
    }
  }
}

AdminServer::AdminServer(ProcessView& process, const AdminOptions& options) : process_(process), options_(options) {}

AdminServer::~AdminServer() { stop(); }

io::Opened AdminServer::start(const Endpoint& bind) {
  auto running = std::make_unique<Running>(process_, options_);
  if (auto listening = running->listen(bind); !listening) return listening;
  if (!running->bound.ip.is_loopback()) {
    spdlog::warn("admin listens on {}, which is not loopback: whoever reaches it can read and reload without a password",
                 to_string(running->bound));
  }
  running->accept();
  running_ = std::move(running);
  running_->thread = std::thread([self = running_.get()] { self->run(); });
  return {};
}

void AdminServer::stop() noexcept {
  if (!running_) return;
  running_->slow.stop();  // a reload under way ends first; those that wait are dropped
  running_->slow.join();
  running_->context.stop();
  running_->thread.join();
  running_.reset();  // destroys the handlers that never ran, and their sessions with them
}

Endpoint AdminServer::endpoint() const noexcept { return running_ ? running_->bound : Endpoint{}; }

}  // namespace ringweir::control
