#include <cerrno>
#include <cstring>

#include "ringweir/io/uring.h"

namespace ringweir::io {

namespace {

std::string reason(int code) {
  switch (code) {
    case EPERM:
      return "io_uring is not permitted here (kernel.io_uring_disabled, or a container's seccomp profile)";
    case ENOSYS: return "this kernel has no io_uring, or a seccomp profile hides it";
    case ENOMEM: return "io_uring may not lock enough memory here (raise ulimit -l)";
    case EINVAL: return "this kernel's io_uring lacks what ringweir needs (Linux 6.1 or later)";
    default: return std::string("io_uring is not usable here: ") + std::strerror(code);
  }
}

}  // namespace

// A driver without sockets asks the kernel for everything a real one does: the ring's flags (DEFER_TASKRUN
// came with 6.1, as did IORING_OP_SEND to an address, and multishot recvmsg one before), registered files, a
// buffer ring, and then one wait.
Opened probe_uring() {
  std::vector<UdpSocket> none;
  const UringOptions small{
      .receive_buffers = 2, .receive_octets = 64, .send_slots = 1, .send_slots_large = 0};
  auto driver = Uring::open(none, small);
  if (!driver) return std::unexpected(OpenError{driver.error().code, reason(driver.error().code)});
  if (auto started = (*driver)->start(); !started) {
    return std::unexpected(OpenError{started.error().code, reason(started.error().code)});
  }
  io_uring_probe* opcodes = ::io_uring_get_probe();
  if (!opcodes) return std::unexpected(OpenError{EINVAL, reason(EINVAL)});
  bool has_all = true;
  for (const int opcode :
       {IORING_OP_RECVMSG, IORING_OP_SEND, IORING_OP_SENDMSG, IORING_OP_READ, IORING_OP_MSG_RING}) {
    has_all = has_all && ::io_uring_opcode_supported(opcodes, opcode);
  }
  ::io_uring_free_probe(opcodes);
  if (!has_all) return std::unexpected(OpenError{EINVAL, reason(EINVAL)});
  return {};
}

}  // namespace ringweir::io
