// Keys of any message: nothing but the fields of RFC 3261 17.1.3 and 17.2.3 changes them, and every octet of
// those is read safely.
#include <cstdint>
#include <string>

#include "ringweir/base/check.h"
#include "ringweir/transaction/keys.h"

using namespace ringweir;
using namespace ringweir::transaction;

namespace {

const KeyedHash kHash({1, 2});

struct Keys {
  bool valid = false;
  std::uint64_t own = 0, invite = 0;
  std::uint32_t to_tag = 0;
  friend bool operator==(const Keys&, const Keys&) = default;
};

Keys keys_of(std::string_view bytes) {
  static sip::Message message;
  sip::Essentials read;
  if (sip::parse(bytes, sip::Framing::datagram, message).completeness != sip::Completeness::complete)
    return {};
  if (message.is_request()) {
    if (sip::validate_request(message, read).fault != sip::Fault::none) return {};
    return {true, server_key(message, read, message.method(), kHash),
            server_key(message, read, sip::Method::invite, kHash), to_tag_hash(read.to, kHash)};
  }
  if (sip::validate_response(message, read).fault != sip::Fault::none) return {};
  return {true, client_key(read, kHash), 0, to_tag_hash(read.to, kHash)};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  const Keys keys = keys_of(text);
  if (!keys.valid) return 0;
  std::size_t begin = 0;
  while (text[begin] == '\r' || text[begin] == '\n') ++begin;
  const std::size_t line = text.find('\n', begin);
  check(line != text.npos, "a message has lines");
  text.insert(line + 1, "X-Fuzz: 1\r\n");
  const Keys again = keys_of(text);
  check(!again.valid || again == keys, "another header field changes no key");
  return 0;
}
