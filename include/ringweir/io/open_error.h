// Why something of the system could not be had at start: the errno, and a sentence for people.
#pragma once
#include <string>

#include "ringweir/base/result.h"

namespace ringweir::io {

struct OpenError {
  int code = 0;      // errno
  std::string what;  // without a full stop: "cannot bind 192.0.2.1:5060: address already in use"
};

using Opened = Result<void, OpenError>;

}  // namespace ringweir::io
