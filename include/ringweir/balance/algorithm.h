// The ways of choosing among the targets of an upstream, by their names in the configuration.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ringweir::balance {

enum class Algorithm : std::uint8_t {
  call_id_hash,       // Maglev on the Call-ID
  round_robin,        // each in turn
  weighted,           // each in turn, as often as its weight says, spread out
  least_calls,        // fewest calls open, per weight
  least_outstanding,  // fewest transactions in flight, per weight
  peak_ewma,          // response time times (in flight + 1), the better of two at random
  hash_from,          // Maglev on the From URI
  hash_to,            // Maglev on the To URI
  hash_uri,           // Maglev on the Request-URI
};

inline constexpr std::array<std::string_view, 9> kAlgorithmNames{
    "call_id_hash", "round_robin", "weighted", "least_calls", "least_outstanding",
    "peak_ewma",    "hash_from",   "hash_to",  "hash_uri"};

constexpr std::string_view to_string(Algorithm a) noexcept {
  return kAlgorithmNames[static_cast<std::size_t>(a)];
}
constexpr std::optional<Algorithm> algorithm_named(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kAlgorithmNames.size(); ++i) {
    if (kAlgorithmNames[i] == name) return static_cast<Algorithm>(i);
  }
  return std::nullopt;
}
// A hash finds the target of a call again without being told, while the set of usable targets stays as it is.
constexpr bool is_hash(Algorithm a) noexcept {
  return a == Algorithm::call_id_hash || a == Algorithm::hash_from || a == Algorithm::hash_to ||
         a == Algorithm::hash_uri;
}

}  // namespace ringweir::balance
