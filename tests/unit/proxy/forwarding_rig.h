// A parsed and validated message for the tests of what a proxy reads from it.
#pragma once
#include <gtest/gtest.h>

#include <string>

#include "ringweir/sip/essentials.h"
#include "ringweir/sip/forward.h"
#include "ringweir/sip/message.h"
#include "ringweir/sip/uri.h"

namespace ringweir::proxy {

struct Received {
  explicit Received(std::string bytes) : text(std::move(bytes)) {
    const sip::Parsed parsed = sip::parse(text, sip::Framing::datagram, message);
    EXPECT_EQ(parsed.completeness, sip::Completeness::complete) << text;
    const sip::Error error =
        message.is_request() ? sip::validate_request(message, read) : sip::validate_response(message, read);
    EXPECT_EQ(error.fault, sip::Fault::none) << sip::reason(error.fault) << '\n' << text;
    if (message.is_request()) uri = sip::parse_uri(message.request_uri()).value_or(sip::Uri{});
  }
  Received(const Received&) = delete;
  std::string text;
  sip::Message message;
  sip::Essentials read;
  sip::Uri uri;
};

struct Parts {
  std::string method = "INVITE", uri = "sip:101@example.com",
              vias = "Via: SIP/2.0/UDP 10.0.0.5;branch=z9hG4bKabc\r\n", from_tag = "1",
              to = "<sip:101@example.com>", call_id = "a@b", cseq = "2", more = "";
  std::string text() const {
    return method + " " + uri + " SIP/2.0\r\n" + vias + "From: <sip:100@example.com>;tag=" + from_tag +
           "\r\nTo: " + to + "\r\nCall-ID: " + call_id + "\r\nCSeq: " + cseq + " " + method + "\r\n" + more +
           "Content-Length: 0\r\n\r\n";
  }
};

}  // namespace ringweir::proxy
