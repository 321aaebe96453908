#include "control/admin_session.h"

#include "control/admin_follower.h"
#include "control/admin_json.h"

namespace ringweir::control {
namespace {

constexpr std::size_t kDrainBytesMax = 256 * 1024;

std::string text_of(boost::beast::string_view view) {
  return {view.data(), view.size()};
}

}  // namespace

AdminSession::AdminSession(tcp::socket socket, AdminApi& api, const AdminOptions& options, AdminLoad& load,
                           asio::thread_pool& slow)
    : stream_(std::move(socket)),
      buffer_(options.header_bytes_max + options.body_bytes_max),
      api_(api),
      options_(options),
      load_(load),
      slow_(slow) {
  ++load_.connections;
  beast::error_code error;
  const auto local = stream_.socket().local_endpoint(error);
  on_loopback_ = error || from_asio(local).ip.is_loopback();
  stream_.socket().set_option(tcp::no_delay(true), error);
}

AdminSession::~AdminSession() {
  --load_.connections;
}

void AdminSession::read() {
  parser_.emplace();
  parser_->header_limit(options_.header_bytes_max);
  parser_->body_limit(options_.body_bytes_max);
  stream_.expires_after(options_.request_timeout);
  http::async_read(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](beast::error_code error, std::size_t) { self->on_read(error); });
}

void AdminSession::on_read(beast::error_code error) {
  if (error) return refuse_reading(error);
  answer();
}

// What a client sent that is no request, answered where that is possible. Silence for one that left or was
// too slow.
void AdminSession::refuse_reading(beast::error_code error) {
  if (error == http::error::end_of_stream) return drain();
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return send(refusal(431, "header fields too large"), false, false);
  }
  if (error == http::error::body_limit) return send(refusal(413, "body too large"), false, false);
  if (error.category() == make_error_code(http::error::bad_target).category() &&
      error != http::error::partial_message) {
    return send(refusal(400, "not an HTTP request: " + error.message()), false, false);
  }
}

std::optional<AdminRequest> AdminSession::request() const {
  const auto& message = parser_->get();
  auto request = parse_target(text_of(message.target()));
  if (!request) return std::nullopt;
  request->method = text_of(message.method_string());
  request->host = text_of(message[http::field::host]);
  request->origin = text_of(message[http::field::origin]);
  request->on_loopback = on_loopback_;
  return request;
}

void AdminSession::answer() {
  const auto& message = parser_->get();
  const bool head = message.method() == http::verb::head;
  const bool keep_alive = message.keep_alive();
  auto asked = request();
  if (!asked) return send(refusal(400, "bad request target"), keep_alive, head);
  // RFC 9112 3.2: exactly one Host.
  if (message.version() >= 11 && message.count(http::field::host) != 1) {
    return send(refusal(400, "one Host header field is needed"), false, head);
  }
  if (api_.is_follow(*asked)) {
    if (message.version() < 11) return send(refusal(400, "following needs HTTP/1.1"), false, false);
    if (load_.followers >= options_.followers_max)
      return send(refusal(503, "too many followers"), keep_alive, false);
    auto query = api_.follow(*asked);
    if (!query) return send(query.error(), keep_alive, false);
    std::make_shared<AdminFollower>(shared_from_this(), stream_, std::move(*query), api_.rings(), options_,
                                    load_)
        ->start();
    return;
  }
  if (api_.takes_long(*asked)) return answer_slowly(std::move(*asked), keep_alive);
  if (head) asked->method = "GET";
  send(api_.handle(*asked), keep_alive, head);
}

// Others are answered meanwhile: a million users take seconds to load.
void AdminSession::answer_slowly(AdminRequest request, bool keep_alive) {
  stream_.expires_never();
  asio::post(slow_, [self = shared_from_this(), request = std::move(request), keep_alive] {
    AdminResponse response = self->api_.handle_slowly(request);
    asio::post(self->stream_.get_executor(), [self, response = std::move(response), keep_alive]() mutable {
      self->send(std::move(response), keep_alive, false);
    });
  });
}

void AdminSession::send(AdminResponse response, bool keep_alive, bool head) {
  auto text = std::make_shared<Text>(static_cast<http::status>(response.status), 11);
  text->set(http::field::server, "ringweir");
  text->set(http::field::content_type, response.content_type);
  text->set(http::field::cache_control, "no-store");
  text->set("X-Content-Type-Options", "nosniff");
  if (!response.allow.empty()) text->set(http::field::allow, response.allow);
  text->keep_alive(keep_alive);
  text->content_length(response.body.size());
  if (!head) text->body() = std::move(response.body);
  stream_.expires_after(options_.response_timeout);
  auto serializer = std::make_shared<http::response_serializer<http::string_body>>(*text);
  const auto done = [self = shared_from_this(), text, serializer, keep_alive](beast::error_code error,
                                                                              std::size_t) {
    if (error) return;
    keep_alive ? self->read() : self->drain();
  };
  if (head) {
    http::async_write_header(stream_, *serializer, done);
  } else {
    http::async_write(stream_, *serializer, done);
  }
}

// Says that there is no more from us, then lets the client finish: closing over its unread octets would reset
// the connection and take our answer with it.
void AdminSession::drain() {
  beast::error_code error;
  if (drained_ == 0) stream_.socket().shutdown(tcp::socket::shutdown_send, error);
  stream_.expires_after(std::chrono::seconds(2));
  stream_.async_read_some(asio::buffer(discarded_),
                          [self = shared_from_this()](beast::error_code failed, std::size_t n) {
                            self->drained_ += n;
                            if (!failed && self->drained_ < kDrainBytesMax) self->drain();
                          });
}

}  // namespace ringweir::control
