#include "phones.h"

#include <cstring>
#include <numeric>

namespace ringweir::load {

Phones::Phones(const Options& options)
    : phones_(options.users), base_(options.user_base), password_(options.password) {
  // Any stride coprime to the count gives a full cycle; near the golden section it jumps about.
  const auto count = static_cast<std::uint64_t>(phones_.size());
  std::uint64_t stride = (count * 618 / 1000 + options.seed % (count / 8 + 1)) % count;
  while (std::gcd(stride, count) != 1) stride = (stride + 1) % count;
  stride_ = static_cast<std::uint32_t>(stride);
  position_ = static_cast<std::uint32_t>(options.seed % count);
}

bool Phones::next_idle(std::uint32_t& index) noexcept {
  for (int tries = 0; tries < 64; ++tries) {
    index = next();
    if (!phones_[index].busy) return true;
  }
  return false;
}

void Phones::take_nonce(Phone& phone, std::string_view nonce) noexcept {
  std::memcpy(phone.nonce, nonce.data(), nonce.size());
  phone.nonce_bytes = static_cast<std::uint8_t>(nonce.size());
  phone.nc = 0;
}

const Hex32& Phones::ha1_of(std::uint32_t index, const std::string& realm) {
  if (realm_ != realm) {
    for (Phone& phone : phones_) phone.has_ha1 = false;
    realm_ = realm;
  }
  Phone& phone = phones_[index];
  if (!phone.has_ha1) {
    const std::string user = std::to_string(name(index));
    phone.ha1 = ha1(user, realm, password_ ? *password_ : user);
    phone.has_ha1 = true;
  }
  return phone.ha1;
}

}  // namespace ringweir::load
