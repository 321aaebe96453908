#include "ringweir/io/sieve.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "ringweir/base/check.h"

namespace ringweir::io {

namespace {

constexpr std::uint32_t kUdpHeader = 8;  // a filter on a UDP socket sees it
constexpr std::uint32_t kAccept = 0xffffffff, kDrop = 0;

// Appends; the bounds of a pattern keep it below SieveProgram::kMost.
class Program {
 public:
  explicit Program(SieveProgram& out) noexcept : out_(out) { out_.size = 0; }
  void add(int code, std::uint32_t k, std::uint8_t if_true = 0, std::uint8_t if_false = 0) noexcept {
    check(out_.size < SieveProgram::kMost, "a sieve's program fits");
    out_.code[out_.size++] = {static_cast<std::uint16_t>(code), if_true, if_false, k};
  }
  void load(int how, std::uint32_t at) noexcept { add(BPF_LD | how, at); }
  // Goes on when equal, to accept() when not.
  void require(std::uint32_t value) noexcept {
    add(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
    accept();
  }
  void accept() noexcept { add(BPF_RET | BPF_K, kAccept); }
  void drop() noexcept { add(BPF_RET | BPF_K, kDrop); }
  std::size_t size() const noexcept { return out_.size; }
  sock_filter& operator[](std::size_t i) noexcept { return out_.code[i]; }

 private:
  SieveProgram& out_;
};

std::uint32_t word_of(std::string_view text) noexcept {
  std::uint32_t word = 0;
  for (const char c : text) word = word << 8 | static_cast<std::uint8_t>(c);
  return word;
}

// The octets at `text` are those of `begins`, in words as far as they go.
void require_begin(Program& program, std::string_view begins) {
  for (std::size_t at = 0; at < begins.size();) {
    const std::size_t width = begins.size() - at >= 4 ? 4 : 1;
    program.load(BPF_ABS | (width == 4 ? BPF_W : BPF_B), kUdpHeader + static_cast<std::uint32_t>(at));
    program.require(word_of(begins.substr(at, width)));
    at += width;
  }
}

// X is where a host begins. Drops when it is `host` and ends there; goes on behind this code when not.
void drop_host(Program& program, std::string_view host) {
  std::array<std::size_t, SievePattern::kHostBytesMax / 4 + 3> misses;
  std::size_t count = 0;
  constexpr std::uint32_t kLower = 0x20;  // turns A-Z into a-z and leaves digits, '.', '-' and ':' alone
  for (std::size_t at = 0; at < host.size();) {
    const std::size_t width = host.size() - at >= 4 ? 4 : 1;
    const std::uint32_t lower = width == 4 ? kLower * 0x01010101u : kLower;
    program.load(BPF_IND | (width == 4 ? BPF_W : BPF_B), static_cast<std::uint32_t>(at));
    program.add(BPF_ALU | BPF_OR | BPF_K, lower);
    misses[count++] = program.size();
    program.add(BPF_JMP | BPF_JEQ | BPF_K, word_of(host.substr(at, width)) | lower);
    at += width;
  }
  program.load(BPF_IND | BPF_B, static_cast<std::uint32_t>(host.size()));
  program.add(BPF_JMP | BPF_JEQ | BPF_K, ' ', 2);
  program.add(BPF_JMP | BPF_JEQ | BPF_K, ';', 1);
  program.add(BPF_JMP | BPF_JA, 1);
  program.drop();
  for (std::size_t i = 0; i < count; ++i) {
    program[misses[i]].jf = static_cast<std::uint8_t>(program.size() - misses[i] - 1);
  }
}

}  // namespace

void write_sieve(const SievePattern& pattern, std::uint32_t passes_per_million, SieveProgram& out) noexcept {
  const std::string_view begins = pattern.begins.substr(0, SievePattern::kBeginsMax);
  const auto first = kUdpHeader + static_cast<std::uint32_t>(begins.size());
  constexpr auto kWindow = static_cast<std::uint32_t>(SievePattern::kWindow);
  Program program(out);
  // A load beyond the datagram's end would drop it: what is too short for every load below is not looked at.
  program.load(BPF_W | BPF_LEN, 0);
  program.add(BPF_JMP | BPF_JGT | BPF_K, first + kWindow + 1 + static_cast<std::uint32_t>(SievePattern::kHostBytesMax) + 1, 1, 0);
  program.accept();
  require_begin(program, begins);
  program.load(BPF_W | BPF_ABS, static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_RANDOM));
  program.add(BPF_JMP | BPF_JGT | BPF_K,
              static_cast<std::uint32_t>(std::uint64_t{passes_per_million} * 0xffffffffu / 1'000'000), 1, 0);
  program.accept();
  const std::size_t search = program.size();  // four instructions an octet, the last a jump to the comparison
  for (std::uint32_t at = first; at < first + kWindow; ++at) {
    program.load(BPF_B | BPF_ABS, at);
    program.add(BPF_JMP | BPF_JEQ | BPF_K, '@', 0, 2);
    program.add(BPF_LDX | BPF_W | BPF_IMM, at + 1);
    program.add(BPF_JMP | BPF_JA, 0);
  }
  program.accept();
  const std::size_t compare = program.size();
  for (std::size_t i = 0; i < kWindow; ++i) {
    const std::size_t jump = search + 4 * i + 3;
    program[jump].k = static_cast<std::uint32_t>(compare - jump - 1);
  }
  std::size_t hosts = 0;
  for (const std::string_view host : pattern.hosts) {
    if (host.empty() || host.size() > SievePattern::kHostBytesMax || hosts == SievePattern::kHostsMax) continue;
    ++hosts;
    drop_host(program, host);
  }
  program.accept();
}

bool Sieve::set(std::span<const UdpSocket> sockets, const SievePattern& pattern,
                std::uint32_t passes_per_million) noexcept {
  const std::uint32_t passes = std::min(passes_per_million, kAll);
  const std::uint32_t change = passes > passes_ ? passes - passes_ : passes_ - passes;
  if (change * 20 < passes_ && !(passes == kAll && passes_ != kAll)) return true;
  bool done = true;
  if (passes == kAll) {
    const int none = 0;
    for (const UdpSocket& socket : sockets) ::setsockopt(socket.fd(), SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof none);
  } else {
    write_sieve(pattern, passes, program_);
    const sock_fprog program{program_.size, program_.code.data()};
    for (const UdpSocket& socket : sockets) {
      done = ::setsockopt(socket.fd(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0 && done;
    }
  }
  passes_ = passes;
  return done;
}

}  // namespace ringweir::io
