// A process as the admin side sees it, on shards that a test drives by hand.
#pragma once
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "ringweir/control/process.h"
#include "support/conversation.h"

namespace ringweir::control::testing {

struct AdminWorld {
  explicit AdminWorld(std::uint32_t shards = 1)
      : phone({}, {.shards = shards}),
        view{.shared = phone.rig.shared,
             .directory = phone.rig.directory,
             .drivers = {},
             .io_backend = "sim",
             .io_reason = "a \"test\"",
             .node = "edge-a",
             .version = "1.2.3",
             .listeners = {{"sip", {IpAddress::v4(192, 0, 2, 10), 5060}, {"udp"}}},
             .started_ms = phone.rig.clock.wall_ms - 5'000,
             .ready = ready,
             .why_not_ready = [] { return std::string("draining"); },
             .users = [this] { return phone.snapshot().users; },
             .reload = [this] { return report; },
             .snapshot = [this] { return std::shared_ptr<const shard::Snapshot>(std::shared_ptr<void>(), &phone.snapshot()); },
             .now = [this] { return phone.rig.clock.now; },
             .wall_ms = [this] { return phone.rig.clock.wall_ms; }} {
    for (const auto& driver : phone.rig.drivers) view.drivers.push_back(&driver->counters());
  }

  // `user` registers one contact, challenge and all.
  void registers(const std::string& user, const std::string& contact = "<sip:192.0.2.7:5062>") {
    support::RequestText request;
    request.from = "<sip:" + user + "@example.com>;tag=a1";
    request.to = "<sip:" + user + "@example.com>";
    request.call_id = "call-of-" + user;
    request.via += user;
    request.with("Contact: " + contact).with("Expires: 600").with("User-Agent: phone/1");
    check(phone.authorised(request, user, user).status == 200, "a test's registration");
  }

  support::Conversation phone;
  std::atomic<bool> ready{true};
  ReloadReport report{true, {"users: 3 -> 4"}};
  ProcessView view;
};

}  // namespace ringweir::control::testing
