#include "options.h"

#include <arpa/inet.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>

namespace ringweir::load {
namespace {

[[noreturn]] void refuse(const std::string& why) {
  std::cerr << "ringweir-load: " << why << '\n';
  std::exit(2);
}

std::size_t digits_of(std::uint64_t number) {
  return std::to_string(number).size();
}

bool is_loopback(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    return (ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr) >> 24) == 127;
  }
  return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
}

// "127.0.0.1:5060" or "[::1]:5060"; names are not resolved: a load is aimed, never looked up.
void resolve_target(Options& options) {
  const std::string& text = options.target_text;
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) refuse("--target needs ADDRESS:PORT, as in 127.0.0.1:5060 or [::1]:5060");
  std::string host = text.substr(0, colon);
  const std::string port_text = text.substr(colon + 1);
  char* end = nullptr;
  const unsigned long port = std::strtoul(port_text.c_str(), &end, 10);
  if (port_text.empty() || *end != '\0' || port == 0 || port > 65'535)
    refuse("--target: bad port " + port_text);
  auto& four = reinterpret_cast<sockaddr_in&>(options.target);
  auto& six = reinterpret_cast<sockaddr_in6&>(options.target);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (inet_pton(AF_INET6, host.c_str(), &six.sin6_addr) != 1) refuse("--target: bad IPv6 address " + host);
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(static_cast<std::uint16_t>(port));
    options.target_length = sizeof(sockaddr_in6);
  } else {
    if (inet_pton(AF_INET, host.c_str(), &four.sin_addr) != 1) refuse("--target: bad IPv4 address " + host);
    four.sin_family = AF_INET;
    four.sin_port = htons(static_cast<std::uint16_t>(port));
    options.target_length = sizeof(sockaddr_in);
  }
  if (!options.allow_remote && !is_loopback(options.target)) {
    refuse(text + " is not loopback; loading somebody else's server needs --allow-remote");
  }
}

void validate(const Options& options) {
  const std::uint64_t last = options.user_base + options.users - 1;
  if (digits_of(options.user_base) != digits_of(last)) {
    refuse("user names " + std::to_string(options.user_base) + " to " + std::to_string(last) +
           " differ in length; messages of one batch must not: choose another --user-base");
  }
  const bool registers = options.workload != Workload::options && options.workload != Workload::flood &&
                         !is_call(options.workload);
  if (options.rate == 0 && registers && options.users < options.window) {
    refuse("--users must be at least --window: a phone has one REGISTER in flight (RFC 3261 10.2)");
  }
  for (const auto& user : {options.from_user, options.to_user}) {
    if (user && (*user < options.user_base || *user > last))
      refuse("user " + std::to_string(*user) + " is not among --users from --user-base on");
  }
  if (options.ring != 0 && !is_call(options.workload)) refuse("--ring is for calls");
  if (options.workload == Workload::flood) {
    if (!is_loopback(options.target)) refuse("a flood is for this host's own loopback");
    if (options.rate <= 0 || options.rate > kFloodRateMax) refuse("a flood needs a --rate, of 500,000 a second at most");
    if (options.duration_s > kFloodDurationMaxS) refuse("a flood lasts 120 seconds at most");
    if (options.register_first != 0) refuse("a flood registers nobody");
  }
  if (options.register_first > options.users) refuse("--register-first is more than --users");
  if (options.warm_up_s < 0 || options.warm_up_s >= options.duration_s)
    refuse("--warm-up must end before --duration");
}

}  // namespace

const char* name_of(Workload workload) noexcept {
  switch (workload) {
    case Workload::options: return "options";
    case Workload::register_: return "register";
    case Workload::refresh: return "refresh";
    case Workload::mixed: return "mixed";
    case Workload::call: return "call";
    case Workload::user_call: return "user-call";
    case Workload::flood: return "flood";
  }
  return "?";
}

namespace {

void add_load(CLI::App& app, Options& options) {
  app.add_option("--target", options.target_text, "address:port, 127.0.0.1:5060 unless given");
  app.add_option("--domain", options.domain, "domain of the addresses of record");
  app.add_option("--users", options.users, "how many users")->check(CLI::Range(1u, kUsersMax));
  app.add_option("--user-base", options.user_base, "first user name, a number; the others count up");
  app.add_option("--password", options.password, "every user's password; the user name unless given");
  app.add_option("--register-first", options.register_first, "register so many users before measuring");
  app.add_option("--window", options.window, "closed loop: transactions or calls in flight")
      ->check(CLI::Range(1u, kInFlightMax));
  app.add_option("--rate", options.rate, "open loop: transactions or calls started a second")
      ->check(CLI::PositiveNumber);
  app.add_option("--warm-up", options.warm_up_s, "seconds at its beginning left out of the figures");
  app.add_option("--count", options.count, "stop after so many transactions or calls");
  app.add_option("--seed", options.seed,
                 "makes Call-IDs, tags and the order of users; the clock unless given");
  app.add_option("--sockets", options.sockets, "peer addresses (ports) the load comes from")
      ->check(CLI::Range(1u, kSocketsMax));
  app.add_option("--from-port", options.from_port, "first local port, the others follow")
      ->check(CLI::Range(10'000, 65'535));
  app.add_option("--from-host", options.from_host, "address the load comes from, as in 127.0.0.2");
  app.add_option("--expires", options.expires_s, "Expires asked for, seconds")
      ->check(CLI::Range(1u, 999'999u));
}

void add_manner(CLI::App& app, Options& options) {
  app.add_option("--pace", options.pace_us, "harvest replies every so many microseconds; 0 blocks for each");
  app.add_option("--verify", options.verify_every, "check one message of so many in full, 1 checks all")
      ->check(CLI::Range(1u, 1'000'000u));
  app.add_flag("--echo", options.echo, "the peer is an echo: each datagram comes back as it was sent");
  app.add_flag("--allow-remote", options.allow_remote, "permit a target that is not loopback");
  app.add_option("--watch-pid", options.watch_pids, "account this process's CPU to the server (repeatable)");
  app.add_option("--watch-cpu", options.watch_cpu, "report this core's utilisation as the server's");
}

void add_flood(CLI::App& app, Options& options) {
  const std::map<std::string, Garbage> kinds{{"octets", Garbage::octets},
                                             {"truncated", Garbage::truncated},
                                             {"headers", Garbage::headers},
                                             {"nameless", Garbage::nameless},
                                             {"digest", Garbage::digest}};
  app.add_option("--kind", options.garbage, "flood: octets | truncated | headers | nameless | digest; all unless given")
      ->delimiter(',')
      ->transform(CLI::CheckedTransformer(kinds, CLI::ignore_case).description(""));
}

void add_calls(CLI::App& app, Options& options, std::uint32_t& callees) {
  app.add_option("--callee-ports", options.callee_ports,
                 "call: listen for calls on these ports, as in 30000,30001")
      ->delimiter(',');
  app.add_option("--callees", callees, "call: or on so many ports of the kernel's choice; 0: others answer")
      ->check(CLI::Range(0u, kCalleesMax));
  app.add_flag("--no-route", options.no_route, "no Route within the dialog, as SIPp's built-in uac");
  app.add_option("--from-user", options.from_user, "who calls; all users unless given");
  app.add_option("--to-user", options.to_user, "who is called; all the others unless given");
  app.add_option("--talk", options.talk_ms, "milliseconds from ACK to BYE");
  app.add_option("--ring", options.ring,
                 "so many calls ring, a line says so, and they are answered when a line is read")
      ->check(CLI::Range(1u, 1'000'000u));
  app.add_option("--hold", options.hold_s, "or when they have rung so many seconds")
      ->check(CLI::Range(1u, kHoldMaxS));
  app.add_flag("--echo-trying", options.echo_trying, "with --echo: seven messages a call, one of them a 100");
}

}  // namespace

Options parse_options(int argc, char** argv) {
  Options options;
  std::string output = "table";
  bool no_offload = false;
  CLI::App app{"Load source for SIP over UDP: OPTIONS, REGISTER with digest, authorised refresh, calls, floods."};
  app.footer(
      "Examples:\n"
      "  ringweir-load register --target 127.0.0.1:5060 --users 1000 --duration 10\n"
      "  ringweir-load refresh --users 100000 --register-first 100000 --window 96 -o json\n"
      "  ringweir-load register --user-base 100 --users 3 --window 3 --count 3\n"
      "  ringweir-load options --rate 20000 --duration 5 --sockets 16 --pace 0\n"
      "  ringweir-load call --callee-ports 30000,30001 --window 200 --duration 10\n"
      "  ringweir-load user-call --users 100000 --register-first 100000 --rate 5000\n"
      "  ringweir-load call --callees 2 --ring 200000\n"
      "  ringweir-load flood --kind digest --rate 20000 --duration 5 --sockets 8 --from-host 127.0.0.2");
  const std::map<std::string, Workload> workloads{
      {"options", Workload::options}, {"register", Workload::register_}, {"refresh", Workload::refresh},
      {"mixed", Workload::mixed},     {"call", Workload::call},          {"user-call", Workload::user_call},
      {"flood", Workload::flood}};
  app.add_option("workload", options.workload, "options | register | refresh | mixed | call | user-call | flood")
      ->required()
      ->transform(CLI::CheckedTransformer(workloads, CLI::ignore_case).description(""));
  add_load(app, options);
  CLI::Option* const duration =
      app.add_option("--duration", options.duration_s, "seconds of the measured phase, 10 unless given")
          ->check(CLI::Range(0.01, kDurationMaxS));
  add_manner(app, options);
  app.add_flag("--no-gso", no_offload, "send with sendmmsg instead of UDP_SEGMENT");
  std::uint32_t callees = 2;
  add_calls(app, options, callees);
  add_flood(app, options);
  app.add_option("-o,--output", output, "table | json")->check(CLI::IsMember({"table", "json"}));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error) == 0 ? 0 : 2);
  }
  if (options.workload == Workload::call) {
    if (options.callee_ports.empty()) options.callee_ports.assign(callees, 0);
  } else {
    options.callee_ports.clear();  // users are called where they registered
  }
  if (options.garbage.empty()) {
    options.garbage = {Garbage::octets, Garbage::truncated, Garbage::headers, Garbage::nameless, Garbage::digest};
  }
  if (options.ring != 0) options.count = options.ring;
  if (options.count != 0) {
    options.warm_up_s = 0;
    if (duration->count() == 0) options.duration_s = kDurationMaxS;
  }
  options.segmentation_offload = !no_offload;
  options.json = output == "json";
  if (options.seed == 0) {
    options.seed = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
  }
  resolve_target(options);
  validate(options);
  return options;
}

}  // namespace ringweir::load
