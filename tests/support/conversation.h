// A phone's side of a conversation with a ShardRig, one message at a time.
#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "ringweir/auth/digest.h"
#include "ringweir/base/writer.h"
#include "support/request_text.h"
#include "support/shard_rig.h"
#include "support/sip_text.h"

namespace ringweir::support {

inline const Endpoint kPhone{IpAddress::v4(192, 0, 2, 7), 5062};

// The header line that answers the challenge in `response`, without CRLF.
inline std::string answer_to(const SipText& response, const RequestText& request, std::string_view user,
                             std::string_view password, std::uint32_t nc = 1) {
  const bool proxy = response.status == 407;
  const std::string_view challenge = response.get(proxy ? "proxy-authenticate" : "www-authenticate");
  const std::string realm = parameter_of(challenge, "realm"), nonce = parameter_of(challenge, "nonce");
  auth::Answer answer;
  answer.username = user;
  answer.realm = realm;
  answer.nonce = nonce;
  answer.method = request.method;
  answer.uri = request.uri;
  answer.qop = challenge.find("qop=") != challenge.npos;
  answer.nc = nc;
  answer.cnonce = "c0ffee";
  std::array<char, 1024> space;
  Writer out(space.data(), space.size());
  auth::write_authorization(out, proxy, answer, auth::ha1(auth::HashKind::md5, user, realm, password));
  return std::string{out.text().substr(0, out.size() - 2)};
}

class Conversation {
 public:
  explicit Conversation(const SnapshotOptions& options = {}, const RigOptions& rig_options = {})
      : snapshot_(make_snapshot(options)), rig(rig_options, snapshot_) {}

  // What comes back, if anything; it must come back to where rport says.
  std::optional<SipText> say(std::string_view bytes, const Endpoint& from = kPhone, std::uint32_t shard = 0) {
    raw.clear();
    check(rig.drivers[shard]->deliver(bytes, from, 0), "room for one datagram");
    rig.turn_all();
    std::optional<SipText> answer;
    for (const auto& driver : rig.drivers) {
      for (const io::SimSent& sent : driver->sent()) {
        raw = sent.bytes;
        went_to = sent.to;
        answer = read_sip(sent.bytes);
      }
      driver->clear_sent();
    }
    return answer;
  }
  std::optional<SipText> say(const RequestText& request) { return say(request.text()); }

  // Challenge and answer. `request` is left as it was accepted, for repeating it.
  SipText authorised(RequestText& request, std::string_view user = "100", std::string_view password = "100") {
    const auto challenge = say(request);
    check(challenge && (challenge->status == 401 || challenge->status == 407), "a challenge");
    request.with(answer_to(*challenge, request, user, password));
    ++request.cseq;
    request.via += "x";  // a new branch
    const auto answer = say(request);
    check(answer.has_value(), "an answer");
    return *answer;
  }
  const shard::Snapshot& snapshot() const { return snapshot_; }
  // Nothing reads it between two messages.
  shard::Snapshot& edit() { return snapshot_; }
  const shard::Counters& counters(std::uint32_t shard = 0) const { return rig.shared.faces[shard]->counters; }
  std::uint64_t dropped(shard::Dropped why) const { return counters().dropped[static_cast<std::size_t>(why)].read(); }

 private:
  shard::Snapshot snapshot_;

 public:
  ShardRig rig;
  std::string raw;  // the last datagram that came
  Endpoint went_to;
};

}  // namespace ringweir::support
