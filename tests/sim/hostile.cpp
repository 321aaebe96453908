#include "sim/hostile.h"

#include <fmt/format.h>

namespace ringweir::sim {
namespace {
constexpr std::size_t kHeardMost = 64;
}

void Hostile::hears(const std::string& bytes, const std::string& branch, const Endpoint& from) {
  if (branch.empty()) return;
  if (heard_.size() < kHeardMost) {
    heard_.push_back({bytes, branch, from});
  } else {
    heard_[next_] = {bytes, branch, from};
    next_ = (next_ + 1) % kHeardMost;
  }
}

std::string Hostile::garbage() {
  std::string text(1 + random_.below(400), '\0');
  for (char& c : text) c = static_cast<char>(random_.next());
  switch (random_.below(4)) {
    case 0: return "REGISTER sip:example.com SIP/2.0\r\nCall-ID: x\r\n" + text;
    case 1: return "SIP/2.0 200 OK\r\nCall-ID: x\r\nVia: " + text;
    case 2: return "REGISTER sip:example.com SIP/2.0\r\nCall-ID: big\r\nSubject: " + std::string(6'000, 'x') + "\r\n\r\n";
    default: return text;
  }
}

// Under a branch of its own, so that no phone's transaction is touched; what it repeats has been used up.
std::string Hostile::altered(const Heard& heard) {
  std::string text = heard.bytes;
  const std::size_t at = text.find(heard.branch);
  text.replace(at, heard.branch.size(), fmt::format("z9hG4bK-evil-{}", ++branches_));
  const std::size_t behind = at + 24;  // leave the Via readable, or nobody could be answered wrongly
  switch (random_.below(4)) {
    case 0: text.resize(behind + random_.below(static_cast<std::uint32_t>(text.size() - behind))); break;
    case 1: {
      for (int flips = 1 + static_cast<int>(random_.below(4)); flips > 0; --flips) {
        const std::size_t where = behind + random_.below(static_cast<std::uint32_t>(text.size() - behind));
        text[where] = static_cast<char>(random_.next());
      }
      break;
    }
    case 2: {  // somebody else's contact under a digest that was accepted
      const std::size_t contact = text.find("\r\nContact: <sip:");
      if (contact != text.npos) text.insert(contact + 15, "evil");
      break;
    }
    default: break;  // the same again, as a new transaction
  }
  return text;
}

Hostile::Attack Hostile::attack(const Oracle& oracle) {
  if (heard_.empty() || random_.below(3) == 0) return {garbage(), address_, {}};
  const Heard& heard = heard_[random_.below(static_cast<std::uint32_t>(heard_.size()))];
  // What the edge has not decided yet would be delivered, not replayed: the network does that already.
  if (!oracle.was_accepted(heard.branch)) return {garbage(), address_, {}};
  if (random_.below(3) == 0) return {heard.bytes, heard.from, heard.branch};
  return {altered(heard), address_, {}};
}

}  // namespace ringweir::sim
