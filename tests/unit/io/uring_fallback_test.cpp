// Where io_uring is denied, a process learns why and serves the same sockets by epoll.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>

#include "unit/io/driver_kit.h"

namespace ringweir::io {
namespace {

// As a container runtime's profile does: io_uring_setup fails with `error`.
bool deny_io_uring(int error) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{.len = 4, .filter = program};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// In the child. 0 when all went as it must, else the step that did not.
int serve_without_io_uring(int error, const char* reason) {
  if (!deny_io_uring(error)) return 1;
  const auto usable = probe_uring();
  if (usable || usable.error().code != error) return 2;
  if (usable.error().what.find(reason) == std::string::npos) return 3;
  std::vector<UdpSocket> sockets;
  sockets.push_back(opened("127.0.0.1:0"));
  if (Uring::open(sockets) || sockets.size() != 1) return 4;
  auto driver = Epoll::open(sockets);
  if (!driver || !(*driver)->start()) return 5;
  Phone phone("127.0.0.1:0");
  const auto answer = ask(**driver, phone, "by epoll", address_of(**driver));
  return answer && answer->text == "by epoll" ? 0 : 6;
}

TEST(UringFallback, DeniedByASeccompProfileEpollServesTheSameSockets) {
  const std::pair<int, const char*> denials[] = {
      {EPERM, "not permitted"}, {ENOSYS, "no io_uring"}, {ENOMEM, "ulimit -l"}, {EINVAL, "6.1"}};
  for (const auto& [error, reason] : denials) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(serve_without_io_uring(error, reason));
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0) << reason;
  }
}

}  // namespace
}  // namespace ringweir::io
