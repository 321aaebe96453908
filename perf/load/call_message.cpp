#include "call_message.h"

#include <cstring>

namespace ringweir::load {
namespace {

constexpr std::string_view kAllow =
    "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO\r\n";
constexpr std::string_view kBody =
    "v=0\r\no=phone 53655765 2353687637 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 6000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";
constexpr std::string_view kEmpty = "Content-Length: 0\r\n\r\n";

// Room for the text so far, a User-Agent and what follows it, in a multiple of kGrain octets.
constexpr std::size_t kGrain = 32;
constexpr std::string_view kAgent = "User-Agent: ringweir-load/1.00000000000000000000000000000000";
constexpr std::size_t kAgentLeast = kAgent.size() - kGrain;

std::size_t padding_of(std::size_t text) noexcept {
  const std::size_t least = text + kAgentLeast + 2;
  return (kGrain - least % kGrain) % kGrain;
}

class Pen {
 public:
  explicit Pen(char* at) : at_(at) {}
  Pen& put(std::string_view text) noexcept {
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
    return *this;
  }
  Pen& put(const Template& form, const Values& values) noexcept {
    form.render(values, at_);
    at_ += form.size();
    return *this;
  }
  Pen& agent(std::size_t padding) noexcept {
    return put(kAgent.substr(0, kAgentLeast + padding)).put("\r\n");
  }

 private:
  char* at_;
};

std::string with_body() {
  return "Content-Type: application/sdp\r\nContent-Length: " + std::to_string(kBody.size()) + "\r\n\r\n" +
         std::string(kBody);
}

std::size_t lane_of(Lane lane) noexcept {
  return static_cast<std::size_t>(lane);
}

}  // namespace

CallMessages::CallMessages(const Options& options, const Phones& phones, Peers& peers)
    : options_(options), phones_(phones), peers_(peers) {
  host_ = options.workload == Workload::user_call ? options.domain : options.target_text;
  offer_ = std::string(kAllow) + "User-Agent: ringweir-load\r\n" + with_body();
  for (std::uint32_t peer = 0; peer < options.sockets; ++peer) {
    const Common common{options.target_text, peers.local(peer), options.domain,
                        options.seed,        options.expires_s, std::to_string(options.user_base).size()};
    forms_.push_back({Template::invite(common, host_), Template::dialog_hop(common),
                      Template::dialog_identity(common, "ACK"), Template::dialog_identity(common, "BYE")});
  }
}

Values CallMessages::values_of(const Call& call, char letter) const noexcept {
  Values values;
  values.token = call.token;
  values.user = phones_.name(call.caller);
  values.callee = phones_.name(call.callee);
  values.letter = letter;
  values.cseq = call.cseq;
  return values;
}

std::size_t CallMessages::invite(const Call& call, std::string_view credentials) {
  const std::uint32_t peer = caller_peer(call);
  const Template& form = forms_[peer].invite;
  const std::size_t size = form.size() + credentials.size() + offer_.size();
  Pen(peers_.reserve(peer, size, lane_of(Lane::invite)))
      .put(form, values_of(call, static_cast<char>('a' + call.challenged)))
      .put(credentials)
      .put(offer_);
  return size;
}

void CallMessages::ack_refusal(const Call& call, std::string_view to) {
  Dialog hop;
  hop.target.append(request_uri(call));
  hop.to.append(to);
  within(call, hop, "ACK ", forms_[caller_peer(call)].ack, static_cast<char>('a' + call.challenged),
         Lane::ack);
}

void CallMessages::ack(const Call& call, const Dialog& dialog) {
  within(call, dialog, "ACK ", forms_[caller_peer(call)].ack, kAckLetter, Lane::ack);
}

void CallMessages::bye(const Call& call, const Dialog& dialog) {
  within(call, dialog, "BYE ", forms_[caller_peer(call)].bye, kByeLetter, Lane::bye);
}

void CallMessages::within(const Call& call, const Dialog& dialog, std::string_view method,
                          const Template& identity, char letter, Lane lane) {
  const std::uint32_t peer = caller_peer(call);
  const Template& hop = forms_[peer].hop;
  const std::string_view target = dialog.target.view(), routes = dialog.routes.view(), to = dialog.to.view();
  const std::size_t text = method.size() + target.size() + hop.size() + routes.size() + identity.size() + 4 +
                           to.size() + 2 + kEmpty.size();
  const std::size_t padding = padding_of(text);
  const Values values = values_of(call, letter);
  Pen(peers_.reserve(peer, text + kAgentLeast + padding + 2, lane_of(lane)))
      .put(method)
      .put(target)
      .put(hop, values)
      .put(routes)
      .put(identity, values)
      .put("To: ")
      .put(to)
      .put("\r\n")
      .agent(padding)
      .put(kEmpty);
}

void CallMessages::respond(std::uint32_t peer, Lane lane, Response response, std::string_view repeated,
                           std::uint64_t callee) {
  static const std::string answer_body = with_body();
  const bool answer = response == Response::answer;
  constexpr std::string_view kStatus[] = {"SIP/2.0 100 Trying\r\n", "SIP/2.0 180 Ringing\r\n",
                                          "SIP/2.0 200 OK\r\n", "SIP/2.0 200 OK\r\n"};
  const std::string_view status = kStatus[static_cast<std::size_t>(response)];
  const std::string_view tail = answer ? std::string_view(answer_body) : kEmpty;
  const std::string user = std::to_string(callee);
  const std::string& local = peers_.local(peer);
  constexpr std::string_view kContact = "Contact: <sip:", kContactEnd = ">\r\n";
  const bool contact = answer || response == Response::ringing;
  std::size_t text = status.size() + repeated.size() + tail.size();
  if (contact) text += kContact.size() + user.size() + 1 + local.size() + kContactEnd.size();
  const std::size_t padding = padding_of(text);
  Pen pen(peers_.reserve(peer, text + kAgentLeast + padding + 2, lane_of(lane)));
  pen.put(status).put(repeated);
  if (contact) pen.put(kContact).put(user).put("@").put(local).put(kContactEnd);
  pen.agent(padding).put(tail);
}

}  // namespace ringweir::load
