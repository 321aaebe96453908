#include "sim/call_hostile.h"

#include <fmt/format.h>

#include <algorithm>

namespace ringweir::sim {
namespace {

constexpr std::size_t kHeardMost = 64;

std::string line_of(const std::string& message, const std::string& name) {
  const std::size_t at = message.find("\r\n" + name + ": ");
  if (at == message.npos) return {};
  return message.substr(at + 2, message.find("\r\n", at + 2) - at);  // with one CRLF
}

void remember(std::vector<std::string>& ring, std::size_t& next, const std::string& text) {
  if (ring.size() < kHeardMost) {
    ring.push_back(text);
  } else {
    ring[next] = text;
    next = (next + 1) % kHeardMost;
  }
}

}  // namespace

void CallHostile::hears(const std::string& request) {
  if (!request.starts_with("SIP/2.0") && !request.starts_with("REGISTER")) remember(heard_, next_, request);
}

void CallHostile::sees_branch(const std::string& branch) { remember(branches_, next_branch_, branch); }

std::string CallHostile::evil_branch() { return fmt::format("z9hG4bK-evil-{}", ++made_); }

const std::string* CallHostile::heard(std::string_view method) {
  std::vector<const std::string*> fit;
  for (const std::string& each : heard_) {
    if (each.starts_with(method)) fit.push_back(&each);
  }
  return fit.empty() ? nullptr : fit[random_.below(static_cast<std::uint32_t>(fit.size()))];
}

std::string CallHostile::garbage() {
  std::string text(1 + random_.below(400), '\0');
  for (char& c : text) c = static_cast<char>(random_.next());
  switch (random_.below(4)) {
    case 0: return "INVITE sip:9@example.com SIP/2.0\r\nCall-ID: evil\r\n" + text;
    case 1: return "SIP/2.0 200 OK\r\nCall-ID: evil\r\nVia: " + text;
    case 2: return "INVITE sip:9@example.com SIP/2.0\r\nCall-ID: evil\r\nSubject: " + std::string(6'000, 'x') + "\r\n\r\n";
    default: return text;
  }
}

// To nothing, or to what is nearly something: branches of ours with another secret, of another shard, stateless ones made up.
std::string CallHostile::stray_response() {
  std::string branch;
  switch (random_.below(4)) {
    case 0: branch = evil_branch(); break;
    case 1: branch = fmt::format("z9hG4bKl{:016x}", random_.next()); break;
    case 2: branch = fmt::format("z9hG4bKf{:014x}{:014x}", random_.next() >> 8, random_.next() >> 8); break;
    default:
      if (!branches_.empty()) branch = branches_[random_.below(static_cast<std::uint32_t>(branches_.size()))];
      if (branch.size() > 16) branch.replace(branch.size() - 8, 8, fmt::format("{:08x}", random_.below(UINT32_MAX)));
      break;
  }
  const std::string* invite = heard("INVITE");
  const std::string call_id = invite && random_.below(2) == 0 ? line_of(*invite, "Call-ID") : fmt::format("Call-ID: evil-{}\r\n", ++made_);
  constexpr int kStatuses[] = {100, 180, 200, 302, 407, 486, 503, 603};
  const Endpoint below = random_.below(2) == 0 ? elsewhere() : address_;
  return fmt::format("SIP/2.0 {} Evil\r\nVia: SIP/2.0/UDP {};branch={}\r\nVia: SIP/2.0/UDP {};branch={};received={};rport={}\r\n"
                     "From: <sip:a@example.com>;tag=evil\r\nTo: <sip:b@example.com>;tag=evil\r\n{}CSeq: {} {}\r\nContent-Length: 0\r\n\r\n",
                     kStatuses[random_.below(8)], to_string(edge_), branch, to_string(below), evil_branch(), to_string(below.ip),
                     below.port, call_id, 1 + random_.below(3), random_.below(2) == 0 ? "INVITE" : "CANCEL");
}

// Ways to have the edge send where it should not.
std::string CallHostile::stray_request() {
  constexpr const char* kMethods[] = {"INVITE", "BYE", "ACK", "CANCEL", "MESSAGE", "NOTIFY"};
  const std::string method = kMethods[random_.below(6)];
  const std::string far = to_string(elsewhere());
  std::string uri = "sip:9000@example.com", route, to_tag, via = fmt::format("{};branch={};rport", to_string(address_), evil_branch()),
              hops = "70";
  switch (random_.below(8)) {
    case 0: uri = "sip:x@" + far; break;
    case 1: route = "Route: <sip:" + far + ";lr>\r\n"; break;
    case 2: route = fmt::format("Route: <sip:{};lr;rw={}>\r\nRoute: <sip:{}>\r\n", to_string(edge_), std::string(64, 'A'), far); break;
    case 3: via = fmt::format("{};branch={};maddr={}", far, evil_branch(), to_string(elsewhere().ip)); break;
    case 4: hops = "0"; break;
    case 5: uri = fmt::format("sip:9@example.com;maddr={}", to_string(elsewhere().ip)); break;
    case 6: route = "Max-Breadth: 1\r\nProxy-Require: evil\r\n"; break;
    default: to_tag = ";tag=evil"; break;
  }
  if (random_.below(3) == 0) to_tag = ";tag=evil";
  return fmt::format("{} {} SIP/2.0\r\nVia: SIP/2.0/UDP {}\r\nMax-Forwards: {}\r\n{}From: <sip:u0@example.com>;tag=evil\r\n"
                     "To: <sip:9000@example.com>{}\r\nCall-ID: evil-{}\r\nCSeq: {} {}\r\nContact: <sip:evil@{}>\r\n"
                     "Content-Length: 0\r\n\r\n",
                     method, uri, via, hops, route, to_tag, ++made_, random_.below(2) == 0 ? 1 : 4'294'967'295u, method, far);
}

// Somebody's request under a branch of its own: as it is, cut, with octets changed, as another method, with other tags.
std::string CallHostile::altered() {
  if (heard_.empty()) return garbage();
  std::string text = heard_[random_.below(static_cast<std::uint32_t>(heard_.size()))];
  const std::size_t branch = text.find(";branch="), end = text.find(';', branch + 1);
  if (branch == text.npos || end == text.npos) return garbage();
  text.replace(branch + 8, end - branch - 8, evil_branch());
  const std::size_t behind = text.find("\r\n", branch) + 2;  // the Via stays readable, or nobody could be answered wrongly
  const auto rest = static_cast<std::uint32_t>(text.size() - behind);
  const std::string method = text.substr(0, text.find(' '));
  switch (random_.below(5)) {
    case 0: text.resize(behind + random_.below(rest)); break;
    case 1:
      for (std::uint32_t flips = 1 + random_.below(4); flips > 0; --flips) text[behind + random_.below(rest)] = static_cast<char>(random_.next());
      break;
    case 2:  // a CANCEL of it, under a branch that is not its
      for (std::size_t at = text.find(method); at != text.npos; at = text.find(method, at + 6)) text.replace(at, method.size(), "CANCEL");
      break;
    case 3:
      for (std::size_t at = text.find(";tag=p"); at != text.npos; at = text.find(";tag=p", at + 6)) text.replace(at, 6, ";tag=evil");
      break;
    default: break;
  }
  return text;
}

std::string CallHostile::attack() {
  switch (random_.below(6)) {
    case 0: return garbage();
    case 1:
    case 2: return stray_response();
    case 3: return stray_request();
    default: return altered();
  }
}

}  // namespace ringweir::sim
