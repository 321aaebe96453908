// A peer that means harm to calls: it hears what parties send and what branches the edge uses, and makes strays, garbage, spoofed Vias,
// altered and repeated requests, floods of CANCEL and Routes to elsewhere of it. All it sends is marked: "evil" is in its branch.
#pragma once
#include <string>
#include <vector>

#include "ringweir/base/address.h"
#include "ringweir/base/random.h"

namespace ringweir::sim {

class CallHostile {
 public:
  CallHostile(std::uint64_t seed, const Endpoint& address, const Endpoint& edge) : random_(seed), address_(address), edge_(edge) {}

  void hears(const std::string& request);           // of a party, on its way to the edge
  void sees_branch(const std::string& branch);      // of the edge
  std::string attack();
  const Endpoint& address() const { return address_; }
  static Endpoint elsewhere() { return {IpAddress::v4(198, 51, 100, 9), 5060}; }  // nobody's

 private:
  std::string garbage();
  std::string stray_response();
  std::string stray_request();
  std::string altered();
  std::string evil_branch();
  const std::string* heard(std::string_view method);

  Random random_;
  Endpoint address_, edge_;
  std::vector<std::string> heard_, branches_;  // rings
  std::size_t next_ = 0, next_branch_ = 0;
  std::uint64_t made_ = 0;
};

}  // namespace ringweir::sim
