// Decisions in sentences.
#include <array>
#include <string>

#include "ringweir/balance/choose.h"

namespace ringweir::balance {
namespace {

std::string name_of(const Target& target) {
  const std::string endpoint = ringweir::to_string(target.endpoint);
  return target.uri.empty() ? endpoint : target.uri + " (" + endpoint + ")";
}

std::string seconds(Duration d) {
  return std::to_string((to_ms(d) + 999) / 1000) + " s";
}

std::string counted(std::uint64_t n, std::string_view one, std::string_view many) {
  return std::to_string(n) + " " + std::string(n == 1 ? one : many);
}

std::string_view hashed(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::hash_from: return "From URI";
    case Algorithm::hash_to: return "To URI";
    case Algorithm::hash_uri: return "Request-URI";
    default: return "Call-ID";
  }
}

std::string because_of_hash(const Why& why) {
  const std::string key(hashed(why.algorithm));
  if (why.looks == 255) {
    return "the targets that the " + key +
           " hashes to first could not be used, and a draw among the others decided";
  }
  std::string text = "the " + key + " hashes to its slot " + std::to_string(why.figure);
  if (why.looks > 1) {
    text += ", found at look " + std::to_string(why.looks) + " because the earlier ones could not be used";
  }
  return text;
}

std::string because(const Why& why) {
  const std::string among =
      why.usable == 1 ? " (the only usable one)" : ", of " + counted(why.usable, "target", "usable targets");
  switch (why.algorithm) {
    case Algorithm::round_robin: return "it was its turn" + among;
    case Algorithm::weighted: return "it was its turn by weight" + among;
    case Algorithm::least_calls:
      return "it had the fewest calls for its weight, " + std::to_string(why.figure) + " open" + among;
    case Algorithm::least_outstanding:
      return "it had the fewest transactions in flight for its weight, " + std::to_string(why.figure) + among;
    case Algorithm::peak_ewma:
      return "of two at random it had the lower expected response time, " +
             std::to_string(why.figure / 1000) + " us with its load and weight" + among;
    default: return because_of_hash(why);
  }
}

}  // namespace

std::string describe(const Why& why, const Upstream& upstream) {
  // A decision may be older than the configuration that is asked about it.
  const std::string name = why.target < upstream.targets().size() ? name_of(upstream.targets()[why.target])
                                                                  : "target " + std::to_string(why.target);
  std::string text = std::string(upstream.name()) + " chose " + name + " by " +
                     std::string(to_string(why.algorithm)) + ": " + because(why);
  if (why.backup) {
    text +=
        "; it is a backup (priority " + std::to_string(why.priority) + "), no target before it could be used";
  }
  if (why.starting) text += "; it is in its slow start";
  if (why.failover) text += "; others were tried before for this request";
  if (why.continues) text += "; the request belongs to a call that was under way";
  return text + ".";
}

std::string describe_none(const Upstream& upstream, Instant now) {
  if (upstream.targets().empty()) return std::string(upstream.name()) + " has no target.";
  std::string text = std::string(upstream.name()) + " had no target to use: ";
  bool first = true;
  for (const Target& target : upstream.targets()) {
    const TargetState& state = *target.state;
    const Ejection ejection = state.ejection();
    if (!first) text += ", ";
    first = false;
    text += name_of(target);
    if (state.draining()) {
      text += " drains";
    } else if (state.verdict().probed == Health::down) {
      text += " fails its probes";
    } else if (ejection.holds(now)) {
      text += " is ejected (" + std::string(to_string(ejection.cause)) + ") for another " +
              seconds(Instant(std::chrono::milliseconds(ejection.until_ms)) - now);
    } else {
      text += " is " + std::string(to_string(state.health(now))) + " (tried before for this request)";
    }
  }
  return text + ".";
}

}  // namespace ringweir::balance
