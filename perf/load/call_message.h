// Writes the messages of calls into the sockets' batches. Lengths of one kind differ with what a server puts
// into its routes; they are rounded up in the User-Agent, so that a batch leaves in one UDP_SEGMENT send.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "call.h"
#include "message.h"
#include "options.h"
#include "peers.h"
#include "phones.h"

namespace ringweir::load {

// In the order in which a call sends them: Peers keeps it.
enum class Lane : std::uint8_t { invite, ringing, answer, ack, bye, ended };
static_assert(static_cast<std::size_t>(Lane::ended) < kLanes);

// The last character of a branch names the request: an INVITE's first try is 'a', with credentials 'b' ...
inline constexpr char kAckLetter = 'y', kByeLetter = 'z';

class CallMessages {
 public:
  CallMessages(const Options& options, const Phones& phones, Peers& peers);

  std::uint32_t caller_peer(const Call& call) const noexcept { return call.caller % options_.sockets; }
  std::string request_uri(const Call& call) const {
    return "sip:" + std::to_string(phones_.name(call.callee)) + "@" + host_;
  }

  // credentials: a whole line, or nothing. The message's octets.
  std::size_t invite(const Call& call, std::string_view credentials);
  // RFC 3261 17.1.1.3: the ACK to a response that is no 2xx, hop by hop, its To from the response.
  void ack_refusal(const Call& call, std::string_view to);
  void ack(const Call& call, const Dialog& dialog);
  void bye(const Call& call, const Dialog& dialog);

  enum class Response : std::uint8_t { trying, ringing, answer, ok };
  void respond(std::uint32_t peer, Lane lane, Response response, std::string_view repeated,
               std::uint64_t callee);

 private:
  struct Forms {
    Template invite, hop, ack, bye;
  };

  void within(const Call& call, const Dialog& dialog, std::string_view method, const Template& identity,
              char letter, Lane lane);
  Values values_of(const Call& call, char letter) const noexcept;

  const Options& options_;
  const Phones& phones_;
  Peers& peers_;
  std::string host_;          // of the callees' addresses: the server itself, or the domain
  std::string offer_;         // header lines from Allow on, and the body
  std::vector<Forms> forms_;  // one a caller's socket
};

}  // namespace ringweir::load
