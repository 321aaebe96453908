// What a driver counts. Written by the shard's thread, read by any.
#pragma once
#include "ringweir/base/counters.h"

namespace ringweir::io {

struct DriverCounters {
  Counter datagrams_in, datagrams_out, bytes_in, bytes_out;
  Counter send_errors, send_buffers_exhausted, receive_buffers_exhausted, truncated;
  Counter queue_overflows;  // datagrams lost because the kernel's queue was full, as far as a busy driver has seen
  Counter sieve_refused;    // by the kernel: nothing is dropped for us
  Counter receive_errors;  // other than running out of buffers
  Counter send_retries;    // sends that met the network's report about an earlier datagram, and went again
  Counter trains;          // sends of several datagrams at once
  Counter trains_refused;  // of those, refused by the kernel and sent one by one
  Counter unreachable;     // peers reported to the handler
  Counter wakes_sent, wakes_received, wake_errors, turns;
};

}  // namespace ringweir::io
