// Tokens that pair a beginning with exactly one end, whatever becomes of the transaction or call that holds
// them.
#pragma once
#include <utility>

#include "ringweir/balance/target_state.h"

namespace ringweir::balance {

// A transaction in flight towards a target. Destroyed or overwritten without a response, it counts as
// abandoned.
class TransactionInFlight {
 public:
  TransactionInFlight() noexcept = default;
  explicit TransactionInFlight(TargetState& target) noexcept : target_(&target) {
    target.transaction_began();
  }
  TransactionInFlight(TransactionInFlight&& other) noexcept
      : target_(std::exchange(other.target_, nullptr)) {}
  TransactionInFlight& operator=(TransactionInFlight&& other) noexcept {
    if (this != &other) {
      abandon();
      target_ = std::exchange(other.target_, nullptr);
    }
    return *this;
  }
  ~TransactionInFlight() { abandon(); }

  // The first response; later ones change nothing.
  void answered(Duration took, Instant now) noexcept {
    if (TargetState* target = std::exchange(target_, nullptr)) target->transaction_ended(took, now);
  }
  void abandon() noexcept {
    if (TargetState* target = std::exchange(target_, nullptr)) target->transaction_abandoned();
  }
  explicit operator bool() const noexcept { return target_ != nullptr; }

 private:
  TargetState* target_ = nullptr;
};

// A call that is open at a target: from its INVITE to its BYE, its refusal, or its being given up.
class CallOpen {
 public:
  CallOpen() noexcept = default;
  explicit CallOpen(TargetState& target) noexcept : target_(&target) { target.call_began(); }
  CallOpen(CallOpen&& other) noexcept : target_(std::exchange(other.target_, nullptr)) {}
  CallOpen& operator=(CallOpen&& other) noexcept {
    if (this != &other) {
      end();
      target_ = std::exchange(other.target_, nullptr);
    }
    return *this;
  }
  ~CallOpen() { end(); }
  void end() noexcept {
    if (TargetState* target = std::exchange(target_, nullptr)) target->call_ended();
  }
  explicit operator bool() const noexcept { return target_ != nullptr; }

 private:
  TargetState* target_ = nullptr;
};

}  // namespace ringweir::balance
