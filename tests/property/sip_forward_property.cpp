// What is passed on is what came in, octet for octet, but for the edits: against a model that writes both
// messages from one list of lines and shares nothing with the code under test.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "ringweir/base/random.h"
#include "ringweir/sip/forward.h"

namespace ringweir::sip {
namespace {

// A line as it comes in and as it goes on; either may be empty.
struct Line {
  std::string in, out;
};
struct Scene {
  std::vector<Line> lines;
  std::string uri, via, source = "198.51.100.7:4711";
  std::vector<std::string> record_routes;
  std::string route, last_route;
  std::uint32_t max_breadth = 0;
  std::size_t routes_removed = 0;
  std::vector<std::string> removed_marks;  // in the value of a field to be left out
  std::string body;
  bool bare = false;  // line feeds alone
  bool has_max_forwards = false, has_max_breadth = false, has_length = false, has_route = false;
};

class Painter {
 public:
  explicit Painter(std::uint64_t seed) : random_(seed) {}

  Scene paint() {
    scene_.bare = random_.below(5) == 0;
    scene_.uri = maybe("sip:target@192.0.2.77");
    scene_.via = "SIP/2.0/UDP edge;branch=z9hG4bKours";
    for (std::uint32_t n = random_.below(3); n > 0; --n) scene_.record_routes.push_back("<sip:edge;lr;rw=T>");
    scene_.route = maybe("<sip:front;lr>");
    scene_.last_route = maybe("<sip:last>");
    if (random_.below(2) == 0) scene_.max_breadth = 1 + random_.below(60);
    std::vector<std::vector<Line>> groups = {{same(name("Call-ID", "i") + "a@b")},
                                             {same(name("From", "f") + "\"x, y\" <sip:a@b>;tag=1")},
                                             {same(name("To", "t") + fold("<sip:c@d>") + ";tag=2")},
                                             {same(name("CSeq", "cseq") + "7" + fold(" ") + "INVITE")},
                                             vias(),
                                             routes()};
    if (random_.below(2) == 0) groups.push_back(max_forwards());
    if (random_.below(2) == 0) groups.push_back(max_breadth());
    for (std::uint32_t n = random_.below(6); n > 0; --n) groups.push_back({other()});
    if (random_.below(3) == 0) groups.push_back(credentials());
    if (random_.below(2) == 0) scene_.body = "v=0\r\no=- 1 1\n\r\nx";
    if (random_.below(2) == 0) {
      scene_.has_length = true;
      groups.push_back({same(name("Content-Length", "l") + std::to_string(scene_.body.size()))});
    }
    mix(groups);
    return scene_;
  }

 private:
  std::string maybe(const char* text) { return random_.below(2) == 0 ? text : ""; }
  std::string fold(const std::string& text) { return random_.below(5) == 0 ? "\r\n " + text : text; }
  std::string name(const std::string& full, const std::string& compact) {
    static const char* const kColons[] = {": ", ":", " : ", ":\t", ":\r\n  "};
    return (random_.below(2) == 0 ? full : compact) + kColons[random_.below(5)];
  }
  static Line same(const std::string& line) { return {line, line}; }

  Line other() {
    static const char* const kLines[] = {"X-Any: one, two ;three",
                                         "Subject: ",
                                         "User-Agent: a\r\n b\r\n\tc",
                                         "s: hello",
                                         "Record-Route: <sip:r1;lr>, <sip:r2;lr>",
                                         "x-utf: \xc3\xa4\xc3\xb6",
                                         "Record-Route:<sip:r3;lr>  ",
                                         "Contact: <sip:a@1.2.3.4:5>;+sip.instance=\"<urn:x>\"",
                                         "P-Asserted-Identity  : <sip:a@b>",
                                         "Allow: INVITE,ACK",
                                         "Supported: timer"};
    std::string line;
    do line = kLines[random_.below(std::size(kLines))];
    while ((line.starts_with("Subject") || line.starts_with("s:") || line.starts_with("User")) &&
           subject_used_++ > 0);
    return same(line);
  }

  // The top element is completed; what it claims to be received from does not count.
  std::vector<Line> vias() {
    const std::string head = name("Via", "v");
    std::string in = "SIP/2.0/UDP ", out;
    const bool honest = random_.below(3) == 0;
    in += honest ? "198.51.100.7" : "host.example.net:5070";
    out = in;
    bool told = false;
    const bool rport = random_.below(2) == 0;
    std::vector<Line> parameters = {same(";branch=z9hG4bKtop")};
    if (random_.below(2) == 0) parameters.push_back(same(fold(";x=\"a,b;c\"")));
    if (rport) parameters.push_back({random_.below(2) == 0 ? ";rport" : ";rport=9", ";rport=4711"});
    if (random_.below(3) == 0) {
      parameters.push_back({";received=203.0.113.1", ""});
      told = true;
    }
    shuffle(parameters);
    for (const Line& p : parameters) {
      in += p.in;
      out += p.out;
    }
    if (rport || told || !honest) out += ";received=198.51.100.7";
    std::vector<Line> lines = {{head + in, head + out}};
    if (random_.below(2) == 0) {
      const std::string more = " ," + fold(" SIP/2.0/UDP second;branch=z9hG4bK2");
      lines[0].in += more;
      lines[0].out += more;
    }
    for (std::uint32_t n = random_.below(3); n > 0; --n)
      lines.push_back(same("Via: SIP/2.0/UDP old" + std::to_string(n)));
    return lines;
  }

  std::vector<Line> routes() {
    std::vector<std::vector<std::string>> fields(random_.below(4));
    std::size_t total = 0;
    for (auto& field : fields) {
      field.resize(1 + random_.below(3));
      for (auto& element : field)
        element = (random_.below(3) == 0 ? "\"q,\" " : "") + ("<sip:r" + std::to_string(total++)) + ";lr>";
    }
    scene_.has_route = !fields.empty();
    scene_.routes_removed = random_.below(3) == 0 ? total + random_.below(2)
                                                  : random_.below(static_cast<std::uint32_t>(total) + 1);
    std::size_t at = 0;
    std::vector<Line> lines;
    for (const auto& field : fields) {
      Line line{name("Route", "ROUTE"), ""};
      const std::string head = line.in;
      bool first = true;
      for (const std::string& element : field) {
        const std::string comma = first ? "" : fold(", ");
        line.in += comma + element;
        if (at++ >= scene_.routes_removed) line.out += (line.out.empty() ? head : comma) + element;
        first = false;
      }
      lines.push_back(line);
    }
    if (!lines.empty() && !scene_.last_route.empty()) {
      Line& last = lines.back();
      last.out += (last.out.empty() ? "" : "\r\n") + ("Route: " + scene_.last_route);
    }
    return lines;
  }

  std::vector<Line> max_forwards() {
    scene_.has_max_forwards = true;
    const std::uint32_t hops = random_.below(256);
    const std::string head = name("Max-Forwards", "max-forwards");
    return {{head + std::to_string(hops), head + std::to_string(hops == 0 ? 0 : hops - 1)}};
  }
  std::vector<Line> max_breadth() {
    scene_.has_max_breadth = true;
    const std::string head = name("Max-Breadth", "MAX-BREADTH");
    const std::string old = head + "61";
    return {{old, scene_.max_breadth == 0 ? old : head + std::to_string(scene_.max_breadth)}};
  }
  std::vector<Line> credentials() {
    const std::string ours = "Proxy-Authorization: Digest realm=\"mark\",\r\n nonce=\"1\"";
    scene_.removed_marks.push_back("mark");
    return {{ours, ""}, same("Proxy-Authorization: Digest realm=\"theirs\"")};
  }

  template <class T>
  void shuffle(std::vector<T>& list) {
    for (std::size_t i = list.size(); i > 1; --i)
      std::swap(list[i - 1], list[random_.below(static_cast<std::uint32_t>(i))]);
  }
  // Any order that keeps each group's own.
  void mix(std::vector<std::vector<Line>>& groups) {
    std::vector<std::size_t> order, at(groups.size());
    for (std::size_t g = 0; g < groups.size(); ++g) order.insert(order.end(), groups[g].size(), g);
    shuffle(order);
    for (const std::size_t g : order) scene_.lines.push_back(groups[g][at[g]++]);
  }

  Random random_;
  Scene scene_;
  int subject_used_ = 0;
};

std::string received(const Scene& s) {
  std::string text = "INVITE sip:asked@example.com SIP/2.0\r\n";
  for (const Line& line : s.lines) text += line.in + "\r\n";
  text += "\r\n";
  if (s.bare) {
    std::string thin;
    for (const char c : text) {
      if (c != '\r') thin += c;
    }
    text = thin;
  }
  return text + s.body;
}

std::string expected(const Scene& s) {
  std::string text =
      "INVITE " + (s.uri.empty() ? std::string("sip:asked@example.com") : s.uri) + " SIP/2.0\r\n";
  text += "Via: " + s.via + "\r\n";
  for (const std::string& rr : s.record_routes) text += "Record-Route: " + rr + "\r\n";
  if (!s.route.empty()) text += "Route: " + s.route + "\r\n";
  if (!s.last_route.empty() && !s.has_route) text += "Route: " + s.last_route + "\r\n";
  if (!s.has_max_forwards) text += "Max-Forwards: 70\r\n";
  if (!s.has_max_breadth && s.max_breadth != 0)
    text += "Max-Breadth: " + std::to_string(s.max_breadth) + "\r\n";
  for (const Line& line : s.lines) {
    if (!line.out.empty()) text += line.out + "\r\n";
  }
  if (!s.has_length) text += "Content-Length: " + std::to_string(s.body.size()) + "\r\n";
  return text + "\r\n" + s.body;
}

RequestEdits edits_of(const Scene& s, const Message& message) {
  RequestEdits edits;
  edits.request_uri = s.uri;
  edits.via = s.via;
  edits.source = *parse_endpoint(s.source);
  edits.max_breadth = s.max_breadth;
  if (s.routes_removed != 0) edits.routes = routes_behind(message, s.routes_removed);
  for (std::size_t i = 0; i < s.record_routes.size(); ++i) edits.record_routes[i] = s.record_routes[i];
  edits.route = s.route;
  edits.last_route = s.last_route;
  for (std::size_t i = 0; i < message.header_count(); ++i) {
    for (const std::string& mark : s.removed_marks) {
      const HeaderField& field = message.header(i);
      if (message.value(field).find("\"" + mark + "\"") != std::string_view::npos)
        edits.removed.add(message, field);
    }
  }
  return edits;
}

RC_GTEST_PROP(Forward, a_request_goes_on_as_the_model_says, (std::uint64_t seed)) {
  const Scene scene = Painter(seed).paint();
  const std::string in = received(scene);
  Message message;
  Essentials read;
  RC_ASSERT(parse(in, Framing::datagram, message).completeness == Completeness::complete);
  RC_ASSERT(validate_request(message, read).fault == Fault::none);
  const std::string want = expected(scene);
  std::string buffer(want.size() + in.size() + 512, '\0');
  Writer out(buffer.data(), buffer.size());
  write_request(out, message, read, edits_of(scene, message));
  RC_ASSERT(std::string(out.text()) == want);
  RC_ASSERT(out.ok());

  Message again;
  Essentials read_again;
  RC_ASSERT(parse(want, Framing::stream, again).consumed == want.size());
  RC_ASSERT(validate_request(again, read_again).fault == Fault::none);
}

// A response is the same text with another start line: every Via but the first remains.
RC_GTEST_PROP(Forward, a_response_loses_its_top_via_and_nothing_else, (std::uint64_t seed)) {
  Scene scene = Painter(seed).paint();
  scene.bare = false;
  std::string below;
  for (const Line& line : scene.lines) below += line.in + "\r\n";
  if (!scene.has_length) below += "Content-Length: " + std::to_string(scene.body.size()) + "\r\n";
  below += "\r\n" + scene.body;
  const std::string start = "SIP/2.0 180 Ringing\r\n", ours = "SIP/2.0/UDP edge;branch=z9hG4bKours";
  for (const bool list : {false, true}) {
    const std::string in = start + "Via: " + ours + (list ? " ,\r\n SIP/2.0/UDP x\r\n" : "\r\n") + below;
    const std::string want = start + (list ? "Via: SIP/2.0/UDP x\r\n" : "") + below;
    Message message;
    Essentials read;
    RC_ASSERT(parse(in, Framing::datagram, message).completeness == Completeness::complete);
    RC_ASSERT(validate_response(message, read).fault == Fault::none);
    RC_ASSERT(via_below(message, read).has_value());
    std::string buffer(want.size() + in.size() + 512, '\0');
    Writer out(buffer.data(), buffer.size());
    write_response(out, message, read);
    RC_ASSERT(std::string(out.text()) == want);
    RC_ASSERT(out.ok());
  }
}

}  // namespace
}  // namespace ringweir::sip
