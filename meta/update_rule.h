// The update rule of the inner loop: how a gradient changes the adapted parameters.
//
// A rule is written once, as a differentiable function; its derivatives come from autograd unless it gives
// them itself. `phi` and `gradient` hold the adapted entries only, [T, ...]; `rule` holds the rule's own
// meta-parameters, [1, ...].
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "networks/params.h"

namespace innerloop {

class UpdateRule {
 public:
  virtual ~UpdateRule() = default;

  // The rule's meta-parameters, named "inner.*", for the adapted entries of the initialisation; none by
  // default.
  virtual Params meta_parameters(const Params& adapted) const;

  // phi_{k+1}, in differentiable LibTorch operations. `scale` multiplies the step.
  virtual Params update(const Params& rule, const Params& phi, const Params& gradient,
                        double scale) const = 0;

  struct Cotangents {
    Params rule;      // [1, ...], summed over tasks
    Params phi;       // [T, ...]
    Params gradient;  // [T, ...]
  };
  virtual Cotangents pullback(const Params& rule, const Params& phi, const Params& gradient, double scale,
                              const Params& cotangent) const;

  struct Tangents {
    Params rule, phi, gradient;  // shapes as the arguments of update
  };
  virtual Params pushforward(const Params& rule, const Params& phi, const Params& gradient, double scale,
                             const Tangents& direction) const;
};

std::vector<std::string> update_rule_names();

// "fixed": phi - alpha g (Finn et al. 2017, eq. 1). "per_parameter": phi - alpha o g with a learned step size
// for every entry, starting at alpha (Meta-SGD; Li et al. 2017, eq. 3).
std::unique_ptr<UpdateRule> make_update_rule(const std::string& name, double step_size);

}  // namespace innerloop
