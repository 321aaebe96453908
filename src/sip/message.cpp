#include "ringweir/sip/message.h"

#include <algorithm>

#include "sip/characters.h"
#include "sip/marks.h"
#include "sip/start_line.h"

namespace ringweir::sip {

namespace {
constexpr std::uint32_t kNowhere = ~0u;

// Gives stage 2 the marks block by block; a window is marked when it is reached.
class MarkSource {
 public:
  struct Block {
    std::uint64_t bits;
    std::uint32_t base;  // kNowhere behind the last block
  };
  explicit MarkSource(std::string_view text) noexcept : text_(text) {}

  Block next() noexcept {
    if (++block_ == static_cast<int>(detail::kMarkBlocks)) {
      block_ = 0;
      window_ += detail::kMarkWindow;
    }
    const std::uint32_t base = window_ + static_cast<std::uint32_t>(block_) * 64;
    if (base >= text_.size()) return {0, kNowhere};
    if (block_ == 0) mark_window();
    return {marks_.ends_and_colons[block_], base};
  }
  // The first octet seen so far that no header line may hold.
  std::uint32_t binary_at() const noexcept { return binary_at_; }

 private:
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
  std::uint32_t window_ = 0u - static_cast<std::uint32_t>(detail::kMarkWindow);
  int block_ = static_cast<int>(detail::kMarkBlocks) - 1;
  std::uint32_t binary_at_ = kNowhere;
  detail::MarkCarry carry_;
  detail::Marks marks_;
};

// Stage 2's place among the marks. Apart from the source, so that it can live in registers.
struct MarkWalk {
  std::uint64_t bits = 0;
  std::uint32_t base = 0;

  // The next line feed or first colon; false at the end of the text.
  bool next(MarkSource& source, std::uint32_t& position) noexcept {
    while (bits == 0) {
      const MarkSource::Block block = source.next();
      if (block.base == kNowhere) return false;
      bits = block.bits;
      base = block.base;
    }
    position = base + static_cast<std::uint32_t>(__builtin_ctzll(bits));
    bits &= bits - 1;
    return true;
  }
};

bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t';
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
    Step step;
    bool is_start_line = true;
    do {
      step = next_line(walk, line, is_start_line);
      if (step == Step::line) step = is_start_line ? start_line(line) : header_line(line);
      is_start_line = false;
    } while (step == Step::line);
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

  [[gnu::always_inline]] inline Step next_line(MarkWalk& walk, Line& line, bool is_start_line) noexcept {
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

  [[gnu::always_inline]] inline Step header_line(const Line& line) noexcept {
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
    std::uint32_t begin = line.colon + 1, end = line.end;
    while (begin != end && is(text[begin], kLws)) ++begin;
    while (begin != end && is(text[end - 1], kLws)) --end;
    out_.headers_[count] = {line.begin, begin,      end - begin, static_cast<std::uint16_t>(name_size),
                            id,         line.folded};
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
