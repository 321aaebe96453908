// A shard with a call under way and a peer, a target or a phone that sends anything: made-up bytes, and spoiled copies of what the edge
// itself has said. Nothing may crash, stall or be left over when all timers have fired.
#include <string>

#include "ringweir/base/check.h"
#include "support/call_rig.h"

using namespace ringweir;
using support::CallOptions;
using support::CallRig;
using support::Seen;

namespace {

// The input, octet by octet; zeros behind its end.
struct Script {
  const std::uint8_t* at;
  const std::uint8_t* end;
  bool done() const { return at == end; }
  std::uint8_t octet() { return at == end ? std::uint8_t{0} : *at++; }
  std::string text(std::size_t size) {
    const std::size_t taken = std::min(size, static_cast<std::size_t>(end - at));
    std::string out(reinterpret_cast<const char*>(at), taken);
    at += taken;
    return out;
  }
};

CallOptions small() {
  CallOptions options;
  options.rig.bindings_max = 64;
  options.rig.nonce_slots = 256;
  options.rig.answered_capacity = 256;
  options.rig.trace_entries = 16;
  options.rig.driver = {.inputs = 8, .send_buffers = 64};
  options.rig.engine = {.contexts = 16, .branches = 24, .calls = 8};
  options.rig.texts_bytes = 8 * transaction::TextPool::kChunkBytes;
  return options;
}

// Some octets of `text` become others, go, or come twice.
void spoil(std::string& text, Script& script) {
  for (int edits = script.octet() % 4; edits > 0 && !text.empty(); --edits) {
    const std::size_t at = (std::size_t{script.octet()} << 8 | script.octet()) % text.size();
    switch (script.octet() % 4) {
      case 0: text[at] = static_cast<char>(script.octet()); break;
      case 1: text.erase(at, 1 + script.octet() % 32u); break;
      case 2: text.insert(at, text.substr(at, script.octet() % 64u)); break;
      default: text.insert(at, script.text(script.octet() % 32u)); break;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Script script{data, data + size};
  CallOptions options = small();
  const std::uint8_t kind = script.octet();
  options.stateless = (kind & 1) != 0;
  options.algorithm = static_cast<balance::Algorithm>((kind >> 1) % balance::kAlgorithmNames.size());
  if ((kind & 0x80) != 0) options.authenticate = {sip::Method::message};
  CallRig r(options);
  r.registers("101", support::kCallee);
  r.registers("101", {support::kCallee.ip, 5070}, "q=0.5");
  r.say(CallRig::invite((kind & 0x40) != 0 ? "101" : "9001"));
  std::vector<Seen> heard(r.seen.begin(), r.seen.end());
  r.seen.clear();
  for (int steps = 0; steps < 64 && !script.done(); ++steps) {
    const std::uint8_t step = script.octet();
    const Endpoint froms[] = {support::kCaller, support::kCallee, support::target_at(0), support::target_at(1), support::kStranger};
    const Endpoint& from = froms[(step >> 4) % 5];
    std::string text;
    switch (step % 8) {
      case 0: text = script.text(script.octet() * 8u); break;
      case 1: r.pass(std::chrono::milliseconds(script.octet() * 40)); continue;
      case 2: r.unreachable(from); continue;
      case 3:
      case 4: {  // an answer to something the edge sent
        if (heard.empty()) continue;
        const Seen& one = heard[script.octet() % heard.size()];
        if (one.sip.status != 0) continue;
        static constexpr int kStatus[] = {100, 180, 183, 200, 202, 302, 401, 407, 408, 486, 487, 503, 600, 699};
        text = support::response_to(one, kStatus[script.octet() % std::size(kStatus)], {.contact = "sip:x@192.0.2.8:5064"});
        break;
      }
      case 5:  // what the edge sent, back to it
        if (heard.empty()) continue;
        text = heard[script.octet() % heard.size()].raw;
        break;
      case 6: text = support::cancel_of(CallRig::invite((kind & 0x40) != 0 ? "101" : "9001")).text(); break;
      default: {  // a request of our own about the call
        support::RequestText request = CallRig::invite((step & 0x80) != 0 ? "101" : "9001");
        static constexpr const char* kMethods[] = {"INVITE", "ACK", "BYE", "INFO", "MESSAGE", "REGISTER", "OPTIONS", "SUBSCRIBE"};
        request.method = kMethods[script.octet() % std::size(kMethods)];
        request.cseq = script.octet() % 4u;
        request.via += std::to_string(script.octet() % 8);
        if (!heard.empty()) {
          const Seen& one = heard[script.octet() % heard.size()];
          if (one.sip.has("record-route")) request.with("Route: " + one.get("record-route"));
          if (one.sip.has("to")) request.to = one.get("to");
        }
        text = request.text();
      }
    }
    spoil(text, script);
    if (text.size() > limits::kMessageBytesMax) continue;
    r.say(text, from);
    for (Seen& one : r.seen) {
      if (heard.size() < 64) heard.push_back(std::move(one));
    }
    r.seen.clear();
  }
  check(r.leftovers().empty(), "every transaction, text, buffer and count is gone when its time is over");
  return 0;
}
