// A health probe as a SIP request, and what answers it. Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ringweir/base/address.h"

namespace ringweir::control {

struct ProbeMessage {
  std::string method;   // "OPTIONS"
  std::string uri;      // of the target, as configured
  Endpoint local;       // of the connected socket that it leaves from
  std::uint64_t token;  // random: Call-ID, branch and From tag are made of it
};

// RFC 3261 11.1, or the like for another method.
std::string write_probe(const ProbeMessage& probe);
// The status of a response to exactly this request (RFC 3261 17.1.3, and its Call-ID); nullopt for anything
// else.
std::optional<std::uint16_t> probe_answer(const ProbeMessage& probe, std::string_view datagram);

}  // namespace ringweir::control
