// What the configuration says about too much: of one source, of failed authentications, of everything together. Part of the
// snapshot: built once by control, read by shards.
#pragma once
#include <optional>
#include <vector>

#include "ringweir/base/network.h"
#include "ringweir/base/token_buckets.h"
#include "ringweir/shard/admission.h"

namespace ringweir::shard {

struct LimitsPolicy {
  std::optional<TokenRate> per_source;  // requests of one source and receiving shard; who is over is not heard
  bool failed_auth = true;              // auth/failure_throttle.h
  OverloadPolicy overload;
  std::vector<Network> trusted;         // never limited by source nor throttled; targets of upstreams neither
};

}  // namespace ringweir::shard
