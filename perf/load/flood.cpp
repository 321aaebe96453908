#include "flood.h"

#include <cstring>
#include <utility>

#include "reply.h"

namespace ringweir::load {
namespace {

constexpr std::size_t kNoiseBytes = 1 << 16, kOctets = 300;
constexpr std::size_t kHeadersInABomb = 1'000;
constexpr std::uint64_t kBurst = 16;  // of one kind from one socket, so that they leave together
constexpr std::int64_t kNonceForNs = 60LL * 1'000'000'000;  // then the next challenge's

std::size_t slot_of(Garbage kind) {
  return static_cast<std::size_t>(kind);
}

// A request's head up to its CSeq, of a phone of its own each time.
std::string head(std::string_view method, std::string_view uri, std::string_view user,
                 std::string_view domain, std::string_view local) {
  const std::string token(Pattern::kTokenMark), address = std::string(user) + "@" + std::string(domain);
  std::string text =
      std::string(method) + " " + std::string(uri) + " SIP/2.0\r\nVia: SIP/2.0/UDP " + std::string(local);
  text +=
      ";branch=" + std::string(kBranchCookie) + token + ";rport\r\nMax-Forwards: 70\r\nFrom: <sip:" + address;
  text += ">;tag=" + token + "\r\nTo: <sip:" + address + ">\r\nCall-ID: " + token + "@flood\r\nCSeq: 1 ";
  return text + std::string(method) + "\r\n";
}

std::string bomb(std::string text) {
  for (std::size_t i = 0; i < kHeadersInABomb; ++i) text += "X: 1\r\n";
  return text + "Content-Length: 0\r\n\r\n";
}

}  // namespace

Pattern::Pattern(std::string text) : text_(std::move(text)) {
  for (std::size_t at = 0; at < text_.size();) {
    if (text_.compare(at, kTokenMark.size(), kTokenMark) == 0) {
      places_.push_back({at, kTokenMark.size(), true});
      at += kTokenMark.size();
    } else if (text_[at] == '#') {
      const std::size_t end = std::min(text_.find_first_not_of('#', at), text_.size());
      places_.push_back({at, end - at, false});
      at = end;
    } else {
      ++at;
    }
  }
}

void Pattern::render(std::uint64_t token, std::uint64_t user, char* to) const noexcept {
  std::memcpy(to, text_.data(), text_.size());
  for (const Place& place : places_) {
    std::uint64_t rest = place.is_token ? token : user;
    for (std::size_t i = place.width; i-- > 0; rest /= place.is_token ? 16 : 10) {
      to[place.at + i] = "0123456789abcdef"[rest % (place.is_token ? 16 : 10)];
    }
  }
}

Flood::Flood(const Options& options, Peers& peers)
    : options_(options),
      peers_(peers),
      sources_(options.sockets),
      noise_(kNoiseBytes, '\0'),
      random_state_(options.seed | 1) {
  const std::string domain_uri = "sip:" + options.domain;
  const std::string user(std::to_string(options.user_base).size(), '#');
  for (char& octet : noise_)
    octet = static_cast<char>((random_state_ = random_state_ * 6'364'136'223'846'793'005u + 1) >> 56);
  for (std::uint32_t peer = 0; peer < options.sockets; ++peer) {
    auto& patterns = sources_[peer].patterns;
    const std::string registers = head("REGISTER", domain_uri, user, options.domain, peers.local(peer));
    patterns[slot_of(Garbage::truncated)] = Pattern(registers.substr(0, registers.find("CSeq")) + "CS");
    patterns[slot_of(Garbage::headers)] = Pattern(bomb(registers));
    patterns[slot_of(Garbage::nameless)] =
        Pattern(head("INVITE", domain_uri, user, options.domain, peers.local(peer)) +
                "Contact: <sip:" + peers.local(peer) + ">\r\nContent-Length: 0\r\n\r\n");
    patterns[slot_of(Garbage::digest)] = digest(peer, {}, {});
  }
}

// Credentials of one of our users with the server's own nonce and a response that is not theirs: the server
// must compute the digest to see that. Without a nonce: the request that brings one.
Pattern Flood::digest(std::uint32_t peer, std::string_view nonce, std::string_view realm) const {
  const std::string user(std::to_string(options_.user_base).size(), '#');
  const std::string uri = "sip:" + options_.domain;
  std::string text = head("REGISTER", uri, user, options_.domain, peers_.local(peer));
  text += "Contact: <sip:" + user + "@" + peers_.local(peer) + ">\r\n";
  if (!nonce.empty()) {
    text += "Authorization: Digest username=\"" + user + "\",realm=\"" + std::string(realm) + "\",nonce=\"" +
            std::string(nonce) + "\",uri=\"" + uri + "\",response=\"" + std::string(Pattern::kTokenMark) +
            std::string(Pattern::kTokenMark) +
            "\",algorithm=MD5,cnonce=\"0a4f113b\",qop=auth,nc=00000001\r\n";
  }
  return Pattern(text + "Content-Length: 0\r\n\r\n");
}

Outcome Flood::run(const Phase& phase) {
  outcome_ = {};
  outcome_.flood.emplace();
  counting_ = false;
  Drive(*this, peers_, options_).run(phase, outcome_);
  return std::move(outcome_);
}

bool Flood::begin(Workload /*workload*/, std::int64_t /*due_ns*/, std::int64_t /*now*/) {
  const std::uint64_t burst = sent_++ / kBurst;
  const Garbage kind = options_.garbage[burst % options_.garbage.size()];
  const auto peer = static_cast<std::uint32_t>(burst / options_.garbage.size() % options_.sockets);
  random_state_ = random_state_ * 6'364'136'223'846'793'005u + 1;
  if (counting_) ++outcome_.completed;
  if (kind == Garbage::octets) {
    std::memcpy(peers_.reserve(peer, kOctets),
                noise_.data() + (random_state_ >> 33) % (kNoiseBytes - kOctets), kOctets);
    return true;
  }
  const Pattern& pattern = sources_[peer].patterns[slot_of(kind)];
  pattern.render(random_state_, options_.user_base + (random_state_ >> 33) % options_.users,
                 peers_.reserve(peer, pattern.size()));
  return true;
}

void Flood::take(std::uint32_t peer, std::string_view message, std::int64_t now) {
  const int status = status_of(message);
  if (counting_) ++outcome_.flood->answers[status];
  Source& source = sources_[peer];
  if (status != 401 && status != 407) return;
  if (source.nonce_taken_ns != 0 && now - source.nonce_taken_ns < kNonceForNs) return;
  const auto challenge = challenge_of(message);
  if (!challenge || challenge->proxy) return;
  source.patterns[slot_of(Garbage::digest)] = digest(peer, challenge->nonce, challenge->realm);
  source.nonce_taken_ns = now;
}

}  // namespace ringweir::load
