// RFC 3261 16.7 step 6.
#include "ringweir/proxy/best_response.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace ringweir::proxy {
namespace {

using Status = std::uint16_t;

TEST(BestResponse, AnyIsBetterThanNone) {
  for (std::uint16_t status = 300; status < 700; ++status) {
    EXPECT_TRUE(is_better(status, 0)) << status;
    EXPECT_FALSE(is_better(0, status)) << status;
  }
}

TEST(BestResponse, A6xxBeatsAllElseAndTheLowestClassTheRest) {
  for (std::uint16_t a = 300; a < 700; ++a) {
    for (std::uint16_t b = 300; b < 700; ++b) {
      const int class_a = a / 100, class_b = b / 100;
      if (class_a == class_b) continue;
      const bool better = class_a == 6 || (class_b != 6 && class_a < class_b);
      EXPECT_EQ(is_better(a, b), better) << a << ' ' << b;
    }
  }
}

// Whichever order answers come in, one of the best kind is kept: a strict weak order.
TEST(BestResponse, IsAnOrder) {
  for (std::uint16_t a = 300; a < 700; ++a) {
    EXPECT_FALSE(is_better(a, a));
    for (std::uint16_t b = 300; b < 700; ++b) {
      EXPECT_FALSE(is_better(a, b) && is_better(b, a)) << a << ' ' << b;
      for (const Status c : std::initializer_list<Status>{401, 404, 408, 480, 486, 503, 600}) {
        EXPECT_TRUE(is_better(a, c) || !is_better(a, b) || !is_better(b, c)) << a << ' ' << b << ' ' << c;
      }
    }
  }
}

TEST(BestResponse, WhatTellsTheCallerHowToDoBetterComesFirstAndNobodyThereLast) {
  for (const Status helps : std::initializer_list<Status>{401, 407, 415, 420, 484}) {
    for (const Status other : std::initializer_list<Status>{400, 403, 404, 408, 410, 480, 486, 488, 499}) EXPECT_TRUE(is_better(helps, other)) << helps << ' ' << other;
  }
  for (const Status other : std::initializer_list<Status>{400, 403, 486, 488, 404}) {
    EXPECT_TRUE(is_better(other, 408)) << other;
    EXPECT_TRUE(is_better(other, 480)) << other;
  }
  EXPECT_TRUE(is_better(500, 503));
}

TEST(BestResponse, Only503IsForwardedAsSomethingElse) {
  for (std::uint16_t status = 300; status < 700; ++status) EXPECT_EQ(as_forwarded(status), status == 503 ? 500 : status);
}

}  // namespace
}  // namespace ringweir::proxy
