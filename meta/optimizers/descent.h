// What the meta-optimizers share that need the meta-gradient alone: `clip` bounds its entries first
// (cbfinn/maml, maml.py:147); the step size follows a schedule (schedule.h).
#pragma once

#include <functional>

#include "meta/meta_optimizer.h"

namespace innerloop {

// `config` itself; UsageError for settings out of range.
const MetaOptimizerConfig& checked_descent(const MetaOptimizerConfig& config);

// Replaces `meta` by next(the clipped gradient there) and reports the objective on both sides. Error if
// objective or gradient is not finite; `meta` is then as before, and `next` was not called.
MetaStep descend(Params& meta, MetaProblem& problem, double clip,
                 const std::function<Params(const Params& gradient)>& next);

// The entries of an optimizer's state that are named `prefix` + a name of `like`, and have its shapes; else
// an Error that names `optimizer` and the entry.
Params restored_part(const Params& state, const std::string& optimizer, const std::string& prefix,
                     const Params& like);

}  // namespace innerloop
