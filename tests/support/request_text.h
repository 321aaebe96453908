// Requests as a test writes them: every part has a good value until the test says otherwise.
#pragma once
#include <string>
#include <vector>

namespace ringweir::support {

struct RequestText {
  std::string method = "REGISTER";
  std::string uri = "sip:example.com";
  std::string via = "SIP/2.0/UDP 192.0.2.7:5062;rport;branch=z9hG4bK-1";
  std::string from = "<sip:100@example.com>;tag=a1";
  std::string to = "<sip:100@example.com>";
  std::string call_id = "call-1@192.0.2.7";
  std::uint32_t cseq = 1;
  std::string cseq_method;           // empty: the method
  std::string max_forwards = "70";
  std::vector<std::string> lines;    // further header lines, without CRLF
  std::string version = "SIP/2.0";
  std::string body;

  RequestText& with(std::string line) {
    lines.push_back(std::move(line));
    return *this;
  }
  std::string text() const {
    std::string out = method + ' ' + uri + ' ' + version + "\r\n";
    const auto line = [&out](std::string_view name, const std::string& value) {
      if (value.empty()) return;  // an empty part is left out
      out += name;
      out += ": " + value + "\r\n";
    };
    line("Via", via);
    line("Max-Forwards", max_forwards);
    line("From", from);
    line("To", to);
    line("Call-ID", call_id);
    line("CSeq", std::to_string(cseq) + ' ' + (cseq_method.empty() ? method : cseq_method));
    for (const std::string& extra : lines) out += extra + "\r\n";
    return out + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
};

}  // namespace ringweir::support
