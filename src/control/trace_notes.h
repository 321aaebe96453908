// What a trace shows of a message beside its start line.
#pragma once
#include <string>
#include <string_view>

namespace ringweir::control {

struct TraceNotes {
  std::string start;     // "REGISTER sip:example.com" or "401 Unauthorized", printable; a line in brackets when not SIP
  std::string cseq;      // "1 REGISTER"; empty when it has none
  std::string remarks;   // "nonce=8f2c.. MD5", "user=101 nc=00000001"
  std::string identity;  // equal for a message and its retransmissions
  std::string from_user; // user@host of From, for the ladder's head
  std::string uri_user, uri_host;  // of a request's URI; the host with its port
  bool request = false;
  int status = 0;
};

TraceNotes read_notes(std::string_view text);

}  // namespace ringweir::control
