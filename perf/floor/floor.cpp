// ringweir-floor: what the kernel charges for one datagram in and one out. The plainest fast UDP echo we know
// how to write on io_uring; it reads nothing, copies nothing and decides nothing. It shares no code with the
// server that is measured against it.
//
// Honest means: every datagram is received and sent by itself, to an address looked up for it alone, as for
// phones that each have their own. So no GSO, no GRO, no connected socket. Of what remains, the fastest of
// what was measured: one multishot recvmsg into provided buffers, echoed out of the buffer it came in, by one
// IORING_OP_SEND that ends within the single io_uring_enter of the turn and posts nothing when it succeeds.
#include <arpa/inet.h>
#include <liburing.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

constexpr unsigned kBuffers = 256;
constexpr std::size_t kBufferOctets =
    65'536 + 64;  // takes any datagram; not a multiple of a page, for the cache's sake
constexpr std::size_t kNameOctets = sizeof(sockaddr_in);
constexpr std::uint64_t kReceive = 1, kSend = 2, kStop = 3;

[[noreturn]] void give_up(const char* what, int error) {
  std::fprintf(stderr, "ringweir-floor: %s: %s\n", what, std::strerror(error));
  std::exit(1);
}

struct Options {
  std::string host = "127.0.0.1";
  int port = 5080;
  int cpu = -1;
};

[[noreturn]] void usage(int status) {
  std::fputs(
      "usage: ringweir-floor [--bind IPV4:PORT] [--cpu N]\n"
      "Echoes each UDP datagram; on SIGTERM or SIGINT prints the datagrams and the processor time they "
      "took.\n"
      "example: ringweir-floor --bind 127.0.0.1:5080 --cpu 0\n",
      status == 0 ? stdout : stderr);
  std::exit(status);
}

Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--help") usage(0);
    if (i + 1 == argc) usage(2);
    const std::string value = argv[++i];
    if (name == "--cpu") {
      options.cpu = std::atoi(value.c_str());
    } else if (const auto colon = value.rfind(':'); name == "--bind" && colon != std::string::npos) {
      options.host = value.substr(0, colon);
      options.port = std::atoi(value.c_str() + colon + 1);
    } else {
      usage(2);
    }
  }
  return options;
}

int open_socket(const Options& options) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) give_up("socket", errno);
  const int octets = 4 * 1'048'576;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &octets, sizeof octets);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(static_cast<std::uint16_t>(options.port));
  if (::inet_pton(AF_INET, options.host.c_str(), &name.sin_addr) != 1) usage(2);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof name) != 0) give_up("bind", errno);
  return fd;
}

// SIGTERM and SIGINT as something the ring can read, so that none arrives between a look and a nap.
int open_signals() {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  ::sigprocmask(SIG_BLOCK, &ends, nullptr);
  const int fd = ::signalfd(-1, &ends, SFD_CLOEXEC);
  if (fd < 0) give_up("signalfd", errno);
  return fd;
}

class Floor {
 public:
  Floor(int socket, int signals) {
    io_uring_params parameters{};
    parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN |
                       IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE;
    parameters.cq_entries = 4 * kBuffers;
    if (const int error = io_uring_queue_init_params(2 * kBuffers, &ring_, &parameters))
      give_up("io_uring", -error);
    const int files[] = {socket, signals};
    if (const int error = io_uring_register_files(&ring_, files, 2)) give_up("register the socket", -error);
    io_uring_register_ring_fd(&ring_);
    memory_ = map(kBuffers * kBufferOctets);
    ::madvise(memory_, kBuffers * kBufferOctets, MADV_NOHUGEPAGE);
    buffers_ = reinterpret_cast<io_uring_buf_ring*>(map(kBuffers * sizeof(io_uring_buf)));
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(buffers_);
    registration.ring_entries = kBuffers;
    if (const int error = io_uring_register_buf_ring(&ring_, &registration, 0))
      give_up("buffer ring", -error);
    io_uring_buf_ring_init(buffers_);
    for (unsigned i = 0; i < kBuffers; ++i) echoed_.push_back(i);
    give_back();
    shape_.msg_namelen = kNameOctets;
    arm();
    io_uring_sqe* sqe = entry();
    io_uring_prep_read(sqe, 1, &signal_, sizeof signal_, 0);
    sqe->flags |= IOSQE_FIXED_FILE;
    sqe->user_data = kStop;
  }

  void turn() {
    io_uring_submit_and_wait(&ring_, 1);
    if (io_uring_sq_ready(&ring_) == 0) give_back();  // every send of the last turn has ended: MSG_DONTWAIT
    unsigned head = 0, seen = 0;
    bool ended = false;
    io_uring_cqe* cqe = nullptr;
    io_uring_for_each_cqe(&ring_, head, cqe) {
      ++seen;
      if (cqe->user_data != kReceive) {
        (cqe->user_data == kStop ? stopped_ : refused_) += 1;
        continue;
      }
      ended |= !(cqe->flags & IORING_CQE_F_MORE);
      if (cqe->res >= 0) echo(cqe->flags >> IORING_CQE_BUFFER_SHIFT, static_cast<unsigned>(cqe->res));
    }
    io_uring_cq_advance(&ring_, seen);
    if (ended) arm();
    ++turns_;
  }

  std::uint64_t datagrams() const { return datagrams_; }
  std::uint64_t refused() const { return refused_; }
  std::uint64_t turns() const { return turns_; }
  bool stopped() const { return stopped_ != 0; }

 private:
  static char* map(std::size_t size) {
    void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) give_up("mmap", errno);
    return static_cast<char*>(at);
  }
  io_uring_sqe* entry() {
    io_uring_sqe* free = io_uring_get_sqe(&ring_);
    while (!free) {
      io_uring_submit(&ring_);
      free = io_uring_get_sqe(&ring_);
    }
    return free;
  }
  void arm() {
    io_uring_sqe* sqe = entry();
    io_uring_prep_recvmsg(sqe, 0, &shape_, 0);
    sqe->ioprio |= IORING_RECV_MULTISHOT;
    sqe->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
    sqe->buf_group = 0;
    sqe->user_data = kReceive;
  }
  // Header, name, payload: laid out so by the kernel. The name is the address to answer, the payload the
  // answer.
  void echo(unsigned buffer, unsigned size) {
    constexpr unsigned kPayloadAt = sizeof(io_uring_recvmsg_out) + kNameOctets;
    char* at = memory_ + buffer * kBufferOctets;
    io_uring_sqe* sqe = entry();
    io_uring_prep_send(sqe, 0, at + kPayloadAt, size - kPayloadAt, MSG_DONTWAIT);
    sqe->addr2 = reinterpret_cast<std::uintptr_t>(at + sizeof(io_uring_recvmsg_out));
    sqe->addr_len = kNameOctets;
    sqe->flags |= IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS;
    sqe->user_data = kSend;
    echoed_.push_back(buffer);
    ++datagrams_;
  }
  void give_back() {
    int count = 0;
    for (const unsigned buffer : echoed_) {
      io_uring_buf_ring_add(buffers_, memory_ + buffer * kBufferOctets, kBufferOctets,
                            static_cast<unsigned short>(buffer), kBuffers - 1, count++);
    }
    io_uring_buf_ring_advance(buffers_, count);
    echoed_.clear();
  }

  io_uring ring_{};
  io_uring_buf_ring* buffers_ = nullptr;
  char* memory_ = nullptr;
  msghdr shape_{};
  std::vector<unsigned> echoed_;  // by sends that the next enter ends
  signalfd_siginfo signal_{};
  std::uint64_t datagrams_ = 0, refused_ = 0, turns_ = 0, stopped_ = 0;
};

double seconds(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  if (options.cpu >= 0) {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(static_cast<unsigned>(options.cpu), &only);
    if (::sched_setaffinity(0, sizeof only, &only) != 0) give_up("stay on the processor", errno);
  }
  Floor floor(open_socket(options), open_signals());
  std::printf("ringweir-floor ready on udp:%s:%d\n", options.host.c_str(), options.port);
  std::fflush(stdout);
  while (!floor.stopped()) floor.turn();

  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const double user = seconds(used.ru_utime), system = seconds(used.ru_stime);
  const auto datagrams = static_cast<double>(std::max<std::uint64_t>(1, floor.datagrams()));
  std::printf(
      "datagrams %llu refused %llu turns %llu user_s %.3f system_s %.3f ns_per_datagram %.0f\n",
      static_cast<unsigned long long>(floor.datagrams()), static_cast<unsigned long long>(floor.refused()),
      static_cast<unsigned long long>(floor.turns()), user, system, (user + system) * 1e9 / datagrams);
}
