#include <sys/prctl.h>

#include "call_engine.h"
#include "engine.h"
#include "flood.h"
#include "options.h"
#include "peers.h"
#include "report.h"

int main(int argc, char** argv) {
  using namespace ringweir::load;
  const Options options = parse_options(argc, argv);
  prctl(PR_SET_TIMERSLACK, 1'000UL);  // the pace is in microseconds, the default slack is fifty of them
  Peers peers(options);
  const Phase phase{options.workload, options.rate, options.duration_s, options.warm_up_s, options.count};
  Result result;
  Engine engine(options, peers);
  if (options.register_first != 0) {
    result.registered_first = engine.run({Workload::register_, 0, kDurationMaxS, 0, options.register_first});
  }
  if (options.workload == Workload::flood) {
    result.outcome = Flood(options, peers).run(phase);
  } else {
    result.outcome = is_call(options.workload) ? CallEngine(options, peers).run(phase) : engine.run(phase);
  }
  result.traffic = peers.traffic();
  print(options, result);
  const bool prepared = !result.registered_first || result.registered_first->clean();
  return prepared && result.outcome.clean() ? 0 : 1;
}
