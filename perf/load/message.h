// Requests as templates whose varying parts have a fixed width and place. Every message of a shape has the
// same size, so that a batch of them can leave in one UDP_SEGMENT send, and making one is a copy and a few
// small patches.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "digest.h"
#include "reply.h"

namespace ringweir::load {

inline constexpr std::size_t kMessageBytesMax = 1'400;
inline constexpr std::size_t kNonceBytesMax = 128;

// What is the same for every message of a run that goes to one target from one socket.
struct Common {
  std::string target;  // "127.0.0.1:5060"
  std::string local;   // "127.0.0.1:40000", where replies are to go
  std::string domain;
  std::uint64_t seed = 0;
  std::uint32_t expires_s = 0;
  std::size_t user_digits = 0;
};

// What the challenges of a server have in common; its nonces may differ in text, not in length.
struct ChallengeShape {
  std::string realm, opaque;
  std::size_t nonce_bytes = 0;
  bool proxy = false, qop_auth = false;

  bool matches(const Challenge& challenge) const noexcept {
    return nonce_bytes == challenge.nonce.size() && proxy == challenge.proxy &&
           qop_auth == challenge.qop_auth && realm == challenge.realm && opaque == challenge.opaque;
  }
};

// What varies from message to message.
struct Values {
  std::uint64_t token = 0;  // branch and tag
  std::uint64_t user = 0;
  std::uint64_t callee = 0;
  char letter = 'a';       // of a call's branches, which are one each request
  std::uint32_t cseq = 0;  // 10 digits: from kCSeqFirst
  std::uint32_t nc = 0;
  std::string_view nonce;
  Hex32 response{};
};

// Ten digits without a leading zero, below 2^31 (RFC 3261 8.1.1.5), with room to count up.
inline constexpr std::uint32_t kCSeqFirst = 1'000'000'000;

// Eight hex digits: the value's low 32 bits, a transaction's number mixed, a nonce count.
std::string hex8(std::uint64_t value);
std::string_view cnonce_of(std::uint64_t token, char (&text)[8]) noexcept;
std::string_view nonce_count_of(std::uint32_t nc, char (&text)[8]) noexcept;

// The Call-ID of a call, as Template writes it.
std::string call_id_of(std::uint64_t seed, std::uint64_t token);

class Template {
 public:
  static Template options(const Common& common);
  static Template register_(const Common& common);
  static Template authorised(const Common& common, const ChallengeShape& shape);
  // A call's (call_template.cpp): an INVITE to sip:CALLEE@host up to its Contact; of a request within the
  // dialog what stands after its Request-URI, before its routes; and what stands after them, less the To.
  static Template invite(const Common& common, const std::string& host);
  static Template dialog_hop(const Common& common);
  static Template dialog_identity(const Common& common, std::string_view method);

  std::size_t size() const noexcept { return text_.size(); }
  // Writes size() octets.
  void render(const Values& values, char* to) const noexcept;

 private:
  enum class Kind : std::uint8_t { token, user, callee, letter, cseq, nc, cnonce, nonce, response };
  struct Field {
    Kind kind;
    std::uint16_t at, width;
  };

  Template& text(std::string_view piece);
  Template& field(Kind kind, std::size_t width);
  Template& start(const Common& common, std::string_view method, std::string_view uri);
  Template& registration(const Common& common);
  Template& phone();
  Template& call_via(const Common& common);
  Template& call_identity(const Common& common, std::string_view method);

  std::string text_;
  std::vector<Field> fields_;
};

}  // namespace ringweir::load
