// What the kernel drops for us, on real sockets: of new INVITEs to our own names a share, of everything else nothing.
#include "ringweir/io/sieve.h"

#include <array>

#include "unit/io/driver_kit.h"

namespace ringweir::io {
namespace {

std::string request(std::string_view line) {
  return std::string(line) + " SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bK-1\r\nFrom: <sip:100@example.com>;tag=a\r\n" +
         "To: <sip:101@example.com>\r\nCall-ID: call-1@192.0.2.7\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n";
}

class SieveTest : public ::testing::Test {
 protected:
  SieveTest() { sockets_.push_back(opened("127.0.0.1:0")); }
  bool set(std::uint32_t passes) {
    static constexpr std::array<std::string_view, 4> kHosts{"example.com", "192.0.2.10", "192.0.2.10:5060", "[2001:db8::1]"};
    return sieve_.set(sockets_, {"INVITE sip:", kHosts}, passes);
  }
  // Of `count` such datagrams, how many arrive.
  int arrive(std::string_view text, int count = 1) {
    int came = 0;
    std::array<char, 2'048> space;
    for (int i = 0; i < count; ++i) {
      phone_.send(text, sockets_[0].bound());
      came += ::recv(sockets_[0].fd(), space.data(), space.size(), MSG_DONTWAIT) >= 0;
    }
    return came;
  }
  std::vector<UdpSocket> sockets_;
  Sieve sieve_;
  Phone phone_{"127.0.0.1:0"};
};

TEST_F(SieveTest, DropsNewCallsToOurNames) {
  ASSERT_TRUE(set(0));
  for (const char* line : {"INVITE sip:101@example.com", "INVITE sip:101@EXAMPLE.com", "INVITE sip:+4930123456789@192.0.2.10",
                           "INVITE sip:101@192.0.2.10:5060", "INVITE sip:101@example.com;user=phone",
                           "INVITE sip:9@[2001:db8::1]"}) {
    EXPECT_EQ(arrive(request(line)), 0) << line;
  }
}

TEST_F(SieveTest, LetsEverythingElseThrough) {
  ASSERT_TRUE(set(0));
  for (const char* line :
       {"INVITE sip:101@192.0.2.7:5062", "INVITE sip:101@192.0.2.101", "INVITE sip:101@example.community",
        "INVITE sip:101@notexample.com", "INVITE sip:101@192.0.2.10:5062", "INVITE sip:example.com", "INVITE tel:+4930123",
        "BYE sip:101@example.com", "ACK sip:101@example.com", "REGISTER sip:example.com", "INVITED sip:101@example.com",
        "INFO sip:101@example.com"}) {
    EXPECT_EQ(arrive(request(line)), 1) << line;
  }
  for (const char* text : {"", "\r\n", "\r\n\r\n", "I", "INVITE sip:101@example.com SIP/2.0\r\n\r\n"}) {
    EXPECT_EQ(arrive(text), 1) << "too short to be one: " << text;
  }
  EXPECT_EQ(arrive(request("INVITE sip:" + std::string(80, 'x') + "@example.com")), 1) << "where it is not looked for";
}

TEST_F(SieveTest, PassesTheShareThatWasAskedFor) {
  const std::string invite = request("INVITE sip:101@example.com");
  ASSERT_TRUE(set(300'000));
  EXPECT_NEAR(arrive(invite, 4'000), 1'200, 150);
  ASSERT_TRUE(set(800'000));
  EXPECT_NEAR(arrive(invite, 4'000), 3'200, 150);
  ASSERT_TRUE(set(Sieve::kAll));
  EXPECT_EQ(arrive(invite, 1'000), 1'000);
}

TEST_F(SieveTest, HoldsAsManyHostsAsThereMayBe) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < SievePattern::kHostsMax; ++i) {
    names.push_back(std::string(SievePattern::kHostBytesMax - 1, 'h') + static_cast<char>('a' + i));
  }
  const std::vector<std::string_view> hosts(names.begin(), names.end());
  ASSERT_TRUE(sieve_.set(sockets_, {"INVITE sip:", hosts}, 0));
  for (const std::string& name : names) EXPECT_EQ(arrive(request("INVITE sip:1@" + name)), 0);
  EXPECT_EQ(arrive(request("INVITE sip:1@" + std::string(SievePattern::kHostBytesMax, 'z'))), 1);
}

}  // namespace
}  // namespace ringweir::io
