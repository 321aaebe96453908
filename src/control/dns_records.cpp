#include "control/dns_records.h"

#include <ares.h>

#include <algorithm>

namespace ringweir::control {
namespace {

constexpr std::size_t kHeaderOctets = 12;  // RFC 1035 4.1.1

std::uint32_t word(std::span<const unsigned char> at, std::size_t octets) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < octets; ++i) value = value << 8 | at[i];
  return value;
}

// The octets of the name at `at`; 0 when there is none (RFC 1035 4.1.4).
std::size_t name_size(std::span<const unsigned char> message, std::size_t at) {
  char* name = nullptr;
  long size = 0;
  if (at >= message.size()) return 0;
  if (ares_expand_name(message.data() + at, message.data(), static_cast<int>(message.size()), &name, &size) !=
      ARES_SUCCESS)
    return 0;
  ares_free_string(name);
  return static_cast<std::size_t>(size);
}

std::string lower_case(const char* text) {
  std::string out(text ? text : "");
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

std::string text_of(const unsigned char* text) {
  return text ? reinterpret_cast<const char*>(text) : "";
}

}  // namespace

std::uint32_t least_ttl(std::span<const unsigned char> message) {
  std::uint32_t least = UINT32_MAX;
  if (message.size() < kHeaderOctets) return least;
  const std::uint32_t questions = word(message.subspan(4), 2), answers = word(message.subspan(6), 2);
  std::size_t at = kHeaderOctets;
  for (std::uint32_t i = 0; i < questions; ++i) {
    const std::size_t size = name_size(message, at);
    if (size == 0) return least;
    at += size + 4;
  }
  for (std::uint32_t i = 0; i < answers; ++i) {
    const std::size_t size = name_size(message, at);
    if (size == 0 || at + size + 10 > message.size()) return least;
    at += size;
    least = std::min(least, word(message.subspan(at + 4), 4));
    at += 10 + word(message.subspan(at + 8), 2);
  }
  return least;
}

std::vector<NaptrRecord> read_naptr(std::span<const unsigned char> message) {
  ares_naptr_reply* list = nullptr;
  std::vector<NaptrRecord> records;
  if (ares_parse_naptr_reply(message.data(), static_cast<int>(message.size()), &list) != ARES_SUCCESS)
    return records;
  for (const ares_naptr_reply* each = list; each && records.size() < kRecordsMax; each = each->next) {
    records.push_back({each->order, each->preference, text_of(each->flags), text_of(each->service),
                       lower_case(each->replacement)});
  }
  ares_free_data(list);
  return records;
}

std::vector<SrvRecord> read_srv(std::span<const unsigned char> message) {
  ares_srv_reply* list = nullptr;
  std::vector<SrvRecord> records;
  if (ares_parse_srv_reply(message.data(), static_cast<int>(message.size()), &list) != ARES_SUCCESS)
    return records;
  for (const ares_srv_reply* each = list; each && records.size() < kRecordsMax; each = each->next) {
    records.push_back({each->priority, each->weight, each->port, lower_case(each->host)});
  }
  ares_free_data(list);
  return records;
}

}  // namespace ringweir::control
