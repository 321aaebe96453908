// Every maximum of the data path, in one place, with the relations they must keep.
#pragma once
#include <cstddef>
#include <cstdint>

namespace ringweir::limits {

inline constexpr std::size_t kShardsMax = 256;
inline constexpr std::size_t kListenersMax = 64;
inline constexpr std::size_t kRoutesMax = 1024;

// A UDP datagram cannot carry more than 65,507 octets of payload over IPv4.
inline constexpr std::size_t kMessageBytesMax = 65'535;
inline constexpr std::size_t kHeadersMax = 128;       // header fields in one message
inline constexpr std::size_t kViasMax = 70;           // Max-Forwards default, RFC 3261 8.1.1.6
inline constexpr std::size_t kHeaderLineBytesMax = 8'192;
inline constexpr std::size_t kUriParametersMax = 32;

inline constexpr std::uint32_t kBindingsMax = 50'000'000;  // of a process; registrar.max_bindings may not exceed it
inline constexpr std::size_t kContactsPerRequestMax = 32;
inline constexpr std::size_t kContactsPerAorMax = 32;  // registrar.max_contacts may not exceed it
inline constexpr std::size_t kAorBytesMax = 255;
inline constexpr std::size_t kContactBytesMax = 1'023;
inline constexpr std::size_t kCallIdBytesMax = 255;
inline constexpr std::uint32_t kExpiresSecondsMax = 7u * 24 * 3600;

// Receive buffers of one shard's ring: small ones hold nearly every datagram (see io).
inline constexpr std::size_t kTurnBatchMax = 256;      // datagrams decided in one turn before output leaves

// Of one shard. A transaction stays up to 32 s behind its last message: 50,000 calls a second would keep 3.2 million.
inline constexpr std::uint32_t kTransactionsMax = 4'000'000;
inline constexpr std::size_t kTransactionTextBytesMax = std::size_t{16} << 30;  // of the messages they keep

inline constexpr std::size_t kMailboxDepth = 1'024;    // parcels in flight between one ordered pair of shards
inline constexpr std::size_t kParcelBytes = 2'048;     // a handed-over message up to this size uses a small parcel

inline constexpr std::size_t kUpstreamsMax = 256;
inline constexpr std::size_t kTargetsPerUpstreamMax = 256;  // endpoints: a name may resolve to several
inline constexpr std::size_t kTargetStatesMax = 16'384;     // of a process, see control/target_registry.h
inline constexpr std::uint32_t kTargetWeightMax = 65'535;   // RFC 2782: 16 bits
inline constexpr std::uint32_t kMaglevSlots = 65'537;       // prime; 256 targets get 256 slots each or more

static_assert(kTargetsPerUpstreamMax <= 256, "a Maglev slot is one octet");
static_assert(kTargetsPerUpstreamMax * 100 < kMaglevSlots, "Eisenbud et al. 2016, 3.4: M much larger than N");
static_assert(kContactsPerRequestMax <= kContactsPerAorMax);
static_assert(kHeaderLineBytesMax < kMessageBytesMax);
static_assert(kAorBytesMax < 256 && kCallIdBytesMax < 256, "lengths are kept in one octet");
static_assert((kMailboxDepth & (kMailboxDepth - 1)) == 0);

}  // namespace ringweir::limits
