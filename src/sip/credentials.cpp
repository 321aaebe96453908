#include "ringweir/sip/credentials.h"

#include "sip/characters.h"

namespace ringweir::sip {

namespace {
std::unexpected<Error> bad(std::uint32_t offset) noexcept {
  return std::unexpected(Error{Fault::bad_authorization, offset});
}

// "Digest" LWS
bool take_scheme(Cursor& c) noexcept {
  c.skip_lws();
  if (c.next_is("Digest ")) [[likely]] {
    c.at += 7;
    c.skip_lws();
    return true;
  }
  if (!reads(c.take<kToken>(), "Digest")) return false;
  const char* const behind = c.at;
  c.skip_lws();
  return c.at != behind;
}

std::string_view unquoted(std::string_view value) noexcept {
  return value.starts_with('"') ? value.substr(1, value.size() - 2) : value;
}

// The name and its equals sign, where the name is one of ours in its usual spelling; nullptr otherwise. PERF:
// seen as one or two words; a digest response has ten of them.
template <class Known>
std::string_view* take_usual_name(Cursor& c, Known known) noexcept {
  constexpr std::size_t kNameMax = 9;
  const std::size_t left = static_cast<std::size_t>(c.end - c.at);
  std::size_t size = 2;
  while (size < kNameMax && size < left && c.at[size] != '=') ++size;
  if (size >= left || c.at[size] != '=') return nullptr;
  std::string_view* const member = known(std::string_view{c.at, size});
  if (member != nullptr) c.at += size + 1;
  return member;
}

// A value that ends at a comma or with the text; false, wherever the cursor then stands, for any other.
bool take_usual_value(Cursor& c, std::string_view& value) noexcept {
  if (c.next_is('"')) {
    const char* const begin = ++c.at;
    c.skip_to_quote_or_backslash();
    if (c.done() || *c.at != '"') return false;
    value = c.since(begin);
    ++c.at;
  } else {
    value = c.take<kValue>();
    if (value.empty()) return false;
  }
  return c.done() || *c.at == ',';
}

// Gives each name=value of the comma list to `keep`, which answers false to a parameter given twice. `known`
// names the member of a parameter in its usual spelling.
template <class Known, class Keep>
Error for_each_parameter(std::string_view value, Known known, Keep keep) noexcept {
  Cursor c(value);
  if (!take_scheme(c)) return {Fault::bad_authorization, 0};
  for (;;) {
    const char* const start = c.at;
    std::string_view usual;
    std::string_view* const member = take_usual_name(c, known);
    if (member != nullptr && member->data() == nullptr && take_usual_value(c, usual)) [[likely]] {
      *member = usual;
    } else {
      c.at = start;
      Parameter p;
      if (!take_parameter(c, p) || !p.has_value) return {Fault::bad_authorization, c.offset()};
      if (!keep(p.name, unquoted(p.value))) {
        return {Fault::bad_authorization, static_cast<std::uint32_t>(start - c.begin)};
      }
    }
    if (c.done()) return {};
    if (*c.at != ',') return {Fault::bad_authorization, c.offset()};
    ++c.at;
    c.skip_lws();
  }
}

// A member is set once; what was set to the empty text counts too, so its pointer tells.
bool set(std::string_view& member, std::string_view value) noexcept {
  if (member.data() != nullptr) return false;
  member = value;
  return true;
}

// Of a name in its usual spelling.
std::string_view* usual_member_of(DigestCredentials& d, std::string_view name) noexcept {
  auto either = [&](const auto& spelling, std::string_view& member) {
    return std::memcmp(name.data(), spelling, sizeof spelling - 1) == 0 ? &member : nullptr;
  };
  switch (name.size()) {
    case 2: return either("nc", d.nc);
    case 3: return name[0] == 'u' ? either("uri", d.uri) : either("qop", d.qop);
    case 5: return name[0] == 'r' ? either("realm", d.realm) : either("nonce", d.nonce);
    case 6: return name[0] == 'o' ? either("opaque", d.opaque) : either("cnonce", d.cnonce);
    case 8: return name[0] == 'u' ? either("username", d.username) : either("response", d.response);
    case 9: return either("algorithm", d.algorithm);
    default: return nullptr;
  }
}

// By length, so that a name is compared with few.
std::string_view* member_of(DigestCredentials& d, std::string_view name) noexcept {
  auto either = [&](const auto& spelling, std::string_view& member) {
    return reads(name, spelling) ? &member : nullptr;
  };
  switch (name.size()) {
    case 2: return either("nc", d.nc);
    case 3: return (name[0] | 0x20) == 'u' ? either("uri", d.uri) : either("qop", d.qop);
    case 5: return (name[0] | 0x20) == 'r' ? either("realm", d.realm) : either("nonce", d.nonce);
    case 6: return (name[0] | 0x20) == 'o' ? either("opaque", d.opaque) : either("cnonce", d.cnonce);
    case 8: return (name[0] | 0x20) == 'u' ? either("username", d.username) : either("response", d.response);
    case 9: return either("algorithm", d.algorithm);
    default: return nullptr;
  }
}
}  // namespace

Result<DigestCredentials> parse_digest_credentials(std::string_view value) noexcept {
  DigestCredentials credentials;
  std::string_view userhash;
  const auto usual = [&](std::string_view name) { return usual_member_of(credentials, name); };
  const Error error = for_each_parameter(value, usual, [&](std::string_view name, std::string_view text) {
    if (std::string_view* member = member_of(credentials, name)) return set(*member, text);
    if (reads(name, "userhash")) return set(userhash, text);
    return true;  // auth-param: ignored
  });
  if (error.fault != Fault::none) return bad(error.offset);
  credentials.userhash = reads(userhash, "true");
  return credentials;
}

Result<DigestChallenge> parse_digest_challenge(std::string_view value) noexcept {
  DigestChallenge challenge;
  std::string_view stale;
  const auto none = [](std::string_view) -> std::string_view* { return nullptr; };
  const Error error = for_each_parameter(value, none, [&](std::string_view name, std::string_view text) {
    if (reads(name, "realm")) return set(challenge.realm, text);
    if (reads(name, "nonce")) return set(challenge.nonce, text);
    if (reads(name, "algorithm")) return set(challenge.algorithm, text);
    if (reads(name, "opaque")) return set(challenge.opaque, text);
    if (reads(name, "qop")) return set(challenge.qop, text);
    if (reads(name, "domain")) return set(challenge.domain, text);
    if (reads(name, "stale")) return set(stale, text);
    return true;
  });
  if (error.fault != Fault::none) return bad(error.offset);
  challenge.stale = reads(stale, "true");
  return challenge;
}

}  // namespace ringweir::sip
