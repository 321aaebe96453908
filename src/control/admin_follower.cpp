#include "control/admin_follower.h"

#include <fmt/format.h>

#include "control/admin_json.h"

namespace ringweir::control {
namespace {

constexpr std::size_t kMessagesPerChunk = 256;
constexpr std::string_view kHead =
    "HTTP/1.1 200 OK\r\nServer: ringweir\r\nContent-Type: application/x-ndjson\r\nCache-Control: no-store\r\n"
    "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n";

}  // namespace

AdminFollower::AdminFollower(std::shared_ptr<AdminSession> session, beast::tcp_stream& stream, TraceQuery query,
                             const TraceRings& rings, const AdminOptions& options, AdminLoad& load)
    : session_(std::move(session)),
      stream_(stream),
      tap_(rings),
      trace_(rings, std::move(query.from), std::move(query.filter)),
      timer_(stream.get_executor()),
      options_(options),
      load_(load) {
  ++load_.followers;
}

void AdminFollower::start() {
  stream_.expires_never();
  watch();
  write(std::string(kHead));
}

// A follower has nothing more to say: whatever is heard of it, an end or an octet, is its end.
void AdminFollower::watch() {
  stream_.async_read_some(asio::buffer(&heard_, 1), [self = shared_from_this()](beast::error_code, std::size_t) {
    self->left_ = true;
    self->timer_.cancel();
    beast::error_code ignored;
    self->stream_.socket().close(ignored);
  });
}

void AdminFollower::nap() {
  timer_.expires_after(options_.follow_pace);
  timer_.async_wait([self = shared_from_this()](beast::error_code error) {
    if (!error && !self->left_) self->poll();
  });
}

void AdminFollower::poll() {
  const TracePage page = trace_.poll(kMessagesPerChunk);
  std::string lines;
  if (page.lost > 0) lines += dump({{"lost", page.lost}}) + '\n';
  for (const shard::TraceEntry& entry : page.entries) lines += dump(to_json(entry)) + '\n';
  if (lines.empty()) return nap();
  write(fmt::format("{:x}\r\n{}\r\n", lines.size(), lines));
}

void AdminFollower::write(std::string text) {
  out_ = std::move(text);
  stream_.expires_after(options_.response_timeout);  // of the write alone: the read is under way already
  asio::async_write(stream_, asio::buffer(out_), [self = shared_from_this()](beast::error_code error, std::size_t) {
    if (error || self->left_) {
      beast::error_code ignored;
      self->stream_.socket().close(ignored);  // ends watch() too
      return;
    }
    self->nap();
  });
}

}  // namespace ringweir::control
