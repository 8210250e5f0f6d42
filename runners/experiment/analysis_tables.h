// Studies of a run as tables on the terminal.
#pragma once

#include <iosfwd>

#include "runners/experiment/analysis.h"

namespace innerloop {

void print_analysis(std::ostream& out, const Analysis& analysis);

}  // namespace innerloop
