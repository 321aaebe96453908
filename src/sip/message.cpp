#include "ringweir/sip/message.h"

#include <algorithm>

#include "sip/characters.h"
#include "sip/marks.h"
#include "sip/start_line.h"

namespace ringweir::sip {

namespace {
constexpr std::uint32_t kNowhere = ~0u;

// Stage 2's view of the marks: one after the other, a window marked when it is reached.
class MarkWalk {
 public:
  explicit MarkWalk(std::string_view text) noexcept : text_(text) {}

  // The next line feed or first colon; false at the end of the text.
  bool next(std::uint32_t& position) noexcept {
    while (bits_ == 0) {
      if (!next_block()) return false;
    }
    position = base_ + static_cast<std::uint32_t>(__builtin_ctzll(bits_));
    bits_ &= bits_ - 1;
    return true;
  }
  // The first octet seen so far that no header line may hold.
  std::uint32_t binary_at() const noexcept { return binary_at_; }

 private:
  bool next_block() noexcept {
    if (++block_ == static_cast<int>(detail::kMarkBlocks)) {
      block_ = 0;
      window_ += detail::kMarkWindow;
    }
    base_ = window_ + static_cast<std::uint32_t>(block_) * 64;
    if (base_ >= text_.size()) return false;
    if (block_ == 0) mark_window();
    bits_ = marks_.ends_and_colons[block_];
    return true;
  }
  void mark_window() noexcept {
    const std::size_t size = std::min(text_.size() - window_, detail::kMarkWindow);
    detail::mark(text_.data() + window_, size, carry_, marks_);
    const std::size_t blocks = (size + 63) / 64;
    for (std::size_t i = 0; i < blocks; ++i) {
      if (marks_.odd[i] != 0) [[unlikely]]
        look_at_odd(window_ + static_cast<std::uint32_t>(i) * 64, marks_.odd[i]);
    }
  }
  void look_at_odd(std::uint32_t base, std::uint64_t odd) noexcept {
    for (; odd != 0 && binary_at_ == kNowhere; odd &= odd - 1) {
      const std::uint32_t at = base + static_cast<std::uint32_t>(__builtin_ctzll(odd));
      if (at > 0 && text_[at - 1] == '\r') {
        binary_at_ = at - 1;
      } else if (!is_quoted(at)) {
        binary_at_ = at;
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
  std::uint64_t bits_ = 0;
  std::uint32_t base_ = 0;
  std::uint32_t window_ = 0u - static_cast<std::uint32_t>(detail::kMarkWindow);
  int block_ = static_cast<int>(detail::kMarkBlocks) - 1;
  std::uint32_t binary_at_ = kNowhere;
  detail::MarkCarry carry_;
  detail::Marks marks_;
};

bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t';
}
}  // namespace

class StructureParser {
 public:
  StructureParser(std::string_view text, std::uint32_t lead, Framing framing, Message& out) noexcept
      : text_(text), lead_(lead), framing_(framing), out_(out), walk_(text) {}

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
    Step step = next_line(line, true);
    if (step == Step::line) step = start_line(line);
    while (step == Step::line) {
      step = next_line(line, false);
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

  Step next_line(Line& line, bool is_start_line) noexcept {
    line.begin = line.next;
    line.colon = kNowhere;
    line.folded = false;
    std::uint32_t mark;
    for (;;) {
      if (!walk_.next(mark)) return unfinished(line.begin);
      if (text_[mark] == ':') {
        if (line.colon == kNowhere && !line.folded) line.colon = mark;
        continue;
      }
      const bool has_cr = mark > line.begin && text_[mark - 1] == '\r';
      line.end = mark - has_cr;
      line.next = mark + 1;
      if (line.end == line.begin || is_start_line) break;
      if (line.next == text_.size()) {
        if (framing_ == Framing::stream) return unfinished(line.begin);
        break;
      }
      if (!is_blank(text_[line.next])) break;
      line.folded = true;  // RFC 3261 7.3.1
      if (framing_ == Framing::stream && !has_cr && bare_line_feed_ == kNowhere) bare_line_feed_ = mark;
    }
    if (too_long(line.begin, line.next)) return Step::stop;
    if (walk_.binary_at() < line.next) return stop(Fault::binary, walk_.binary_at());
    if (framing_ == Framing::stream) {
      if (text_[mark] == '\n' && line.end == mark && bare_line_feed_ == kNowhere) bare_line_feed_ = mark;
      if (bare_line_feed_ != kNowhere) return stop(Fault::header_syntax, bare_line_feed_);
    }
    return line.end == line.begin ? Step::end : Step::line;
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

  Step header_line(const Line& line) noexcept {
    if (line.colon == kNowhere) return stop(Fault::header_syntax, line.begin);
    std::string_view name = text_.substr(line.begin, line.colon - line.begin);
    HeaderId id = parse_header_name(name);
    if (id == HeaderId::other) [[unlikely]] {  // a known name is a token; look closer at the others
      while (!name.empty() && is_blank(name.back())) name.remove_suffix(1);
      if (name.empty() || !std::all_of(name.begin(), name.end(), [](char c) { return is(c, kToken); })) {
        return stop(Fault::header_syntax, line.begin);
      }
      id = parse_header_name(name);
    }
    if (out_.count_ == limits::kHeadersMax) return stop(Fault::too_many_headers, line.begin);
    std::uint32_t begin = line.colon + 1, end = line.end;
    while (begin != end && is(text_[begin], kLws)) ++begin;
    while (begin != end && is(text_[end - 1], kLws)) --end;
    std::uint8_t& first = out_.first_[static_cast<std::size_t>(id)];
    if (first == Message::kNone) {
      if (id != HeaderId::other) first = static_cast<std::uint8_t>(out_.count_);
    } else if (is_single_instance(id) && deferred_.fault == Fault::none) {
      deferred_ = {Fault::duplicate_header, line.begin};
    }
    out_.headers_[out_.count_++] = {
        line.begin, begin, end - begin, static_cast<std::uint16_t>(name.size()), id, line.folded};
    return Step::line;
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
  MarkWalk walk_;
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
