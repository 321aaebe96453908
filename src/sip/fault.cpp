#include "ringweir/sip/fault.h"

namespace ringweir::sip {

std::string_view reason(Fault fault) noexcept {
  switch (fault) {
    case Fault::none: return "OK";
    case Fault::start_line: return "Bad Start Line";
    case Fault::version: return "Version Not Supported";
    case Fault::header_syntax: return "Bad Header Line";
    case Fault::too_many_headers: return "Too Many Headers";
    case Fault::header_too_long: return "Header Too Long";
    case Fault::message_too_long: return "Message Too Large";
    case Fault::content_length: return "Bad Content-Length";
    case Fault::no_content_length: return "Missing Content-Length";
    case Fault::missing_via: return "Missing Via";
    case Fault::missing_from: return "Missing From";
    case Fault::missing_to: return "Missing To";
    case Fault::missing_call_id: return "Missing Call-ID";
    case Fault::missing_cseq: return "Missing CSeq";
    case Fault::missing_max_forwards: return "Missing Max-Forwards";
    case Fault::bad_via: return "Bad Via";
    case Fault::bad_from: return "Bad From";
    case Fault::bad_to: return "Bad To";
    case Fault::bad_call_id: return "Bad Call-ID";
    case Fault::bad_cseq: return "Bad CSeq";
    case Fault::bad_max_forwards: return "Bad Max-Forwards";
    case Fault::bad_contact: return "Bad Contact";
    case Fault::bad_expires: return "Bad Expires";
    case Fault::bad_route: return "Bad Route";
    case Fault::bad_uri: return "Bad URI";
    case Fault::bad_authorization: return "Bad Authorization";
    case Fault::bad_header: return "Bad Header";
    case Fault::cseq_method: return "CSeq Method Differs";
    case Fault::duplicate_header: return "Duplicate Header";
    case Fault::binary: return "Control Character In Header";
    case Fault::truncated: return "Truncated Message";
  }
  return "Bad Request";
}

}  // namespace ringweir::sip
