// What authentication costs a shard: the digest, the nonce, the window, the whole decision, and the users'
// snapshot.
#include <benchmark/benchmark.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "ringweir/auth/authenticate.h"
#include "ringweir/auth/digest.h"

namespace {

using namespace ringweir;
using namespace ringweir::auth;

constexpr WallMs kNow = 1'760'000'000'000;
constexpr Key128 kKey{1, 2};

std::string csv_of(std::size_t users) {
  std::string csv;
  for (std::size_t i = 0; i < users; ++i) {
    csv += "user" + std::to_string(i) + ",secret" + std::to_string(i) + "\n";
  }
  return csv;
}

std::shared_ptr<const Credentials> users_of(std::size_t users, std::initializer_list<Algorithm> algorithms) {
  CredentialsBuilder builder("example.com", algorithms, kKey);
  builder.add_csv(csv_of(users));
  return std::move(builder).build();
}

// The response alone, HA1 known and HA2 not.
void digest_verify(benchmark::State& state, Algorithm algorithm) {
  const Digest stored = ha1(kind(algorithm), "101", "example.com", "secret");
  const ResponseInput input{"AbCdEfGhIjKlMnOpQrStUvWxYz01", "00000001", "0a4f113b", "auth"};
  const Digest given = response(algorithm, stored, "REGISTER", "sip:example.com", input);
  for (auto _ : state) {
    const Digest computed = response(algorithm, stored, "REGISTER", "sip:example.com", input);
    benchmark::DoNotOptimize(equal_in_constant_time(computed, given));
  }
}
BENCHMARK_CAPTURE(digest_verify, md5, Algorithm::md5);
BENCHMARK_CAPTURE(digest_verify, sha256, Algorithm::sha256);
BENCHMARK_CAPTURE(digest_verify, sha512_256, Algorithm::sha512_256);

void nonce_mint(benchmark::State& state) {
  NonceMint mint(kKey, 0, 1, kNow);
  char text[kNonceChars];
  for (auto _ : state) {
    mint.mint(kNow, text);
    benchmark::DoNotOptimize(text);
  }
}
BENCHMARK(nonce_mint);

void nonce_check(benchmark::State& state) {
  NonceMint mint(kKey, 0, 1, kNow);
  char text[kNonceChars];
  mint.mint(kNow, text);
  for (auto _ : state) benchmark::DoNotOptimize(mint.check({text, sizeof text}, kNow, 300'000));
}
BENCHMARK(nonce_check);

// Consecutive nonces, the next count of each: as a fleet of phones refreshing in turn.
void window_use(benchmark::State& state) {
  NonceWindow window(1);
  std::uint32_t at = 0, nc = 1;
  for (auto _ : state) {
    benchmark::DoNotOptimize(window.use({at, 0}, nc));
    if (++at == 100'000) {
      at = 0;
      ++nc;
    }
  }
}
BENCHMARK(window_use);

// Parsed requests of a few users among many, hot in the cache as a message just parsed is; before each
// decision a new nonce and its response are copied into the bytes, so that none is a replay.
class Phones {
 public:
  Phones(Algorithm algorithm, NonceMint& mint) : algorithm_(algorithm), mint_(mint), requests_(kPhones) {
    for (std::size_t i = 0; i < kPhones; ++i) {
      Request& request = requests_[i];
      const std::string name = "user" + std::to_string(i * 6'007),
                        zeros(2 * digest_size(kind(algorithm)), '0');
      request.ha1 = ha1(kind(algorithm), name, "example.com", "secret" + name.substr(4));
      request.bytes =
          "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;rport\r\nFrom: "
          "<sip:" +
          name + "@example.com>;tag=1\r\nTo: <sip:" + name + "@example.com>\r\nCall-ID: " + name +
          "\r\nCSeq: 2 REGISTER\r\nAuthorization: Digest username=\"" + name +
          "\", realm=\"example.com\", nonce=\"" + std::string(kNonceChars, '0') +
          "\", uri=\"sip:example.com\", response=\"" + zeros +
          "\", algorithm=" + std::string(to_string(algorithm)) +
          ", cnonce=\"0a4f113b\", qop=auth, nc=00000001\r\nContent-Length: 0\r\n\r\n";
      request.nonce = request.bytes.data() + request.bytes.find("nonce=\"") + 7;
      request.response = request.bytes.data() + request.bytes.find("response=\"") + 10;
      sip::parse(request.bytes, sip::Framing::datagram, request.message);
    }
  }
  void prepare() {
    prepared_.resize(kPrepared);
    for (std::size_t i = 0; i < kPrepared; ++i) {
      mint_.mint(kNow, prepared_[i].nonce);
      const Digest digest = response(algorithm_, requests_[i % kPhones].ha1, "REGISTER", "sip:example.com",
                                     {{prepared_[i].nonce, kNonceChars}, "00000001", "0a4f113b", "auth"});
      size_ = to_hex(digest, prepared_[i].response);
    }
    at_ = 0;
  }
  bool exhausted() const { return at_ == prepared_.size(); }
  const sip::Message& next() {
    Request& request = requests_[at_ % kPhones];
    std::memcpy(request.nonce, prepared_[at_].nonce, kNonceChars);
    std::memcpy(request.response, prepared_[at_].response, size_);
    ++at_;
    return request.message;
  }

 private:
  static constexpr std::size_t kPhones = 16, kPrepared = 65'536;
  struct Request {
    Digest ha1;
    std::string bytes;
    char *nonce, *response;
    sip::Message message;
  };
  struct Prepared {
    char nonce[kNonceChars], response[kDigestHexMax];
  };
  Algorithm algorithm_;
  NonceMint& mint_;
  std::vector<Request> requests_;
  std::vector<Prepared> prepared_;
  std::size_t at_ = 0, size_ = 0;
};

void whole_authenticate(benchmark::State& state, Algorithm algorithm) {
  const Policy policy{.realm = "example.com", .algorithms = {algorithm}};
  const auto users = users_of(100'000, {algorithm});
  NonceMint mint(kKey, 0, 1, kNow);
  NonceWindow window(1);
  Scratch scratch;
  Phones phones(algorithm, mint);
  for (auto _ : state) {
    if (phones.exhausted()) {
      state.PauseTiming();
      phones.prepare();
      state.ResumeTiming();
    }
    const Verdict verdict = authenticate(policy, *users, mint, window, phones.next(), false, kNow, scratch);
    if (verdict.decision != Decision::accepted) state.SkipWithError("refused");
  }
}
BENCHMARK_CAPTURE(whole_authenticate, md5, Algorithm::md5);
BENCHMARK_CAPTURE(whole_authenticate, sha256, Algorithm::sha256);

void credentials_load(benchmark::State& state) {
  const std::string csv = csv_of(static_cast<std::size_t>(state.range(0)));
  constexpr Algorithm kMd5[] = {Algorithm::md5};
  double octets = 0;
  for (auto _ : state) {
    CredentialsBuilder builder("example.com", kMd5, kKey);
    benchmark::DoNotOptimize(builder.add_csv(csv));
    const auto users = std::move(builder).build();
    octets = static_cast<double>(users->memory_bytes()) / static_cast<double>(users->size());
  }
  state.counters["octets_a_user"] = octets;
}
BENCHMARK(credentials_load)->Arg(1'000'000)->Unit(benchmark::kMillisecond)->Iterations(3);

void credentials_lookup(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const auto users = users_of(count, {Algorithm::md5});
  std::vector<std::string> names;
  for (std::size_t i = 0; i < 4096; ++i) names.push_back("user" + std::to_string(i * 7919 * 31 % count));
  std::size_t at = 0;
  for (auto _ : state) benchmark::DoNotOptimize(users->ha1(names[at++ % names.size()], HashKind::md5));
}
BENCHMARK(credentials_lookup)->Arg(1'000)->Arg(1'000'000);

}  // namespace
