// RFC 3261 8.1.1 and 16.3 step 1: the fields without which a message can be neither answered nor routed.
#include "ringweir/sip/essentials.h"
#include "sip/characters.h"

namespace ringweir::sip {

namespace {
Error at(Fault fault, const HeaderField& field, std::uint32_t offset = 0) noexcept {
  return {fault, field.value_offset + offset};
}

Error check_vias(const Message& message, Via& top) noexcept {
  const HeaderField* field = message.first(HeaderId::via);
  if (field == nullptr) return {Fault::missing_via, 0};
  for (bool is_top = true; field != nullptr; field = message.next(*field)) {
    const std::string_view value = message.value(*field);
    std::string_view rest = value;
    do {
      const std::uint32_t begin = static_cast<std::uint32_t>(rest.data() - value.data());
      const auto via = parse_via(rest, rest);
      if (!via) return at(Fault::bad_via, *field, begin + via.error().offset);
      if (is_top) top = *via;
      is_top = false;
    } while (!rest.empty());
  }
  return {};
}

// From and To: exactly one address
Error check_address(const Message& message, HeaderId id, Fault missing, Fault bad, NameAddr& out) noexcept {
  const HeaderField* field = message.first(id);
  if (field == nullptr) return {missing, 0};
  const std::string_view value = message.value(*field);
  std::string_view rest;
  const auto address = parse_name_addr(value, rest);
  if (!address) return at(bad, *field, address.error().offset);
  if (!rest.empty()) return at(bad, *field, static_cast<std::uint32_t>(rest.data() - value.data()));
  out = *address;
  return {};
}

// callid = word [ "@" word ]
Error check_call_id(const Message& message) noexcept {
  const HeaderField* field = message.first(HeaderId::call_id);
  if (field == nullptr) return {Fault::missing_call_id, 0};
  Cursor c(message.value(*field));
  bool well_formed = !c.take<kWord>().empty();
  if (well_formed && c.next_is('@')) {
    ++c.at;
    well_formed = !c.take<kWord>().empty();
  }
  return well_formed && c.done() ? Error{} : at(Fault::bad_call_id, *field, c.offset());
}

Error check_cseq(const Message& message, CSeq& out) noexcept {
  const HeaderField* field = message.first(HeaderId::cseq);
  if (field == nullptr) return {Fault::missing_cseq, 0};
  const auto cseq = parse_cseq(message.value(*field));
  if (!cseq) return at(Fault::bad_cseq, *field, cseq.error().offset);
  const bool same = cseq->method != Method::unknown ? cseq->method == message.method()
                                                    : cseq->method_text == message.method_text();
  if (message.is_request() && !same) return at(Fault::cseq_method, *field);
  out = *cseq;
  return {};
}

Error check_all(const Message& message, Essentials& out) noexcept {
  Error error = check_vias(message, out.via);
  if (error.fault == Fault::none)
    error = check_address(message, HeaderId::from, Fault::missing_from, Fault::bad_from, out.from);
  if (error.fault == Fault::none)
    error = check_address(message, HeaderId::to, Fault::missing_to, Fault::bad_to, out.to);
  if (error.fault == Fault::none) error = check_call_id(message);
  if (error.fault == Fault::none) error = check_cseq(message, out.cseq);
  return error;
}
}  // namespace

Error validate_request(const Message& message, Essentials& out) noexcept {
  const Error error = check_all(message, out);
  if (error.fault != Fault::none) return error;
  // It may be missing (16.3 step 3), but not be nonsense: 0 to 255 (20.22).
  if (const HeaderField* field = message.first(HeaderId::max_forwards)) {
    const auto hops = parse_number(message.value(*field));
    if (!hops || *hops > 255) return at(Fault::bad_max_forwards, *field);
  }
  return {};
}

Error validate_response(const Message& message, Essentials& out) noexcept {
  return check_all(message, out);
}

}  // namespace ringweir::sip
