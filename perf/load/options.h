// What one run of the load source is asked to do.
#pragma once
#include <netinet/in.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ringweir::load {

enum class Workload : std::uint8_t { options, register_, refresh, mixed, call, user_call, flood };

// What a flood sends: octets that are nothing; a REGISTER cut off in a header; one with a thousand header fields; an INVITE
// for nobody; credentials that are well-formed and wrong.
enum class Garbage : std::uint8_t { octets, truncated, headers, nameless, digest };
inline constexpr std::size_t kGarbageKinds = 5;

// PERF and safety bounds of the load source itself; every run ends.
inline constexpr std::uint32_t kInFlightMax = 65'536;
inline constexpr std::uint32_t kSocketsMax = 4'096;
inline constexpr std::uint32_t kUsersMax = 9'000'000;
inline constexpr std::uint32_t kCalleesMax = 256;
inline constexpr std::uint32_t kHoldMaxS = 170;  // Timer C of the server is above three minutes
inline constexpr double kDurationMaxS = 3'600;
inline constexpr double kFloodRateMax = 500'000, kFloodDurationMaxS = 120;

struct Options {
  Workload workload = Workload::options;
  sockaddr_storage target{};
  socklen_t target_length = 0;
  std::string target_text = "127.0.0.1:5060";
  std::string domain = "example.com";
  std::uint32_t users = 1'000;
  std::uint64_t user_base = 1'000'000;  // the first user name; names count up from it
  std::optional<std::string> password;  // the user name when absent
  std::uint32_t register_first = 0;     // users registered before the measured phase
  std::uint32_t window = 64;            // closed loop: transactions in flight
  double rate = 0;                      // open loop when above 0: transactions started a second
  double duration_s = 10;
  double warm_up_s = 0.5;       // of the measured phase, left out of every figure
  std::uint64_t count = 0;      // stop after this many transactions, 0: by duration alone
  std::uint64_t seed = 0;       // 0: from the clock
  std::uint32_t sockets = 1;    // peer addresses
  std::uint16_t from_port = 0;  // 0: the kernel's choice
  std::string from_host;        // empty: the kernel's choice
  std::vector<Garbage> garbage;  // of a flood, in turn
  std::uint32_t expires_s = 3'600;
  std::uint32_t pace_us = 40;       // harvest every so often; 0: block until a reply comes
  std::uint32_t verify_every = 16;  // replies checked in full, one of so many
  // Calls.
  std::vector<std::uint16_t> callee_ports;  // a socket each that callees listen on; 0: the kernel's choice
  bool no_route = false;                    // no Route within the dialog, as SIPp's built-in uac
  std::optional<std::uint64_t> from_user, to_user;  // these two alone call each other
  std::uint32_t talk_ms = 0;                        // from ACK to BYE
  std::uint32_t ring = 0;                           // so many calls ring until told, then are answered
  std::uint32_t hold_s = 120;                       // or until so long
  bool echo_trying = false;                         // an echo is sent a 100 as well
  bool echo = false;                                // the peer returns each datagram unchanged
  bool segmentation_offload = true;                 // UDP_SEGMENT; off: sendmmsg
  bool allow_remote = false;
  bool json = false;
  std::vector<int> watch_pids;  // processes whose CPU is accounted to the server
  int watch_cpu = -1;           // core whose utilisation is reported
};

// Exits with 2 and a sentence on a usage error; 0 after --help.
Options parse_options(int argc, char** argv);

constexpr bool is_call(Workload workload) noexcept {
  return workload == Workload::call || workload == Workload::user_call;
}

const char* name_of(Workload workload) noexcept;

}  // namespace ringweir::load
