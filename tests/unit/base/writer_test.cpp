#include "ringweir/base/writer.h"

#include <gtest/gtest.h>

#include <cstring>

namespace ringweir {
namespace {

TEST(Writer, AppendsTextNumbersAndHeaderLines) {
  char room[128];
  Writer out(room, sizeof room);
  out.put("SIP/2.0 ");
  out.number(200);
  out.put(' ');
  out.line("OK", "x");
  out.number(0);
  out.number(18'446'744'073'709'551'615ull);
  EXPECT_TRUE(out.ok());
  EXPECT_EQ(out.text(), "SIP/2.0 200 OK: x\r\n018446744073709551615");
}

TEST(Writer, FillsItsRoomToTheLastOctet) {
  char room[4];
  Writer out(room, sizeof room);
  out.put("abc");
  out.put('d');
  EXPECT_TRUE(out.ok());
  EXPECT_EQ(out.text(), "abcd");
}

TEST(Writer, PastItsEndItWritesNothingAndStaysFailed) {
  char room[8] = {0, 0, 0, 0, 0, 0, 0, '!'};
  Writer out(room, 7);
  out.put("abcd");
  out.put("efgh");  // does not fit: nothing of it is written
  EXPECT_FALSE(out.ok());
  out.put('x');  // would fit, but a gap is worse than an end
  out.number(1);
  EXPECT_EQ(out.reserve(1), nullptr);
  EXPECT_EQ(out.text(), "abcd");
  EXPECT_FALSE(out.ok());
  EXPECT_EQ(room[7], '!');
}

TEST(Writer, LendsItsRoom) {
  char room[8];
  Writer out(room, sizeof room);
  char* place = out.reserve(8);
  ASSERT_NE(place, nullptr);
  std::memcpy(place, "12345", 5);
  out.wrote(5);
  EXPECT_EQ(out.text(), "12345");
  EXPECT_EQ(out.reserve(4), nullptr);
  EXPECT_FALSE(out.ok());
}

}  // namespace
}  // namespace ringweir
