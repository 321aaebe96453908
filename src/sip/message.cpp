#include "ringweir/sip/message.h"

#include <algorithm>

#include "sip/characters.h"
#include "sip/header_names.h"
#include "sip/marks.h"
#include "sip/start_line.h"

namespace ringweir::sip {

namespace {
constexpr std::uint32_t kNowhere = ~0u;

// Gives stage 2 the marks as offsets, a window at a time; a window is marked when it is reached.
// PERF: offsets laid out in a row cost six instructions a mark to make and one load to take; walking the bits
// block by block from stage 2 cost it its registers.
class MarkSource {
 public:
  explicit MarkSource(std::string_view text) noexcept : text_(text) {}

  // How many offsets are in offsets() now; 0 behind the last window.
  std::uint32_t fill() noexcept {
    std::uint32_t count = 0;
    while (count == 0 && next_window_ < text_.size()) {
      const std::uint32_t window = next_window_;
      const std::size_t size = std::min(text_.size() - window, detail::kMarkWindow);
      next_window_ += detail::kMarkWindow;
      detail::mark(text_.data() + window, size, carry_, marks_);
      const std::size_t blocks = (size + 63) / 64;
      count = detail::list(marks_, blocks, window, offsets_);
      if (marks_.any_odd != 0) [[unlikely]]
        look_at_odd(window, blocks);
    }
    return count;
  }
  const std::uint32_t* offsets() const noexcept { return offsets_; }
  // The first octet seen so far that no header line may hold.
  std::uint32_t binary_at() const noexcept { return binary_at_; }

 private:
  void look_at_odd(std::uint32_t window, std::size_t blocks) noexcept {
    for (std::size_t block = 0; block < blocks; ++block) {
      for (std::uint64_t odd = marks_.odd[block]; odd != 0 && binary_at_ == kNowhere; odd &= odd - 1) {
        const std::uint32_t at = window + static_cast<std::uint32_t>(block * 64) +
                                 static_cast<std::uint32_t>(__builtin_ctzll(odd));
        if (at > 0 && text_[at - 1] == '\r') {
          binary_at_ = at - 1;
        } else if (!is_quoted(at)) {
          binary_at_ = at;
        }
      }
    }
  }
  // An odd number of backslashes before it
  bool is_quoted(std::uint32_t at) const noexcept {
    std::uint32_t first = at;
    while (first > 0 && text_[first - 1] == '\\') --first;
    return (at - first) % 2 != 0;
  }

  std::string_view text_;
  std::uint32_t next_window_ = 0;
  std::uint32_t binary_at_ = kNowhere;
  detail::MarkCarry carry_;
  detail::Marks marks_;
  std::uint32_t offsets_[detail::kMarkWindow];
};

// Stage 2's place among the marks. Apart from the source, so that it can live in registers.
struct MarkWalk {
  const std::uint32_t* at = nullptr;
  const std::uint32_t* end = nullptr;

  // The next line feed or first colon; false at the end of the text.
  bool next(MarkSource& source, std::uint32_t& position) noexcept {
    if (at == end) [[unlikely]] {
      const std::uint32_t count = source.fill();
      if (count == 0) return false;
      at = source.offsets();
      end = at + count;
    }
    position = *at++;
    return true;
  }
};

bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t';
}
bool is_control_or_space(char c) noexcept {
  return static_cast<unsigned char>(c) <= ' ';
}
}  // namespace

class StructureParser {
 public:
  StructureParser(std::string_view text, std::uint32_t lead, Framing framing, Message& out) noexcept
      : text_(text), lead_(lead), framing_(framing), out_(out), source_(text) {}

  Parsed run() noexcept {
    out_.bytes_ = text_;
    out_.method_text_ = out_.uri_ = out_.body_ = {};
    out_.count_ = 0;
    out_.status_ = 0;
    out_.method_ = Method::unknown;
    out_.first_.fill(Message::kNone);
    if (framing_ == Framing::datagram && text_.size() > limits::kMessageBytesMax) {
      return fail(Fault::message_too_long, limits::kMessageBytesMax);
    }
    Line line{};
    MarkWalk walk;
    Step step = next_line(walk, line, true);
    if (step == Step::line) step = start_line(line);
    while (step == Step::line) {
      step = plain_lines(walk, line);
      if (step == Step::line) step = next_line(walk, line, false);
      if (step == Step::line) step = header_line(line);
    }
    return step == Step::end ? end_of_headers(line.next) : result_;
  }

 private:
  // One logical line: folds included.
  struct Line {
    std::uint32_t begin, end;  // end: without the line end
    std::uint32_t colon;       // kNowhere when the first physical line has none
    std::uint32_t next;        // where the line after it begins
    bool folded;
  };
  enum class Step : std::uint8_t { line, end, stop };  // stop: result_ is set

  Parsed fail(Fault fault, std::size_t offset) noexcept {
    Error error{fault, static_cast<std::uint32_t>(offset)};
    if (deferred_.fault != Fault::none) error = deferred_;
    error.offset += lead_;
    return {Completeness::error, error, 0};
  }
  Step stop(Fault fault, std::size_t offset) noexcept {
    result_ = fail(fault, offset);
    return Step::stop;
  }
  Step wait() noexcept {
    result_ = {Completeness::partial, {}, 0};
    return Step::stop;
  }
  // The first maximum that a line from `begin` reaching to `end` goes beyond: the same whether it comes whole
  // or in parts.
  bool too_long(std::size_t begin, std::size_t end) noexcept {
    const std::size_t line_max = begin + limits::kHeaderLineBytesMax;
    if (end <= std::min(line_max, limits::kMessageBytesMax)) [[likely]]
      return false;
    if (line_max < limits::kMessageBytesMax) {
      stop(Fault::header_too_long, begin);
    } else {
      stop(Fault::message_too_long, limits::kMessageBytesMax);
    }
    return true;
  }

  Step next_line(MarkWalk& walk, Line& line, bool is_start_line) noexcept {
    const char* const text = text_.data();
    const std::uint32_t begin = line.next;
    std::uint32_t mark, colon = kNowhere;
    bool folded = false, has_cr;
    for (;;) {
      if (!walk.next(source_, mark)) return unfinished(begin);
      if (text[mark] == ':') {
        if (!folded) colon = mark;
        continue;
      }
      has_cr = mark > begin && text[mark - 1] == '\r';
      if (mark + 1 == text_.size()) [[unlikely]] {
        if (framing_ == Framing::stream && !is_start_line && mark - has_cr != begin) return unfinished(begin);
        break;
      }
      if (!is_blank(text[mark + 1]) || is_start_line || mark - has_cr == begin) [[likely]]
        break;
      folded = true;  // RFC 3261 7.3.1
      if (!has_cr && bare_line_feed_ == kNowhere) bare_line_feed_ = mark;
    }
    line = {begin, mark - has_cr, colon, mark + 1, folded};
    if (text_.size() > limits::kHeaderLineBytesMax && too_long(begin, line.next)) return Step::stop;
    if (source_.binary_at() < line.next) [[unlikely]]
      return stop(Fault::binary, source_.binary_at());
    if (framing_ == Framing::stream) {
      if (!has_cr && bare_line_feed_ == kNowhere) bare_line_feed_ = mark;
      if (bare_line_feed_ != kNowhere) return stop(Fault::header_syntax, bare_line_feed_);
    }
    return line.end == begin ? Step::end : Step::line;
  }

  Step unfinished(std::uint32_t line_begin) noexcept {
    if (too_long(line_begin, text_.size())) return Step::stop;
    return framing_ == Framing::stream ? wait() : stop(Fault::truncated, text_.size());
  }

  Step start_line(const Line& line) noexcept {
    const StartLine start = parse_start_line(text_.substr(line.begin, line.end - line.begin));
    if (start.error.fault == Fault::start_line) return stop(Fault::start_line, start.error.offset);
    deferred_ = start.error;
    out_.status_ = start.status;
    out_.uri_ = start.uri_or_reason;
    out_.method_ = start.method;
    if (start.status == 0) out_.method_text_ = start.method_text;
    return Step::line;
  }

  // The lines from line.next on that are written as nearly all are: a name that is known and stands once, a
  // colon, no fold, CRLF, all marked by now. Leaves the first other one to next_line(). PERF: half of what
  // they cost there.
  [[gnu::always_inline]] inline Step plain_lines(MarkWalk& walk, Line& line) noexcept {
    if (source_.binary_at() != kNowhere || text_.size() > limits::kHeaderLineBytesMax) return Step::line;
    const char* const text = text_.data();
    const std::size_t last = text_.size() - 1;  // there was a start line
    const std::uint32_t* at = walk.at;
    std::uint32_t begin = line.next, count = out_.count_;
    for (; walk.end - at >= 2 && count != limits::kHeadersMax; at += 2) {
      const std::uint32_t colon = at[0], end = at[1];  // a line's first colon is followed by its end
      if (text[colon] != ':' || text[end - 1] != '\r' || end >= last || is_blank(text[end + 1])) break;
      const HeaderId id = parse_known_name(text + begin, colon - begin);
      std::uint8_t& first = out_.first_[static_cast<std::size_t>(id)];
      if (id == HeaderId::other || (first != Message::kNone && is_single_instance(id))) break;
      if (first == Message::kNone) first = static_cast<std::uint8_t>(count);
      out_.headers_[count++] = field(begin, colon, end - 1, id, false);
      begin = end + 1;
    }
    line.next = begin;
    out_.count_ = count;
    walk.at = at;
    return Step::line;
  }

  HeaderField field(std::uint32_t name, std::uint32_t colon, std::uint32_t end, HeaderId id,
                    bool folded) const noexcept {
    const char* const text = text_.data();
    std::uint32_t begin = colon + 1;
    // PERF: one space, then the value to the line's end is how nearly all are written. More LWS, or no value,
    // is found by being no more than a space; behind the value there is always a line end to stop at.
    if (text[begin] == ' ') ++begin;
    if (is_control_or_space(text[begin]) || is_control_or_space(text[end - 1])) [[unlikely]] {
      while (begin != end && is(text[begin], kLws)) ++begin;
      while (begin != end && is(text[end - 1], kLws)) --end;
    }
    return {name, begin, end - begin, static_cast<std::uint16_t>(colon - name), id, folded};
  }

  Step header_line(const Line& line) noexcept {
    if (line.colon == kNowhere) return stop(Fault::header_syntax, line.begin);
    const char* const text = text_.data();
    std::uint32_t name_size = line.colon - line.begin;
    HeaderId id = parse_header_name({text + line.begin, name_size});
    if (id == HeaderId::other) [[unlikely]] {  // a known name is a token; look closer at the others
      if (!is_other_name(line.begin, name_size)) return stop(Fault::header_syntax, line.begin);
      id = parse_header_name({text + line.begin, name_size});
    }
    const std::uint32_t count = out_.count_;
    if (count == limits::kHeadersMax) [[unlikely]]
      return stop(Fault::too_many_headers, line.begin);
    HeaderField& made = out_.headers_[count] = field(line.begin, line.colon, line.end, id, line.folded);
    made.name_size = static_cast<std::uint16_t>(name_size);  // less the white space before the colon
    out_.count_ = count + 1;
    std::uint8_t& first = out_.first_[static_cast<std::size_t>(id)];
    if (first == Message::kNone) {
      if (id != HeaderId::other) first = static_cast<std::uint8_t>(count);
    } else if (is_single_instance(id) && deferred_.fault == Fault::none) {
      deferred_ = {Fault::duplicate_header, line.begin};
    }
    return Step::line;
  }

  // A token, with white space behind it (HCOLON); `size` becomes the token's.
  bool is_other_name(std::uint32_t begin, std::uint32_t& size) const noexcept {
    while (size != 0 && is_blank(text_[begin + size - 1])) --size;
    Cursor c(text_.substr(begin, size));
    return size != 0 && c.take<kToken>().size() == size;
  }

  // RFC 3261 18.3, 20.14
  Parsed end_of_headers(std::uint32_t begin) noexcept {
    const std::size_t arrived = text_.size() - begin;
    std::size_t length = arrived;
    if (const HeaderField* field = out_.first(HeaderId::content_length)) {
      if (!read_length(out_.value(*field), length)) return fail(Fault::content_length, field->value_offset);
      if (framing_ == Framing::stream && begin + length > limits::kMessageBytesMax) {
        return fail(Fault::message_too_long, field->value_offset);
      }
      if (length > arrived) {
        if (framing_ == Framing::datagram || deferred_.fault != Fault::none) {
          return fail(Fault::content_length, field->value_offset);
        }
        return {Completeness::partial, {}, 0};
      }
    } else if (framing_ == Framing::stream) {
      return fail(Fault::no_content_length, begin);
    }
    out_.bytes_ = text_.substr(0, begin + length);
    out_.body_ = text_.substr(begin, length);
    if (deferred_.fault != Fault::none) return fail(deferred_.fault, deferred_.offset);
    return {Completeness::complete, {}, static_cast<std::uint32_t>(lead_ + begin + length)};
  }

  static bool read_length(std::string_view digits, std::size_t& length) noexcept {
    if (digits.empty()) return false;
    length = 0;
    for (char c : digits) {
      if (!is(c, kDigit)) return false;
      length = std::min<std::size_t>(length * 10 + static_cast<std::size_t>(c - '0'), 1u << 30);
    }
    return true;
  }

  std::string_view text_;
  std::uint32_t lead_;
  Framing framing_;
  Message& out_;
  MarkSource source_;
  Error deferred_;  // an error that does not stop the parse: version, duplicate_header
  std::uint32_t bare_line_feed_ = kNowhere;
  Parsed result_{};
};

Parsed parse(std::string_view bytes, Framing framing, Message& out) noexcept {
  std::size_t lead = 0;
  while (lead != bytes.size() && (bytes[lead] == '\r' || bytes[lead] == '\n')) ++lead;  // RFC 3261 7.5
  // One octet more than a message may have: enough to see that it is too long.
  const std::string_view text = bytes.substr(lead, limits::kMessageBytesMax + 1);
  return StructureParser(text, static_cast<std::uint32_t>(lead), framing, out).run();
}

const HeaderField* Message::next(const HeaderField& f) const noexcept {
  for (const HeaderField* at = &f + 1; at != headers_.data() + count_; ++at) {
    if (at->id == f.id) return at;
  }
  return nullptr;
}

std::string_view unfold(std::string_view value, char* out) noexcept {
  char* to = out;
  for (std::size_t i = 0; i < value.size();) {
    if (value[i] != '\r' && value[i] != '\n') {
      *to++ = value[i++];
      continue;
    }
    while (i < value.size() && is(value[i], kLws)) ++i;
    while (to != out && is_blank(to[-1])) --to;
    *to++ = ' ';
  }
  return {out, static_cast<std::size_t>(to - out)};
}

}  // namespace ringweir::sip
