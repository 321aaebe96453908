// Text of the configuration language: durations, sizes, rates, and what to say about a word that is almost
// right.
#pragma once
#include <cstdint>
#include <expected>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ringweir/base/time.h"

namespace ringweir::control {

// Length of the UTF-8 character that `text` begins with; 0 when it begins with none (RFC 3629 4).
std::size_t utf8_size(std::string_view text) noexcept;

// 'text', cut where it is long: for messages.
std::string in_quotes(std::string_view text);

// The candidate that `word` most likely was meant to be; empty when none is near.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);
// ", did you mean 'x'?" or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

// Each error is the sentence for the operator.
template <class T>
using Parsed = std::expected<T, std::string>;

Parsed<std::uint64_t> parse_number(std::string_view text);
Parsed<Duration> parse_duration(std::string_view text);   // 500ms, 30s, 5m, 1h, 1d; parts add: 1h30m
Parsed<std::uint64_t> parse_size(std::string_view text);  // 1500B, 64KiB, 2MiB, 1GiB; 64KB is 64,000
Parsed<std::uint64_t> parse_rate(std::string_view text);  // 50/s, in events a second; 600/m
Parsed<bool> parse_bool(std::string_view text);

bool is_token(std::string_view text) noexcept;      // RFC 3261 25.1
bool is_host_name(std::string_view text) noexcept;  // RFC 1123 2.1: labels of letters, digits, hyphens

}  // namespace ringweir::control
