// The configuration file (version 1) as plain values: read, validated and complete. What a section or a key
// defaults to:
//
//   key                        default                        with lab.enabled
//   node.name                  edge                           the same
//   node.shards                auto: one a core               the same
//   node.pin                   true                           the same
//   node.send_trains           true: see io/send_trains.h     the same
//   node.io                    auto                           the same
//   node.drain                 20s                            the same
//   listeners                  required                       one: sip, 127.0.0.1:5060, udp
//   listeners[].name           listener-1, listener-2, ...    the same
//   listeners[].transport      [udp]                          the same
//   listeners[].bind           required; port 5060            the same
//   domains                    none but the listeners' own    and localhost, 127.0.0.1, ::1
//   auth                       nobody authenticates           as follows
//   auth.realm                 the first domain               ringweir.lab
//   auth.algorithms            [MD5, SHA-256]                 [MD5]
//   auth.challenge             www                            the same
//   auth.check_uri             false                          the same
//   auth.methods               [REGISTER, INVITE]             [REGISTER]
//   auth.nonce                 5m, strict                     the same
//   auth.users                 required                       100, 101, 102; password = user name
//   registrar                  60s, 1h, 2h, 10 contacts,      the same
//                              1,000,000 bindings
//   upstreams                  none                           the same
//   upstreams[].algorithm      call_id_hash                   the same
//   upstreams[].targets[]      weight 1, priority 0 (lower    the same
//                              ones first)
//   upstreams[].health         OPTIONS every 10s, timeout 2s, the same
//                              fail 3, rise 2
//   upstreams[].health.passive not given: 3 timeouts in a     the same
//                              row eject for 30s, codes do
//                              not; given: 503 does too
//   upstreams[].failover       on timeout, transport_error    the same
//                              and 503, 2 tries
//   upstreams[].slow_start     0s: none                       the same
//   proxy                      record_route true, timer_c     the same
//                              185s, max_breadth 60, forks 8
//   dns                        the machine's servers, 2s, 2   the same
//                              tries, answers kept 5s to 5m
//   routes                     kDefaultRoutes in routes.h     the same
//   limits.max_message         65535 octets                   the same
//   limits.per_source          none                           the same
//   limits.trusted             none; targets always are       the same
//   limits.failed_auth         throttle                       off: who learns may fail
//   limits.overload            5ms, with the sieve            the same
//   trace.ring                 20000                          the same
//   trace.recording            false: while somebody reads    true: from the start
//   admin.bind                 127.0.0.1:8080; `off`: none    the same
//   keys.secret                made at random at start        the same
//
// With lab.enabled every address must be a loopback one; a key that is given wins over the lab's default.
// Control only, cold: all of this may allocate and read files.
#pragma once
#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ringweir/auth/authenticate.h"
#include "ringweir/balance/algorithm.h"
#include "ringweir/base/address.h"
#include "ringweir/base/network.h"
#include "ringweir/base/time.h"
#include "ringweir/control/config_diagnostic.h"
#include "ringweir/proxy/route_table.h"
#include "ringweir/sip/method.h"

namespace ringweir::control {

// Text that is never printed: there is no way to write one but to ask for it.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  const std::string& reveal() const noexcept { return text_; }
  bool empty() const noexcept { return text_.empty(); }
  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  std::string text_;
};

enum class IoChoice : std::uint8_t { automatic, uring, epoll };

struct Node {
  std::string name = "edge";
  std::uint32_t shards = 0;  // 0: auto
  bool pin = true;
  bool send_trains = true;
  IoChoice io = IoChoice::automatic;
  Duration drain = 20s;  // the longest that transactions under way are waited for on SIGTERM
  friend bool operator==(const Node&, const Node&) = default;
};

enum class Transport : std::uint8_t { udp };

struct Listener {
  std::string name;
  Endpoint bind;  // port 0: the kernel chooses
  std::vector<Transport> transports{Transport::udp};
  std::string advertise;  // host, or host:port; empty: the bound address
  Place at;
  friend bool operator==(const Listener&, const Listener&) = default;
};

struct InlineUser {
  std::string name;
  Secret password;
  Place at;
  friend bool operator==(const InlineUser&, const InlineUser&) = default;
};

struct Users {
  enum class Source : std::uint8_t { none, csv, sqlite, inline_ };
  Source source = Source::none;
  std::filesystem::path path;  // csv, sqlite: as opened
  std::vector<InlineUser> list;
  Place at;
  friend bool operator==(const Users&, const Users&) = default;
};

enum class Challenge : std::uint8_t { www, proxy };

struct Auth {
  bool enabled = false;
  std::string realm;
  auth::AlgorithmList algorithms{auth::Algorithm::md5, auth::Algorithm::sha256};  // in challenge order
  Challenge challenge = Challenge::www;
  std::vector<sip::Method> methods{sip::Method::register_, sip::Method::invite};
  Duration nonce_lifetime = 5min;
  bool check_uri = false;  // digest-uri must be the Request-URI; SIPp and some phones write another address of ours
  bool replay_strict = true;
  Users users;
};

struct Registrar {  // whole seconds, min <= default <= max
  Duration min_expires = 60s;
  Duration default_expires = 1h;
  Duration max_expires = 2h;
  std::uint32_t max_contacts = 10;
  std::uint32_t max_bindings = 1'000'000;  // all addresses of record together
  friend bool operator==(const Registrar&, const Registrar&) = default;
};

struct Target {
  std::string uri;              // as written
  std::string host;             // an address without brackets, or a name in lower case
  std::uint16_t port = 0;       // 0: none written, so that a name may have SRV records (RFC 3263 4.2)
  std::uint32_t weight = 1;
  std::uint32_t priority = 0;   // a target is used while none of a lower number can be: backups have higher ones
  friend bool operator==(const Target&, const Target&) = default;
};

struct PassiveHealth {
  std::vector<std::uint16_t> codes{503};
  Duration eject = 30s;  // 0: never
  std::uint32_t after = 3;
  bool timeouts = true;
  friend bool operator==(const PassiveHealth&, const PassiveHealth&) = default;
};

struct Health {
  std::string method = "OPTIONS";
  Duration every = 10s;  // 0: no probes
  Duration timeout = 2s;
  std::uint32_t fail = 3;
  std::uint32_t rise = 2;
  std::optional<PassiveHealth> passive;
  friend bool operator==(const Health&, const Health&) = default;
};

struct Failover {
  bool on_timeout = true;
  bool on_transport_error = true;
  std::vector<std::uint16_t> codes{503};
  std::uint32_t tries = 2;
  friend bool operator==(const Failover&, const Failover&) = default;
};

struct Upstream {
  std::string name;
  balance::Algorithm algorithm = balance::Algorithm::call_id_hash;
  std::vector<Target> targets;
  Health health;
  Failover failover;
  Duration slow_start = 0s;  // how long a target that comes back takes to get its whole share
  friend bool operator==(const Upstream&, const Upstream&) = default;
};

struct Proxy {
  bool record_route = true;
  Duration timer_c = 185s;
  std::uint32_t max_breadth = 60;
  std::uint32_t forks = 8;
  friend bool operator==(const Proxy&, const Proxy&) = default;
};

// How names of targets are resolved (RFC 3263).
struct Dns {
  std::vector<Endpoint> servers;  // empty: the machine's, /etc/resolv.conf
  Duration timeout = 2s;          // of one try
  std::uint32_t tries = 2;
  Duration ttl_min = 5s, ttl_max = 5min;  // an answer is asked for again between these, whatever its TTL
  friend bool operator==(const Dns&, const Dns&) = default;
};

struct SourceRate {
  std::uint64_t rate = 0;  // requests a second
  std::uint32_t burst = 0;
  friend bool operator==(const SourceRate&, const SourceRate&) = default;
};

struct Overload {
  bool enabled = true;
  Duration target = 5ms;
  bool sieve = true;
  friend bool operator==(const Overload&, const Overload&) = default;
};

struct Limits {
  std::uint32_t max_message = 65'535;  // octets
  std::optional<SourceRate> per_source;
  std::vector<Network> trusted;
  bool failed_auth = true;
  Overload overload;
  friend bool operator==(const Limits&, const Limits&) = default;
};

struct Trace {
  std::uint32_t ring = 20'000;  // messages kept, all shards together
  bool recording = false;       // from the start; otherwise while somebody reads
  friend bool operator==(const Trace&, const Trace&) = default;
};

struct Admin {
  std::optional<Endpoint> bind = Endpoint{IpAddress::v4(127, 0, 0, 1), 8080};
  friend bool operator==(const Admin&, const Admin&) = default;
};

struct Keys {
  Secret secret;  // empty: made at random
  friend bool operator==(const Keys&, const Keys&) = default;
};

struct Lab {
  bool enabled = false;
  friend bool operator==(const Lab&, const Lab&) = default;
};

struct Config {
  std::string file;  // as given to load_config
  Node node;
  std::vector<Listener> listeners;
  std::vector<std::string> domains;  // lower case
  Auth auth;
  Registrar registrar;
  std::vector<Upstream> upstreams;
  std::vector<proxy::Route> routes;
  Proxy proxy;
  Dns dns;
  Limits limits;
  Trace trace;
  Admin admin;
  Keys keys;
  Lab lab;
};

// All errors in the order of the file, or a configuration that needs no further check.
using ConfigResult = std::expected<Config, Diagnostics>;
ConfigResult load_config(const std::filesystem::path& path);
// `name` stands in diagnostics; relative paths in `text` start from `base_dir`.
ConfigResult load_config_text(std::string_view text, std::string_view name,
                              const std::filesystem::path& base_dir);

// What `serve --lab` runs without a file: configs/lab.yaml.
std::string_view lab_config_text() noexcept;

}  // namespace ringweir::control
