// The arrows of RFC 3261 figures 5 to 8 with RFC 6026 7.1, 7.2 and 8.8, read from the figures, one line an
// arrow.
#include <gtest/gtest.h>

#include "ringweir/transaction/invite_client.h"
#include "ringweir/transaction/invite_server.h"
#include "ringweir/transaction/non_invite_client.h"
#include "ringweir/transaction/non_invite_server.h"
#include "unit/transaction/machine_table.h"

namespace ringweir::transaction {
namespace {

TEST(InviteClient, HasTheArrowsOfFigure5AndRfc6026) {
  using enum invite_client::State;
  using E = invite_client::Event;
  using A = Action;
  EXPECT_EQ(invite_client::kStart.next, calling);
  EXPECT_EQ(invite_client::kStart.action, A::send_request);
  expect_arrows<invite_client::State, E>(
      {
          {calling, E::timer_a, calling, A::send_request},
          {calling, E::timer_b, terminated, A::tell_timeout | A::destroy},
          {calling, E::transport_error, terminated, A::tell_transport_error | A::destroy},
          {calling, E::trying, proceeding, A::pass_provisional},
          {calling, E::provisional, proceeding, A::pass_provisional},
          {calling, E::success, accepted, A::pass_final},
          {calling, E::failure, completed, A::send_ack | A::pass_final},
          {proceeding, E::trying, proceeding, A::pass_provisional},
          {proceeding, E::provisional, proceeding, A::pass_provisional},
          {proceeding, E::success, accepted, A::pass_final},
          {proceeding, E::failure, completed, A::send_ack | A::pass_final},
          {proceeding, E::timer_c, proceeding, A::tell_timer_c},                    // 16.8
          {proceeding, E::timer_cancel, terminated, A::tell_timeout | A::destroy},  // 9.1
          {completed, E::failure, completed, A::send_ack},
          {completed, E::timer_d, terminated, A::destroy},
          {completed, E::transport_error, terminated, A::tell_transport_error | A::destroy},
          {accepted, E::success, accepted, A::pass_more_2xx},
          {accepted, E::timer_m, terminated, A::destroy},
      },
      terminated, E::transport_error);
}

TEST(NonInviteClient, HasTheArrowsOfFigure6) {
  using enum non_invite_client::State;
  using E = non_invite_client::Event;
  using A = Action;
  EXPECT_EQ(non_invite_client::kStart.next, trying);
  EXPECT_EQ(non_invite_client::kStart.action, A::send_request);
  expect_arrows<non_invite_client::State, E>(
      {
          {trying, E::timer_e, trying, A::send_request},
          {trying, E::timer_f, terminated, A::tell_timeout | A::destroy},
          {trying, E::transport_error, terminated, A::tell_transport_error | A::destroy},
          {trying, E::provisional, proceeding, A::pass_provisional},
          {trying, E::final, completed, A::pass_final},
          {proceeding, E::timer_e, proceeding, A::send_request},
          {proceeding, E::timer_f, terminated, A::tell_timeout | A::destroy},
          {proceeding, E::transport_error, terminated, A::tell_transport_error | A::destroy},
          {proceeding, E::provisional, proceeding, A::pass_provisional},
          {proceeding, E::final, completed, A::pass_final},
          {completed, E::timer_k, terminated, A::destroy},
      },
      terminated, E::transport_error);
}

TEST(InviteServer, HasTheArrowsOfFigure7AndRfc6026) {
  using enum invite_server::State;
  using E = invite_server::Event;
  using A = Action;
  expect_arrows<invite_server::State, E>(
      {
          {proceeding, E::invite, proceeding, A::resend_response},
          {proceeding, E::user_provisional, proceeding, A::send_response},
          {proceeding, E::user_success, accepted, A::send_response},
          {proceeding, E::user_failure, completed, A::send_response},
          {proceeding, E::timer_trying, proceeding, A::send_trying},
          {proceeding, E::transport_error, proceeding, A::tell_transport_error},
          {completed, E::invite, completed, A::resend_response},
          {completed, E::timer_g, completed, A::resend_response},
          {completed, E::timer_h, terminated, A::tell_timeout | A::destroy},
          {completed, E::ack, confirmed, A::none},
          {completed, E::transport_error, completed, A::tell_transport_error},
          {confirmed, E::timer_i, terminated, A::destroy},
          {accepted, E::ack, accepted, A::pass_ack},
          {accepted, E::user_success, accepted, A::send_response},
          {accepted, E::timer_l, terminated, A::destroy},
          {accepted, E::transport_error, accepted, A::tell_transport_error},
      },
      terminated, E::transport_error);
}

TEST(InviteServer, AProxySends100AtOnceOthersWhenTheUserIsLate) {
  using invite_server::Trying;
  EXPECT_EQ(invite_server::start(Trying::at_once).action, Action::pass_request | Action::send_trying);
  EXPECT_EQ(invite_server::start(Trying::after_200_ms).action, Action::pass_request);
  EXPECT_EQ(invite_server::start(Trying::at_once).next, invite_server::State::proceeding);
}

TEST(NonInviteServer, HasTheArrowsOfFigure8AndRfc6026) {
  using enum non_invite_server::State;
  using E = non_invite_server::Event;
  using A = Action;
  EXPECT_EQ(non_invite_server::kStart.next, trying);
  EXPECT_EQ(non_invite_server::kStart.action, A::pass_request);
  expect_arrows<non_invite_server::State, E>(
      {
          {trying, E::user_provisional, proceeding, A::send_response},
          {trying, E::user_final, completed, A::send_response},
          {proceeding, E::request, proceeding, A::resend_response},
          {proceeding, E::user_provisional, proceeding, A::send_response},
          {proceeding, E::user_final, completed, A::send_response},
          {proceeding, E::transport_error, proceeding, A::tell_transport_error},
          {completed, E::request, completed, A::resend_response},
          {completed, E::timer_j, terminated, A::destroy},
          {completed, E::transport_error, completed, A::tell_transport_error},
      },
      terminated, E::transport_error);
}

TEST(Machines, TellStatusCodesApart) {
  EXPECT_EQ(invite_client::event_of(100), invite_client::Event::trying);
  EXPECT_EQ(invite_client::event_of(101), invite_client::Event::provisional);
  EXPECT_EQ(invite_client::event_of(199), invite_client::Event::provisional);
  EXPECT_EQ(invite_client::event_of(200), invite_client::Event::success);
  EXPECT_EQ(invite_client::event_of(299), invite_client::Event::success);
  EXPECT_EQ(invite_client::event_of(300), invite_client::Event::failure);
  EXPECT_EQ(invite_client::event_of(699), invite_client::Event::failure);
  EXPECT_EQ(invite_server::event_of(100), invite_server::Event::user_provisional);
  EXPECT_EQ(invite_server::event_of(202), invite_server::Event::user_success);
  EXPECT_EQ(invite_server::event_of(408), invite_server::Event::user_failure);
  EXPECT_EQ(non_invite_client::event_of(199), non_invite_client::Event::provisional);
  EXPECT_EQ(non_invite_client::event_of(200), non_invite_client::Event::final);
  EXPECT_EQ(non_invite_server::event_of(183), non_invite_server::Event::user_provisional);
  EXPECT_EQ(non_invite_server::event_of(600), non_invite_server::Event::user_final);
}

}  // namespace
}  // namespace ringweir::transaction
