// Route preprocessing (RFC 3261 16.4): which Route elements are ours and go, and what that says about the
// way. Pure.
#pragma once
#include <cstdint>
#include <string_view>

#include "ringweir/proxy/domain_set.h"
#include "ringweir/sip/essentials.h"
#include "ringweir/sip/forward.h"
#include "ringweir/sip/message.h"
#include "ringweir/sip/uri.h"

namespace ringweir::proxy {

struct RouteSet {
  sip::Fault fault = sip::Fault::none;  // bad_route: a Route that decides the way cannot be read (400)
  sip::RouteSpan kept;                  // for RequestEdits::routes
  std::string_view
      token;  // what a Route of ours (or the Request-URI, from a strict router) carries: signed or not
  // A strict router before us put our Record-Route into the Request-URI: the request's true target is this,
  // the last Route, which `kept` leaves out. Empty: the Request-URI stands.
  std::string_view request_uri;
  // The Route that is left on top, if any. Another hop: followed only where that is allowed, else 403. Our
  // own again (next_is_ours) when the request is to come back to us, a spiral.
  std::string_view next;
  bool next_is_strict = false;  // no lr: RequestEdits::last_route and request_uri change places (16.6 step 6)
  bool next_is_ours = false;
  sip::RouteSpan behind_next;  // what is kept when `next` becomes the Request-URI (16.6 step 6)
  bool strip_maddr = false;    // the Request-URI's maddr is ours and is to be taken out (write_without_maddr)
  bool in_dialog = false;      // has a To tag
};

// `uri` is the Request-URI, parsed; `received_port` the port of the socket that the request came in by. Views
// into `request`.
RouteSet read_route_set(const sip::Message& request, const sip::Essentials& read, const sip::Uri& uri,
                        const DomainSet& ours, std::uint16_t received_port) noexcept;

}  // namespace ringweir::proxy
