#include "ringweir/control/admin_client.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <nlohmann/json.hpp>

#include "control/admin_beast.h"

namespace ringweir::control {
namespace {

constexpr std::size_t kBodyMax = 256u * 1024 * 1024;

// One connection; every step either waits for its end or throws what went wrong.
class Connection {
 public:
  Connection(const std::string& address, std::chrono::milliseconds timeout) : stream_(context_), timeout_(timeout) {
    const std::size_t colon = address.rfind(':');
    std::string host = address.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    tcp::resolver resolver(context_);
    const auto endpoints = resolver.resolve(host, address.substr(colon + 1));
    run([&](auto&& done) { stream_.async_connect(endpoints, [done](auto error, const auto&) { done(error); }); });
  }

  void send(const char* method, const std::string& target, const std::string& host) {
    http::request<http::empty_body> request;
    request.method_string(method);
    request.target(target);
    request.version(11);
    request.set(http::field::host, host);
    request.set(http::field::user_agent, "ringweir");
    request.set(http::field::connection, "close");
    if (request.method() == http::verb::post) request.content_length(0);
    run([&](auto&& done) { http::async_write(stream_, request, [done](auto error, std::size_t) { done(error); }); });
  }

  template <class Body>
  void read(http::response_parser<Body>& parser, bool header_only = false) {
    run([&](auto&& done) {
      const auto end = [done](auto error, std::size_t) { done(error); };
      header_only ? http::async_read_header(stream_, buffer_, parser, end) : http::async_read(stream_, buffer_, parser, end);
    });
  }

  // Waits without limit for some of the body. False at its end.
  bool read_some(http::response_parser<http::buffer_body>& parser, std::array<char, 8'192>& room, std::string& text) {
    if (parser.is_done()) return false;
    parser.get().body().data = room.data();
    parser.get().body().size = room.size();
    stream_.expires_never();
    beast::error_code error;
    http::read_some(stream_, buffer_, parser, error);
    if (error == http::error::need_buffer) error = {};
    if (error == http::error::partial_message) return false;  // the server went away
    if (error) throw beast::system_error(error);
    text.append(room.data(), room.size() - parser.get().body().size);
    return true;
  }

 private:
  template <class Begin>
  void run(Begin begin) {
    beast::error_code result = beast::error::timeout;
    stream_.expires_after(timeout_);
    begin([&result](beast::error_code error) { result = error; });
    context_.restart();
    context_.run();
    if (result) throw beast::system_error(result);
  }

  asio::io_context context_{1};
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::chrono::milliseconds timeout_;
};

std::string what_failed(const std::string& address, const std::exception& error) {
  const auto* system = dynamic_cast<const beast::system_error*>(&error);
  const std::string why = system ? system->code().message() : error.what();
  return fmt::format("{}: {} (is ringweir running there?)", address, why);
}

// The API's own sentence, or the status.
std::string error_in(unsigned status, const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (json.is_object() && json.contains("error") && json["error"].is_string()) return json["error"];
  return fmt::format("HTTP status {}", status);
}

}  // namespace

std::string encode_component(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", octet);
  }
  return out;
}

Result<AdminReply, std::string> AdminClient::ask(const char* method, const std::string& target) const {
  try {
    Connection connection(address_, timeout_);
    connection.send(method, target, address_);
    http::response_parser<http::string_body> parser;
    parser.body_limit(kBodyMax);
    connection.read(parser);
    auto& response = parser.get();
    return AdminReply{response.result_int(), std::move(response.body())};
  } catch (const std::exception& error) {
    return Unexpected<std::string>(what_failed(address_, error));
  }
}

Result<void, std::string> AdminClient::follow(const std::string& target,
                                              const std::function<bool(std::string_view line)>& line) const {
  try {
    Connection connection(address_, timeout_);
    connection.send("GET", target, address_);
    http::response_parser<http::buffer_body> parser;
    parser.body_limit(std::numeric_limits<std::uint64_t>::max());
    connection.read(parser, true);
    std::array<char, 8'192> room;
    std::string text;
    if (const unsigned status = parser.get().result_int(); status != 200) {
      while (text.size() < kBodyMax && connection.read_some(parser, room, text)) {
      }
      return Unexpected<std::string>(error_in(status, text));
    }
    while (connection.read_some(parser, room, text)) {
      std::size_t from = 0;
      for (std::size_t end; (end = text.find('\n', from)) != std::string::npos; from = end + 1) {
        if (!line(std::string_view(text).substr(from, end - from))) return {};
      }
      text.erase(0, from);
    }
    return {};
  } catch (const std::exception& error) {
    return Unexpected<std::string>(what_failed(address_, error));
  }
}

}  // namespace ringweir::control
