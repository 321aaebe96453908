// Errors as values. On the data path nothing throws.
#pragma once
#include <expected>

namespace ringweir {

template <class T, class E>
using Result = std::expected<T, E>;
template <class E>
using Unexpected = std::unexpected<E>;

}  // namespace ringweir
